"""Files that appear whole, and what is said where one cannot be read or written."""

import contextlib
import glob
import os
import shutil
import stat
import uuid
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None


def printed(text):
    """Text on one line, in which line ends and codes that a terminal would obey do nothing."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


@contextlib.contextmanager
def naming(path, done):
    """Within it an OSError says in one sentence which file cannot be `done`: "read" or "written".
    So does what is there if it is no file: a folder, a device. TypeError, ValueError for no name.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path: expected the name of a file, got {type(path).__name__}")
    name = printed(str(path)[-150:])  # its end says more
    if "\0" in str(path):
        raise ValueError(f"{name} cannot be {done}: there is a NUL in its name.")
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise IsADirectoryError(f"{name} cannot be {done}: it is a folder or a device.")
        yield
    except OSError as error:
        if error.errno is None:  # it is a sentence already
            raise
        raise type(error)(f"{name} cannot be {done}: {error.strerror}.") from error


@contextlib.contextmanager
def written_whole(path):
    """A file to write bytes into, and to read them again, which takes the name `path` when all of
    it is on the disk. Whatever happens meanwhile, what was there before is there, whole, or else
    the new file. It has the rights of the old one. A link stays a link: what it points to is
    replaced.

    OSError in one sentence that names the file; FileNotFoundError that names the folder if there
    is none to write into.
    """
    with naming(path, "written"):
        path = Path(os.path.realpath(path))
        if not path.parent.is_dir():
            folder = printed(str(path.parent)[-150:])
            message = f"There is no folder {folder} to write {printed(path.name)[:80]} into."
            raise FileNotFoundError(message)
        sweep(path)
        file, beside = _new_beside(path)
        try:
            with file:
                with contextlib.suppress(FileNotFoundError):
                    shutil.copymode(path, beside)  # before there is anything to see
                yield file
                file.flush()
                os.fsync(file.fileno())
                if not fcntl:
                    file.close()  # Windows renames no open file
                os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)


def _new_beside(path):
    """A new file beside `path`, held as long as it is open, and its own path."""
    while True:
        # Names may have 255 bytes: 50 letters of its name leave room for the rest.
        beside = path.with_name(f"{path.name[:50]}.{uuid.uuid4().hex}.part")
        file = open(beside, "x+b")  # noqa: SIM115  (written_whole closes it)
        _hold(file)
        if beside.exists():  # nobody has swept it before it was held
            return file, beside
        file.close()


def _hold(file, how=0):
    """The lock goes with the process, however that ends. Some discs of other machines have none."""
    if fcntl:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | how)
            return True
    return False


def sweep(path):
    """Remove the .part files beside `path` that processes left there when they were killed. One
    that somebody still writes is held, and stays; so do all where files cannot be held."""
    path = Path(os.path.realpath(path))
    for part in path.parent.glob(f"{glob.escape(path.name[:50])}.{'[0-9a-f]' * 32}.part"):
        with contextlib.suppress(OSError), open(part, "rb") as file:
            if _hold(file, fcntl.LOCK_NB if fcntl else 0):
                part.unlink()
