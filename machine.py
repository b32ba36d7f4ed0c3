"""What the machine needs to be told: use one thread for small products, write files whole."""

import contextlib
import os
import threading
import uuid
import weakref
from pathlib import Path

import numpy  # noqa: F401  (its BLAS, which multiplies for us, must be there to be found)
from threadpoolctl import ThreadpoolController

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
    in whatever threads, the first sets the limit, and the last one gives back what was before."""
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


@contextlib.contextmanager
def written_whole(path):
    """A file to write bytes into, which takes the name `path` when all of it is on the disk.
    Whatever happens meanwhile, what was there before is there, whole, or else the new file.
    A link stays a link: what it points to is replaced.

    FileNotFoundError that names the folder if there is none to write into.
    """
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} into.")
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
