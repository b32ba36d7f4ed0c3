"""One thread for the products, from wherever it is asked for."""

import contextvars
import itertools
import linecache
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import PATIENCE, ROOT, blas_threads, same, small
from threadpoolctl import threadpool_limits

import machine
from machine import one_thread
from nn import NeuralNetwork


@pytest.fixture
def before():
    """The limits, which must be the same at the test's end."""
    limits = blas_threads()
    assert limits, "no BLAS library was found"
    yield limits
    assert blas_threads() == limits


def in_a_thread(function, *args, **kwargs):
    """What the function returns in a fresh thread, or its exception."""
    found = []

    def run():
        try:
            found.append(function(*args, **kwargs))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def limited():
    """The limits within one_thread, seen from the same thread and from a fresh one."""
    with one_thread():
        return blas_threads(), in_a_thread(blas_threads)


def test_within_it_every_blas_has_one_thread_seen_from_any_thread(before):
    ones = [1] * len(before)
    assert limited() == (ones, ones)
    assert blas_threads() == before
    assert in_a_thread(limited) == (ones, ones)


def test_nested_the_outermost_gives_back(before):
    ones = [1] * len(before)
    with one_thread():
        with one_thread():
            assert in_a_thread(limited) == (ones, ones)
            assert blas_threads() == ones
        assert blas_threads() == ones


def test_an_exception_within_gives_back(before):
    for error in (ValueError, KeyboardInterrupt, GeneratorExit):
        with pytest.raises(error), one_thread():
            raise error
        assert blas_threads() == before


class InAThread:
    """Enters one_thread in a thread of its own, and leaves it when told."""

    def __init__(self):
        self.entered, self.leave, self.left, self.over = (threading.Event() for _ in range(4))
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.entered.wait(PATIENCE)

    def run(self):
        with one_thread():
            self.entered.set()
            self.leave.wait(PATIENCE)
        self.left.set()
        self.over.wait(PATIENCE)

    def end(self):
        self.leave.set()
        self.over.set()
        self.thread.join()


class Here:
    """The same in the thread of the test."""

    def __init__(self):
        self.limit = one_thread()
        self.limit.__enter__()

    def end(self):
        self.limit.__exit__(None, None, None)


def test_it_leaves_others_the_right_to_set_limits(before):
    """Since threadpoolctl 3.8 the first thread that sets one keeps it until it is taken back."""
    there = InAThread()
    there.leave.set()
    assert there.left.wait(PATIENCE)  # it has left one_thread and lives on
    with threadpool_limits(3, user_api="blas"):
        assert blas_threads() == [3] * len(before)
    there.end()


@pytest.mark.parametrize("leaving", [*itertools.permutations(range(3))], ids=str)
@pytest.mark.parametrize("first", [InAThread, Here])
def test_the_last_to_leave_gives_back_whoever_came_first(before, leaving, first):
    ones, inside = [1] * len(before), []
    for kind in (first, InAThread, InAThread):
        inside.append(kind())
        assert blas_threads() == in_a_thread(blas_threads) == ones
    for number in leaving[:-1]:
        inside[number].end()
        assert blas_threads() == in_a_thread(blas_threads) == ones
    inside[leaving[-1]].end()
    assert blas_threads() == before


def test_many_threads_at_once(before):
    """Each looks, within, whether the limit holds; and at the end all of them are gone."""
    ones, wrong = [1] * len(before), []

    def work():
        for _ in range(30):
            with one_thread():
                found = blas_threads()
                if found != ones:
                    wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_limit_that_the_main_thread_has_set_is_respected_and_no_hindrance(before):
    ones = [1] * len(before)
    with threadpool_limits(3, user_api="blas"):
        assert blas_threads() == [3] * len(before)
        assert in_a_thread(limited) == (ones, ones)  # as in a panel, whose training has a thread
        assert blas_threads() == [3] * len(before)
        assert limited() == (ones, ones)
        assert blas_threads() == [3] * len(before)
    assert blas_threads() == before
    assert in_a_thread(limited) == (ones, ones)


