"""One thread for the products, from wherever it is asked for, and files that appear whole."""

import errno
import itertools
import linecache
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import ROOT, blas_threads, same, small
from threadpoolctl import threadpool_limits

import machine
from machine import one_thread, sweep, written_whole
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


# --- One thread -----------------------------------------------------------------------------------


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
        assert self.entered.wait(10)

    def run(self):
        with one_thread():
            self.entered.set()
            self.leave.wait(10)
        self.left.set()
        self.over.wait(10)

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
    assert there.left.wait(10)  # it has left one_thread and lives on
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
            assert done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(10)
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


# --- Files that appear whole ----------------------------------------------------------------------


def write(path, content=b"new"):
    with written_whole(path) as file:
        file.write(content)


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    write(str(path))
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_the_name_is_taken_only_at_the_end(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        assert len(os.listdir(tmp_path)) == 2
    assert path.read_bytes() == b"new"


def test_a_relative_path_means_the_folder_one_is_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("file")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    folder = tmp_path / "nowhere"
    with pytest.raises(FileNotFoundError) as caught:
        write(folder / "digits.npz")
    assert str(folder) in str(caught.value) and "digits.npz" in str(caught.value)
    assert ".part" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_file_is_no_folder(tmp_path):
    write(tmp_path / "file", b"old")
    with pytest.raises(FileNotFoundError, match="no folder"):
        write(tmp_path / "file" / "digits.npz")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_of_that_name_stays(tmp_path):
    (tmp_path / "name").mkdir()
    with pytest.raises(IsADirectoryError, match="name cannot be written: it is a folder"):
        write(tmp_path / "name")
    assert os.listdir(tmp_path) == ["name"]


@pytest.mark.parametrize("old", [b"old", None], ids=["to a file", "to nothing yet"])
@pytest.mark.parametrize("kind", ["absolute", "relative", "of a link"])
def test_through_a_link_what_it_points_to_is_written(tmp_path, old, kind):
    there, link = tmp_path / "there", tmp_path / "link"
    there.mkdir()
    if old:
        write(there / "file", old)
    if kind == "of a link":
        (tmp_path / "middle").symlink_to(there / "file")
        link.symlink_to(tmp_path / "middle")
    else:
        link.symlink_to(there / "file" if kind == "absolute" else os.path.join("there", "file"))
    write(link)
    assert link.is_symlink()
    assert (there / "file").read_bytes() == link.read_bytes() == b"new"
    assert not (there / "file").is_symlink()
    assert os.listdir(there) == ["file"]


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there are no devices")
def test_a_device_is_not_replaced_by_a_file(monkeypatch):
    monkeypatch.setattr("machine.os.replace", None)  # whatever happens, not this
    with pytest.raises(IsADirectoryError, match="/dev/null cannot be written"):
        write("/dev/null")


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("where", ["inside", "os.fsync", "os.replace"])
@pytest.mark.parametrize("old", [b"old", None])
def test_an_exception_leaves_what_was_there(tmp_path, monkeypatch, error, where, old):
    path = tmp_path / "file"
    if old:
        write(path, old)

    def fail(*args):
        raise error

    if where != "inside":
        monkeypatch.setattr(f"machine.{where}", fail)
    with pytest.raises(type(error)), written_whole(path) as file:
        file.write(b"half")
        if where == "inside":
            fail()
    monkeypatch.undo()
    assert os.listdir(tmp_path) == (["file"] if old else [])
    if old:
        assert path.read_bytes() == old


KILLED = """
import os, signal, sys
from machine import written_whole

with written_whole(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_process_that_is_killed_leaves_what_was_there(tmp_path):
    write(tmp_path / "file", b"old")
    child = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "file"], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "file").read_bytes() == b"old"
    assert len(os.listdir(tmp_path)) == 2
    write(tmp_path / "file")  # what it left beside is swept
    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


WRITING = """
import sys
from machine import written_whole

with written_whole(sys.argv[1]) as file:
    print("writing", flush=True)
    sys.stdin.read()
    file.write(b"slow")
"""


@pytest.mark.skipif(not machine.fcntl, reason="files cannot be held")
def test_what_another_process_writes_is_not_swept(tmp_path):
    path = tmp_path / "file"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", WRITING, path], cwd=ROOT, **pipes) as child:
        assert child.stdout.readline() == b"writing\n"
        (part,) = os.listdir(tmp_path)
        sweep(path)
        write(path)
        assert sorted(os.listdir(tmp_path)) == ["file", part]
        assert path.read_bytes() == b"new"
        child.communicate()
    assert path.read_bytes() == b"slow"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not machine.fcntl, reason="files cannot be held")
def test_only_what_was_left_of_this_file_is_swept(tmp_path):
    left, others = f"file.{'0123456789abcdef' * 2}.part", f"other.{'0' * 32}.part"
    for name in (left, others, "file", "file.part", "file.backup.part", f"{left}.txt"):
        (tmp_path / name).write_bytes(b"something")
    (tmp_path / f"file.{'1' * 32}.part").mkdir()
    before = set(os.listdir(tmp_path))
    sweep(tmp_path / "file")
    assert before - set(os.listdir(tmp_path)) == {left}
    sweep(tmp_path / "nowhere" / "file")
    assert len(os.listdir(tmp_path)) == len(before) - 1


@pytest.mark.skipif(not machine.fcntl, reason="files cannot be held")
def test_a_new_file_that_is_swept_before_it_is_held_is_made_again(tmp_path, monkeypatch):
    hold, path, swept = machine._hold, tmp_path / "file", []

    def late(file, how=0):
        if not how and not swept:  # another process comes between
            swept.append(sweep(path))
        return hold(file, how)

    monkeypatch.setattr("machine._hold", late)
    write(path)
    assert swept
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_where_files_cannot_be_held_they_are_written_and_nothing_is_swept(tmp_path, monkeypatch):
    left = tmp_path / f"file.{'0' * 32}.part"
    left.write_bytes(b"half")
    monkeypatch.setattr("machine.fcntl", None)
    write(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == ["file", left.name]


def test_the_longest_names_can_be_written(tmp_path):
    for name in ("x" * 255, "é" * 127):
        write(tmp_path / name)
        write(tmp_path / name)
    assert len(os.listdir(tmp_path)) == 2


@pytest.mark.skipif(os.name == "nt", reason="other rights")
def test_rights_stay(tmp_path):
    path = tmp_path / "file"
    for rights in (0o600, 0o644, 0o400):
        write(path, b"old")
        path.chmod(rights)
        with written_whole(path) as file:
            assert os.fstat(file.fileno()).st_mode & 0o777 == rights  # nobody reads it meanwhile
            file.write(b"new")
        assert path.stat().st_mode & 0o777 == rights


FULL = """
import resource, sys
from machine import written_whole

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # as on a full disk
try:
    with written_whole(sys.argv[1]) as file:
        file.write(bytes(100_000))
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no such limits")
def test_a_disk_without_room_is_said_in_a_sentence(tmp_path):
    path = tmp_path / "file"
    write(path, b"old")
    child = subprocess.run([sys.executable, "-c", FULL, path], cwd=ROOT, capture_output=True)
    assert child.stdout.decode().strip() == f"{path} cannot be written: File too large."
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_errors_of_the_system_keep_their_kind(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError(errno.EACCES, "Permission denied", "something.part")

    monkeypatch.setattr("machine.os.fsync", fail)
    with pytest.raises(PermissionError) as caught:
        write(tmp_path / "file")
    assert str(caught.value) == f"{tmp_path / 'file'} cannot be written: Permission denied."


def test_two_at_once_do_not_mix(tmp_path):
    path = tmp_path / "file"
    with written_whole(path) as one:
        one.write(b"one")
        write(path, b"two")
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["file"]
