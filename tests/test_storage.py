"""A network in a file, and files that are not what they seem."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from conftest import ROOT, same, small

from nn import NeuralNetwork
from optimisers import nesterov
from storage import load, save

# --- There and back -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers, options",
    [
        ((784, 12, 10), {}),
        ((784, 12, 10), {"biases": True, "dtype": np.float64}),
        ((784, 10), {"output": "softmax", "loss": "cross-entropy"}),
        ((784, 9, 8, 10), {"hidden": "relu", "loss": "cross-entropy", "biases": True}),
    ],
)
def test_load_gives_back_what_was_saved(tmp_path, digits, layers, options):
    net, path = NeuralNetwork(layers, **options), tmp_path / "digits.npz"
    net.train(*digits, epochs=2, learning_rate=0.1, progress=False)
    save(net, path)
    loaded = load(path)
    assert same(net, loaded)
    names = ("layers", "hidden", "output", "loss_name", "dtype", "epoch")
    assert all(getattr(loaded, name) == getattr(net, name) for name in names)
    assert all(w.dtype == net.dtype for w in loaded.weights + loaded.biases)
    assert np.array_equal(loaded.outputs(digits[0]), net.outputs(digits[0]))
    assert np.array_equal(loaded.backquery(range(10)), net.backquery(range(10)))
    loaded.train(*digits, epochs=1, progress=False)
    assert loaded.epoch == 3
    assert [file.name for file in tmp_path.iterdir()] == ["digits.npz"]


def test_save_and_load_take_a_string_and_replace(tmp_path):
    path = str(tmp_path / "net")
    for seed in (1, 2):
        save(small(seed), path)
        assert same(load(path), small(seed))
    assert os.listdir(tmp_path) == ["net"]


def test_a_file_holds_the_network_and_nothing_else(tmp_path, digits):
    """No pictures, no velocities: what was saved after a training is as long as before."""
    net, path = small(biases=True), tmp_path / "net.npz"
    save(net, path)
    before = path.stat().st_size
    net.train(*digits, epochs=1, descend=nesterov(0.9), validation=digits, progress=False)
    save(net, path)
    assert abs(path.stat().st_size - before) < 100
    assert set(parts(path)) == {"options", "weights_0", "weights_1", "biases_0", "biases_1"}


def test_a_network_trained_on_one_picture_can_be_saved(digits, tmp_path):
    net = small()
    net.train(digits[0][:1], digits[1][:1], epochs=1, progress=False)
    save(net, tmp_path / "one.npz")
    assert same(load(tmp_path / "one.npz"), net)


def test_the_repositorys_network_is_what_save_would_write(tmp_path):
    """Without the canvas that earlier versions kept, so that it is half as large."""
    net = load(ROOT / "data" / "digits.npz")
    save(net, tmp_path / "digits.npz")
    assert parts(ROOT / "data" / "digits.npz").keys() == parts(tmp_path / "digits.npz").keys()
    assert same(load(tmp_path / "digits.npz"), net)


def test_a_file_of_an_earlier_version_with_its_canvas_is_read(saved):
    net = load(saved)
    np.savez(saved, **parts(saved), canvas=np.ones((81, 4), np.float32))
    assert same(load(saved), net)


# --- Whole or not at all --------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("function", ["np.savez", "os.replace", "os.fsync"])
def test_an_exception_while_saving_leaves_the_old_file(tmp_path, monkeypatch, error, function):
    path = tmp_path / "digits.npz"
    save(small(1), path)

    def failing(*args, **arrays):
        if function == "np.savez":
            args[0].write(b"half a file")
        raise error

    room = "storage" if function == "np.savez" else "files"
    monkeypatch.setattr(f"{room}.{function}", failing)
    with pytest.raises(type(error)):
        save(small(2), path)
    monkeypatch.undo()
    assert same(load(path), small(1))
    assert os.listdir(tmp_path) == ["digits.npz"]


KILLED = """
import os, signal, sys
import nn, storage

def half(file, **arrays):
    file.write(b"PK half a file")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