def test_nor_is_one_that_is_never_taken_back(before):
    ones = [1] * len(before)
    limit = threadpool_limits(3, user_api="blas")  # a bare call, as many notebooks have it
    try:
        for _ in range(2):
            assert in_a_thread(limited) == (ones, ones)
            assert limited() == (ones, ones)
            assert blas_threads() == in_a_thread(blas_threads) == [3] * len(before)
    finally:
        limit.restore_original_limits()


def test_a_limit_set_in_a_thread_that_lives_on_is_no_hindrance(before):
    ones, done = [1] * len(before), threading.Event()
    ready = threading.Event()

    def hold():
        with threadpool_limits(3, user_api="blas"):
            ready.set()
            assert done.wait(PATIENCE)

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(PATIENCE)
    assert limited() == in_a_thread(limited) == (ones, ones)
    done.set()
    thread.join()


def interrupted_at(number):
    """Enter and leave one_thread, with a KeyboardInterrupt at the line of machine.py that is
    reached as the number-th. What happened, in turn: "interrupt", "body" or both."""
    lines, happened = itertools.count(1), []

    def trace(frame, event, arg):
        if frame.f_code.co_filename != machine.__file__:
            return None
        # Python delivers no signal between the last line of a `with` and the release of its lock:
        # only a tracer gets in there.
        text = linecache.getline(machine.__file__, frame.f_lineno)
        releasing = "with _lock" in text and machine._lock.locked()
        if event == "line" and not releasing and next(lines) == number:
            happened.append("interrupt")
            raise KeyboardInterrupt
        return trace

    tracing = sys.gettrace()
    sys.settrace(trace)
    try:
        with one_thread():
            happened.append("body")
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(tracing)
    return happened


def test_an_interrupt_at_any_line_leaves_no_limit_behind(before):
    found = []
    while "interrupt" in (happened := interrupted_at(len(found) + 1)):
        if happened == ["interrupt"]:  # on the way in: at once as before
            assert blas_threads() == before
        with one_thread():
            assert blas_threads() == [1] * len(before)
        assert blas_threads() == before
        found.append(happened)
    assert found.count(["interrupt"]) > 10  # lines on the way in
    assert found.count(["body", "interrupt"]) > 5  # and out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no setitimer")
def test_interrupts_at_any_moment_leave_no_limit_behind(before):
    """As they really come: Ctrl-C, 300 times, some microseconds sooner or later."""
    rng, interrupted, armed = np.random.default_rng(0), 0, []

    def ring(*signal_and_frame):
        if armed:  # a bell that rings late, as in a process of many threads, is not heard
            raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, ring)
    try:
        for _ in range(300):
            try:
                armed.append(True)
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 2e-4))
                with one_thread():
                    pass
                armed.clear()
            except KeyboardInterrupt:
                armed.clear()
                interrupted += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            with one_thread():
                pass
            assert not machine._lock.locked()
            assert blas_threads() == before
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert interrupted > 10


# --- One thread, for trainings --------------------------------------------------------------------

KNOBS = {"epochs": 1, "rotations": (), "progress": False}


@pytest.fixture
def thousand(sample):
    return sample[0].images[:1000], sample[0].labels[:1000]


def hundred(batch_size, thousand):
    """Enough hidden nodes for BLAS to use several threads."""
    net = NeuralNetwork()
    net.train(*thousand, batch_size=batch_size, learning_rate=3.0, **KNOBS)
    return net


@pytest.mark.parametrize("batch_size", [32, 127, 128, 1000])
def test_a_training_in_a_fresh_thread_gives_the_same_weights(before, thousand, batch_size):
    main = hundred(batch_size, thousand)
    fresh = in_a_thread(hundred, batch_size, thousand)
    assert same(main, fresh)
    assert same(main, hundred(batch_size, thousand))


@pytest.mark.parametrize("count", [1, 3])
def test_how_many_threads_there_are_changes_no_bit(before, thousand, count):
    main = hundred(100, thousand)
    with threadpool_limits(count, user_api="blas"):
        assert same(main, hundred(100, thousand))
        assert same(main, in_a_thread(hundred, 100, thousand))


