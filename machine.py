"""What the machine needs to be told: use one thread for small products. And what it is asked:
whether a thread can start at all."""

import contextlib
import contextvars
import threading
import weakref

import numpy  # noqa: F401  (its BLAS, which multiplies for us, must be there to be found)
from threadpoolctl import ThreadpoolController

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


def has_threads():
    """Whether a thread can start here. In a browser's Python and on some hosts none can."""
    try:
        threading.Thread(target=int).start()
    except RuntimeError:
        return False
    return True


def aside(work, *what):
    """Call work(*what) in a thread of its own, and return this thread. Where none can start, call
    it now, and return None. What it sets in a ContextVar is its own either way."""
    if not has_threads():
        contextvars.copy_context().run(work, *what)
        return None
    thread = threading.Thread(target=work, args=what, daemon=True)
    thread.start()
    return thread
