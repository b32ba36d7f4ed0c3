"""What the machine needs to be told: use one thread for small products, write files whole."""

import contextlib
import glob
import os
import shutil
import stat
import threading
import uuid
import weakref
from pathlib import Path

import numpy  # noqa: F401  (its BLAS, which multiplies for us, must be there to be found)
from threadpoolctl import ThreadpoolController

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

# --- One thread -----------------------------------------------------------------------------------
# The products of a training are small. A second thread gains little where the machine is quiet, and
# where it is busy the two wait for each other many times longer than they work. It also adds in
# another order, so that the last bits of the sums would depend on how many threads there are.

_blas = ThreadpoolController().select(user_api="blas").lib_controllers
_lock, _at_work, _before = threading.Lock(), weakref.WeakSet(), []


def _set_threads(counts):
    for library, count in zip(_blas, counts, strict=True):
        # From threadpoolctl 3.8 on, the thread that set OpenBLAS's limit first is the only one that
        # can, but the limit holds for the whole process and is ours as long as we hold the lock.
        let_go = getattr(library, "clear_controlling_thread", lambda force: None)
        let_go(force=True)
        library.set_num_threads(count)
        let_go(force=True)


@contextlib.contextmanager
def one_thread():
    """Within it matrix products use one thread, in the whole process. Where several are at work,
    in whatever threads, the first sets the limit, and the last one gives back what was before.

    So trainings at once, each in a thread of its own, give the weights that each gives alone. That
    ends where one of the threads sets a limit of its own meanwhile (threadpoolctl): there is one
    limit for all of them, and with other threads the last bits of the sums are others.
    """
    me = threading.Event()  # only as something to remember
    try:
        with _lock:
            if not _before:
                _before.extend([library.get_num_threads() for library in _blas])
            _at_work.add(me)
            _set_threads([1] * len(_blas))
        yield
    finally:  # an interrupt may come anywhere, also below: then the next to leave gives it back
        with _lock:
            _at_work.discard(me)
            if _before and not _at_work:
                _set_threads(_before)
                _before.clear()


# --- Files that appear whole ----------------------------------------------------------------------


def printed(text):
    """Text on one line, without the codes that a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))


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
