"""A tiny MNIST for the tests of reading and fetching: IDX files as MNIST's, with random digits, and
the CSVs they must become."""

import hashlib

import numpy as np

import mirrors
import mnist

COUNTS = {"t10k": 5, "train": 20}


def tiny_mnist():
    rng = np.random.default_rng(0)
    idx, csvs = {}, {}
    for name, (labels_file, images_file) in mnist.CSVS.items():
        n = COUNTS[labels_file.split("-")[0]]
        labels = rng.integers(0, 10, n).astype(np.uint8)
        images = rng.integers(0, 256, (n, 784)).astype(np.uint8)
        idx[labels_file] = np.array([2049, n], ">i4").tobytes() + labels.tobytes()
        idx[images_file] = np.array([2051, n, 28, 28], ">i4").tobytes() + images.tobytes()
        rows = np.column_stack([labels, images])
        csvs[name] = "".join(",".join(map(str, row)) + "\n" for row in rows.tolist()).encode()
    return idx, csvs


IDX, CSVS = tiny_mnist()


def pretend(monkeypatch):
    """The checksums of the tiny MNIST; no built-in mirrors; little patience; no folder of yours."""
    monkeypatch.setattr(mirrors, "SIZES", {name: len(data) for name, data in IDX.items()})
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in IDX.items()}
    monkeypatch.setattr(mirrors, "SHA256", sums)
    monkeypatch.setattr(mirrors, "PATIENCE", 1.0)
    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.delenv("MNIST_DIR", raising=False)


def is_sample(digits):
    return [len(part.labels) for part in digits] == [4000, 1000]


def csvs_in(folder):
    return {name: (folder / name).read_bytes() for name in CSVS}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def line(label="7", first="0", count=784):
    return ",".join([label, first] + ["255"] * (count - 1)) + "\n"