FIRST = """
import hashlib, sys, threading
sys.path.insert(0, "tests")
from conftest import blas_threads, mnist
from nn import NeuralNetwork

before, (train, _) = blas_threads(), mnist.load_sample()

def run():
    net, seen = NeuralNetwork(), []
    net.train(train.images[:1000], train.labels[:1000], learning_rate=3.0, epochs=1,
              callback=lambda measurement: seen.extend(blas_threads()), progress=False)
    assert set(seen) == {1}, seen
    assert blas_threads() == before
    print(hashlib.sha256(net.weights[0].tobytes() + net.weights[1].tobytes()).hexdigest())

def run_in_a_thread():
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

for where in sys.argv[1:]:
    {"here": run, "thread": run_in_a_thread}[where]()
"""


def test_the_first_training_of_a_process_may_be_in_any_thread():
    printed = [
        subprocess.run(
            [sys.executable, "-c", FIRST, *order],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for order in (["thread", "here", "thread"], ["here", "thread", "here"])
    ]
    assert len(printed[0]) == len(printed[1]) == 3
    assert len({*printed[0], *printed[1]}) == 1


def test_two_trainings_at_once_give_the_weights_of_one_alone(before, thousand):
    alone, found = hundred(32, thousand), []
    threads = [
        threading.Thread(target=lambda: found.append(hundred(32, thousand))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    found.append(hundred(32, thousand))  # and one here
    for thread in threads:
        thread.join()
    assert len(found) == 3 and all(same(alone, net) for net in found)


def test_trainings_in_two_threads_give_back_all_threads_to_blas(before, digits):
    knobs = {"rotations": (), "progress": False}
    threads = [
        threading.Thread(target=small().train, args=digits, kwargs={"epochs": n} | knobs)
        for n in (3, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blas_threads() == before


@pytest.mark.parametrize("batch_size", [32, None])
def test_training_has_one_thread_and_gives_the_others_back(before, digits, batch_size):
    seen = []
    with threadpool_limits(3, user_api="blas"):
        given = blas_threads()
        small().train(
            *digits,
            epochs=1,
            batch_size=batch_size,
            callback=lambda measurement: seen.extend(blas_threads()),
            progress=False,
        )
        assert blas_threads() == given == [3] * len(before)
    assert set(seen) == {1}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("hook", ["callback", "each_step", "augment"])
@pytest.mark.parametrize("progress", [False, True])
def test_a_training_that_ends_early_gives_the_threads_back(before, digits, error, hook, progress):
    def fail(*args):
        raise error

    for train in (small().train, lambda *a, **k: in_a_thread(small().train, *a, **k)):
        if progress and error is KeyboardInterrupt:
            train(*digits, **{hook: fail}, progress=progress)
        else:
            with pytest.raises(error):
                train(*digits, **{hook: fail}, progress=progress)
        assert blas_threads() == before


def test_a_training_whose_loss_is_no_number_gives_the_threads_back(before, digits):
    net = small(hidden="relu", output="relu", dtype=np.float64)
    with pytest.raises(ValueError, match="learning rate is too large"):
        net.train(*digits, learning_rate=1e100, progress=False)
    assert blas_threads() == before


# --- Threads, where there are some ----------------------------------------------------------------

who = contextvars.ContextVar("who", default="nobody")


@pytest.mark.parametrize("there", [True, False])
def test_work_is_done_aside_or_else_at_once(monkeypatch, there):
    def fail(thread):
        raise RuntimeError("can't start new thread")

    def work(name):
        who.set(name)
        done.append((name, threading.current_thread()))

    if not there:
        monkeypatch.setattr(threading.Thread, "start", fail)
    done = []
    thread = machine.aside(work, "somebody")
    assert machine.has_threads() == there
    if there:
        thread.join()
    else:
        assert thread is None
    assert done == [("somebody", thread or threading.current_thread())]
    assert who.get() == "nobody", "what work sets in a ContextVar stays with it"