storage.np.savez = half
storage.save(nn.NeuralNetwork((784, 12, 10), seed=2), sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL")
def test_a_process_killed_while_saving_leaves_the_old_file(tmp_path):
    path = tmp_path / "digits.npz"
    save(small(1), path)
    before = path.read_bytes()
    child = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 2  # what it wrote of the new one
    assert same(load(path), small(1))
    assert os.listdir(tmp_path) == ["digits.npz"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        save(small(), tmp_path / "nowhere" / "digits.npz")
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert ".part" not in str(caught.value)


def test_saving_onto_a_link_writes_what_it_points_to(tmp_path):
    path, link = tmp_path / "digits.npz", tmp_path / "link.npz"
    save(small(1), path)
    link.symlink_to(path)
    save(small(2), link)
    assert link.is_symlink()
    assert same(load(path), small(2))


def with_nan(net):
    net.weights[0][3, 4] = np.nan


def with_inf(net):
    net.biases[1][0] = -np.inf


def of_another_shape(net):
    net.weights[1] = net.weights[1].T.copy()


def of_another_type(net):
    net.weights[0] = net.weights[0].astype(np.float64)


def of_half_precision(net):
    net.weights[:] = [w.astype(np.float16) for w in net.weights]
    net.biases[:] = [b.astype(np.float16) for b in net.biases]


def of_fewer_layers(net):
    net.weights.pop()


def of_more_biases(net):
    net.biases.append(np.zeros(10, np.float32))


def of_whole_numbers(net):
    net.weights[:] = [w.astype(int) for w in net.weights]
    net.biases[:] = [b.astype(int) for b in net.biases]


def of_complex_numbers(net):
    net.weights[:] = [w.astype(complex) for w in net.weights]
    net.biases[:] = [b.astype(complex) for b in net.biases]


def of_another_byte_order(net):
    net.weights[:] = [w.astype(">f4") for w in net.weights]
    net.biases[:] = [b.astype(">f4") for b in net.biases]


def of_objects(net):
    net.weights[0] = net.weights[0].astype(object)


def of_a_wrong_epoch(net):
    net.epoch = np.nan


def of_an_unknown_activation(net):
    net.hidden = "tanh"


def of_nothing_json_knows(net):
    net.hidden = len


@pytest.mark.parametrize(
    "spoil",
    [
        with_nan,
        with_inf,
        of_another_shape,
        of_another_type,
        of_half_precision,
        of_fewer_layers,
        of_more_biases,
        of_whole_numbers,
        of_complex_numbers,
        of_another_byte_order,
        of_objects,
        of_a_wrong_epoch,
        of_an_unknown_activation,
        of_nothing_json_knows,
    ],
)
def test_a_network_that_load_would_refuse_is_not_saved(tmp_path, spoil):
    path, net = tmp_path / "digits.npz", small(2, biases=True)
    save(small(1), path)
    before = path.stat()
    spoil(net)
    for target in (path, tmp_path / "new.npz"):
        with pytest.raises(ValueError, match="not saved to") as caught:
            save(net, target)
        assert str(target) in str(caught.value)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert same(load(path), small(1))
    assert os.listdir(tmp_path) == ["digits.npz"]


def test_a_network_too_deep_for_its_options_is_not_saved(tmp_path):
    """More of them than load is ready to read."""
    with pytest.raises(ValueError, match="not saved to .*too long"):
        save(NeuralNetwork([1] * 9000), tmp_path / "deep.npz")
    assert os.listdir(tmp_path) == []


def test_a_network_too_large_to_be_loaded_is_not_saved(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.MOST_BYTES", 30_000)
    with pytest.raises(ValueError, match="not saved to .*more than 30,000"):
        save(small(), tmp_path / "large.npz")
    assert os.listdir(tmp_path) == []


def test_an_epoch_may_be_a_number_of_numpys(tmp_path):
    net = small()
    net.epoch = np.float32(2.5)
    save(net, tmp_path / "digits.npz")
    assert load(tmp_path / "digits.npz").epoch == 2.5


def test_what_is_no_network_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match="net: expected a NeuralNetwork, got str"):
        save("digits", tmp_path / "digits.npz")


# --- Files that are refused -----------------------------------------------------------------------


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.npz")


def check_refused(path, match="is no network that storage.save wrote"):
    """load says so and names the file."""
    with pytest.raises(ValueError, match=match) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 300 and str(caught.value).isprintable()


def check_refused_at_once(path, match):
    """And has unpacked nothing: that takes neither time nor memory."""
    tracemalloc.start()
    begun = time.process_time()
    check_refused(path, match)
    seconds, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 1
    assert peak < 10_000_000


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "digits.npz"
    save(NeuralNetwork((4, 3, 2), biases=True), path)
    return path


def parts(path):
    with np.load(path) as archive:
        return dict(archive)


def options(path):
    return json.loads(str(parts(path)["options"]))


def matrix(*shape, dtype=np.float32, fill=0.5):
    return np.full(shape, fill, dtype)


def test_a_truncated_file_is_refused(saved):
    content = saved.read_bytes()
    for length in [*range(0, len(content), 37), *range(len(content) - 40, len(content))]:
        saved.write_bytes(content[:length])
        check_refused(saved)


def test_a_file_with_a_changed_byte_is_refused_or_the_same_network(saved):
    content, net = saved.read_bytes(), load(saved)
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 0xFF
        saved.write_bytes(changed)
        try:
            loaded = load(saved)
        except ValueError as error:
            assert str(saved) in str(error)
        else:
            assert same(loaded, net)


@pytest.mark.parametrize(
    "content",
    [b"", b"label,1x1,1x2\n5,0,0\n", np.random.default_rng(0).bytes(5000), b"PK\x03\x04" * 50],
    ids=["empty", "text", "random", "almost zip"],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, content):
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    check_refused(path)


class Hostile:
    """Unpickling it makes a file."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def test_code_in_a_file_is_never_run(tmp_path, saved):
    mark, path = tmp_path / "code was run", tmp_path / "hostile.npz"
    hostile = np.array([Hostile(mark)], dtype=object)
    path.write_bytes(pickle.dumps(Hostile(mark)))
    check_refused(path)
    with open(path, "wb") as file:
        np.save(file, hostile, allow_pickle=True)
    check_refused(path)
    for name in ("options", "weights_0", "biases_1", "extra"):
        np.savez(path, **(parts(saved) | {name: hostile}))
        check_refused(path)
    np.savez(path, **parts(saved), canvas=hostile)
    assert same(load(path), load(saved))  # what earlier versions kept there is left alone
    assert not mark.exists()
    np.load(path, allow_pickle=True)["canvas"]  # whereas this runs it: the file is hostile
    assert mark.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": matrix(2)},
        {"weights_2": matrix(2, 2)},
        {"weights_x": matrix(2, 2)},
        {"weights_0": matrix(4, 4)},
        {"weights_0": matrix(4)},
        {"weights_0": matrix(4, 3, 1)},
        {"weights_0": matrix(0, 3)},
        {"weights_0": matrix()},
        {"weights_1": matrix(2, 3)},
        {"biases_0": matrix(4)},
        {"biases_0": matrix(1, 3)},
        {"biases_0": matrix(1)},
        {"weights_0": matrix(4, 3, dtype=np.int64)},
        {"weights_0": matrix(4, 3, dtype=np.float64)},
        {"weights_0": matrix(4, 3, dtype=np.float16)},
        {"weights_0": matrix(4, 3, dtype=complex)},
        {"weights_0": matrix(4, 3, dtype=">f4")},
        {"weights_0": np.full((4, 3), "code")},
        {"biases_0": matrix(3, dtype=bool)},
        {"weights_0": matrix(4, 3, fill=np.nan)},
        {"weights_1": matrix(3, 2, fill=np.inf)},
        {"biases_1": matrix(2, fill=-np.inf)},
        {"options": "{}"},
        {"options": "[]"},
        {"options": "5"},
        {"options": "{'hidden'"},
        {"options": "[" * 20_000},
        {"options": "[" * 100_000},
        {"options": matrix(3)},
        {"options": np.array(["{}", "{}"])},
    ],
    ids=lambda changes: f"{changes!s:.50}",
)
def test_a_file_with_anything_unexpected_is_refused(saved, changes):
    np.savez(saved, **(parts(saved) | changes))
    check_refused(saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": "__import__('os')"},
        {"hidden": None},
        {"hidden": ["sigmoid"]},
        {"hidden": {"sigmoid": 1}},
        {"output": 7},
        {"output": "relu", "loss": "cross-entropy"},
        {"loss": "hinge"},
        {"layers": [4, 3]},
        {"layers": [4, 3, 2, 0]},
        {"layers": [4.0, 3, 2]},
        {"layers": "432"},
        {"layers": None},
        {"layers": [[4, 3, 2]]},
        {"biases": False},
        {"epoch": "many"},
        {"epoch": None},
        {"epoch": [1]},
        {"epoch": -1},
        {"epoch": float("nan")},
        {"epoch": float("inf")},
    ],
    ids=str,
)
def test_a_file_with_an_unknown_option_is_refused(saved, changes):
    np.savez(saved, **(parts(saved) | {"options": json.dumps(options(saved) | changes)}))
    check_refused(saved)


@pytest.mark.parametrize("missing", ["options", "weights_0", "weights_1", "biases_0", "biases_1"])
def test_a_file_in_which_something_is_missing_is_refused(saved, missing):
    arrays = parts(saved)
    del arrays[missing]
    np.savez(saved, **arrays)
    check_refused(saved)


def test_a_file_in_which_an_option_is_missing_is_refused(saved):
    arrays, found = parts(saved), options(saved)
    for missing in found:
        fewer = {name: value for name, value in found.items() if name != missing}
        np.savez(saved, **(arrays | {"options": json.dumps(fewer)}))
        check_refused(saved, missing)


# --- Small files that want much -------------------------------------------------------------------


def npy_header(shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return header.getvalue()


HUGE = [(10**7, 10**7), (10**5, 10**5), (2**63, 2**63), (-1, 3)]


@pytest.mark.parametrize("shape", HUGE, ids=str)
def test_an_extra_array_that_claims_to_be_huge_is_refused(saved, shape):
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("weights_2.npy", npy_header(shape) + b"\0" * 100)
    check_refused(saved)


def rewritten(path, contents, how=zipfile.ZIP_STORED):
    """The file anew, with these contents of members in place of its own or beside them."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()} | contents
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("shape", HUGE, ids=str)
@pytest.mark.parametrize("name", ["weights_0", "biases_1", "options"])
def test_an_array_that_claims_to_be_huge_is_refused(saved, shape, name):
    rewritten(saved, {f"{name}.npy": npy_header(shape) + b"\0" * 100})
    check_refused(saved)


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_is_packed_is_refused_at_once(saved, how):
    rewritten(saved, {}, how)
    check_refused_at_once(saved, "packed")


def test_a_bomb_is_refused_at_once(saved):
    """100 kB that unpack to 100 MB."""
    zeros = npy_header((5000, 5000)) + bytes(100_000_000)
    rewritten(saved, {"weights_0.npy": zeros}, zipfile.ZIP_DEFLATED)
    assert saved.stat().st_size < 200_000
    check_refused_at_once(saved, "packed")


def test_an_array_larger_than_the_options_announce_is_refused_at_once(saved):
    rewritten(saved, {"weights_0.npy": npy_header((4, 3)) + bytes(20_000_000)})
    check_refused_at_once(saved, "weights_0 is larger than")
    rewritten(saved, {"weights_0.npy": npy_header((2500, 2000)) + bytes(20_000_000)})
    check_refused_at_once(saved, "weights_0 is larger than")


def test_a_file_that_claims_to_unpack_to_gigabytes_is_refused_at_once(saved):
    original = saved.read_bytes()
    entry = -1
    for _ in range(5):  # each member in the zip's directory; an entry's field 24 is the size
        entry = original.index(b"PK\x01\x02", entry + 1)
        content = bytearray(original)
        content[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
        saved.write_bytes(content)
        check_refused_at_once(saved, "too long|larger than")


def test_options_of_a_million_layers_are_refused_at_once(saved):
    arrays, asked = parts(saved), options(saved)
    np.savez(saved, **(arrays | {"options": json.dumps(asked | {"layers": [1] * 1_000_000})}))
    check_refused_at_once(saved, "options are too long")


def test_a_file_of_gigabytes_is_refused_at_once(saved):
    content = saved.read_bytes()
    with open(saved, "wb") as file:
        file.seek(5_000_000_000)  # with a hole, it needs no room on the disk
        file.write(content)
    check_refused_at_once(saved, "more than 64,000,000")


def test_arrays_that_lie_in_each_other_are_refused_at_once(saved):
    """Each member's contents begin with the next member, so that all are nearly the whole file."""
    count, side = 100, 100
    asked = options(saved) | {"layers": [side] * (count + 1), "biases": False}
    np.savez(saved, options=json.dumps(asked), **{f"weights_{i}": 0 for i in range(count)})
    content = bytearray(saved.read_bytes()) + bytes(4 * side * side)
    end = content.rindex(b"PK\5\6")  # the directory comes last again
    start = content.index(b"PK\1\2")
    content = content[:start] + bytes(4 * side * side) + content[start : end + 22]
    start += 4 * side * side
    entry = content.index(b"PK\1\2")
    for _ in range(count):
        entry = content.index(b"PK\1\2", entry + 1)
        for field in (20, 24):  # its size, packed and unpacked
            content[entry + field : entry + field + 4] = (30_000).to_bytes(4, "little")
    content[-6:-2] = start.to_bytes(4, "little")
    saved.write_bytes(content)
    check_refused_at_once(saved, "larger than the file")


def test_many_members_are_refused_at_once(saved):
    rewritten(saved, {f"weights_{i}.npy": b"" for i in range(2, 2000)})
    check_refused_at_once(saved, "expected each array once")
    rewritten(saved, {f"{i}.npy": b"" for i in range(19_000)})
    check_refused(saved, "list of members is too long")


def test_a_member_twice_is_refused(saved):
    with zipfile.ZipFile(saved) as archive:
        content = archive.read("weights_0.npy")
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("weights_0.npy", content)
    check_refused(saved, "expected each array once")


def test_a_large_canvas_is_left_where_it_is(saved):
    net = load(saved)
    np.savez(saved, **parts(saved), canvas=np.ones((5000, 1000), np.float32))
    tracemalloc.start()
    assert same(load(saved), net)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_small_file_cannot_ask_for_a_large_network(saved):
    arrays = {"weights_0": matrix(1, 3000), "weights_1": matrix(1, 3000)}  # no (3000, 3000)
    asked = json.dumps(options(saved) | {"layers": [1, 3000, 3000], "biases": False})
    np.savez(saved, options=asked, **arrays)
    check_refused_at_once(saved, "shape")


# --- Names ----------------------------------------------------------------------------------------


def test_what_is_said_of_an_ugly_name_can_be_printed(tmp_path):
    ugly = tmp_path / ("\x1b[31m\n\u202e" + 200 * "x" + ".npz")
    ugly.write_bytes(b"no network")
    for refuse in (
        lambda: load(ugly),
        lambda: load(ugly.with_name(ugly.name + "2")),
        lambda: save(with_inf(net := small(biases=True)) or net, ugly),
        lambda: save(small(), ugly / "digits.npz"),
    ):
        with pytest.raises((ValueError, OSError)) as caught:
            refuse()
        said = str(caught.value)
        assert said.isprintable() and len(said) < 300 and "x" * 60 in said


@pytest.mark.parametrize("path", [None, 0, 3.5, ["digits.npz"], b"digits.npz"], ids=str)
def test_what_is_no_name_is_refused(path):
    for refuse in (lambda: save(small(), path), lambda: load(path)):
        with pytest.raises(TypeError, match="path: expected the name of a file, got"):
            refuse()


def test_a_folder_a_device_and_names_that_lead_nowhere_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(os.listdir(tmp_path))
    for name, kind, message in (
        ("folder", IsADirectoryError, "it is a folder or a device"),
        ("pipe", IsADirectoryError, "it is a folder or a device"),
        ("loop", OSError, "evels of symbolic links"),
        ("long" * 100, OSError, "name too long"),
        ("null\0", ValueError, "NUL in its name"),
    ):
        for done in ("written", "read"):
            with pytest.raises(kind, match=f"cannot be {done}: .*{message}") as caught:
                save(small(), tmp_path / name) if done == "written" else load(tmp_path / name)
            assert name[-50:].strip("\0") in str(caught.value) and len(str(caught.value)) < 300
    assert sorted(os.listdir(tmp_path)) == before
