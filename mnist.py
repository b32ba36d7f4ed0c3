"""MNIST's handwritten digits: find them, have them fetched, and read them.

    train, test = mnist.load()           # 60,000 and 10,000 digits, or a small sample
    mine = mnist.read("my_digits.csv")   # any CSV of the same form

A digit is a row of 784 bytes: 28 rows of 28 pixels, 0 = background, 255 = ink.
Nothing is scaled to 0..1, turned or distorted here; that is nn.py's part.
mirrors.py fetches, digit_csv.py reads a CSV, handwriting.py prepares a picture of your own.

Source of the digits: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied
to Document Recognition", Proceedings of the IEEE, 1998.
"""

import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

import digit_csv
import mirrors
from files import printed, written_whole

HERE = Path(__file__).resolve().parent
# Each CSV is made of two files. Smallest first: without a network, 10 kB are enough to know it.
CSVS = {
    "mnist_test.csv": ("t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte"),
    "mnist_train.csv": ("train-labels-idx1-ubyte", "train-images-idx3-ubyte"),
}
FORM = {
    True: "Each line must be 785 whole numbers: the label (0 to 9) and 784 pixels (0 to 255).",
    False: "Each line must be 784 whole numbers: pixels (0 to 255).",
}
UPRIGHT = "images.reshape(-1, 28, 28).transpose(0, 2, 1).reshape(-1, 784)"


class Digits(NamedTuple):
    images: np.ndarray  # (n, 784) uint8, 0 = background, 255 = ink
    labels: np.ndarray | None  # (n,) int64, 0..9; None where they were read without
    source: str  # in words: what was loaded, and from where


def load(directory="data"):
    """Return MNIST as (train, test), each `Digits`: the full set, or else the sample.

    Looks in `directory` for mnist_train.csv and mnist_test.csv (or the same with .gz or .zip), then
    for MNIST's original files, also as torchvision and Keras keep them. What is missing is fetched
    (11.6 MB) and written there as CSV. If that fails, a printed sentence says why, and you get the
    sample of this repository: 4,000 and 1,000 digits. A CSV that is there is never overwritten.

    "data" is the folder beside mnist.py, wherever your notebook lies, or the one that the
    environment variable MNIST_DIR names. Any other `directory` is used as it is; ~ is your home.
    MNIST_MIRRORS names other mirrors, with commas between; if it is empty, nothing is fetched.

    Raises ValueError, with file and line, if a CSV does not hold digits, and OSError if it is there
    and cannot be read.
    """
    if Path(directory) == Path("data"):  # also "./data" and "data/"
        directory = os.environ.get("MNIST_DIR") or HERE / "data"
    directory, found = Path(os.path.expanduser(directory)), {}
    try:
        found |= {name: _find(directory, name) for name in CSVS}
        missing = [name for name in CSVS if not found[name]]
        _fetch(directory, missing)
    except (OSError, ValueError) as error:  # ValueError: a name that no folder can have
        # Both from the sample, never one of each: all of it is in full MNIST's training set.
        left = [f"Your {name} is left aside. " for name in CSVS if found.get(name)]
        path = directory / next(name for name in CSVS if not found.get(name))
        reason = str(error).rstrip(".")
        if getattr(error, "errno", None) or isinstance(error, ValueError):  # of a file or folder
            reason = f"{_shown(path)}: {getattr(error, 'strerror', None) or reason}"
        elif "cannot be" not in reason:  # of the mirrors
            reason = f"{path.name}: {reason}"
        print(
            f"Full MNIST could not be had ({printed(reason):.140}). {''.join(left)}Here is the "
            "sample: a network learns about 95 % from its 4,000 digits, 98 % from MNIST."
        )
        return load_sample()
    parts = (found[name] or directory / name for name in ("mnist_train.csv", "mnist_test.csv"))
    return tuple(part if isinstance(part, Digits) else _own(part) for part in parts)


def load_sample():
    """Return the digits that the repository ships as (train, test): 4,000 and 1,000, each `Digits`.

    All 5,000 are from MNIST's training set: an accuracy on them is none on MNIST.
    """
    parts = (read(HERE / "data" / f"sample_{part}.csv.gz") for part in ("train", "test"))
    what = "digits of the small MNIST sample,"
    return tuple(part._replace(source=part.source.replace("digits", what, 1)) for part in parts)


def read(path, labels=True):
    """Return the `Digits` of a CSV: 785 whole numbers a line, the label and 784 pixels. Without
    `labels`, 784 pixels a line, as in Kaggle's test.csv.

    A first line may name the columns; the label is the first of them, or the one that is called
    label or class. The CSV may be packed as .gz or .zip. EMNIST's images lie on their side: turn
    them with images.reshape(-1, 28, 28).transpose(0, 2, 1).reshape(-1, 784).

    Raises ValueError, with file and line, if that is not what is in it, and OSError if the file
    cannot be read, FileNotFoundError if there is none.
    """
    path = Path(path)
    try:
        with digit_csv.opened(path) as file:
            images, found = digit_csv.parse(file, labels)
    except ValueError as error:
        raise ValueError(f"{_shown(path)}, {error}. {FORM[labels]}") from None
    except OSError as error:
        raise type(error)(f"{_shown(path)} cannot be read: {error.strerror or error}.") from None
    if "emnist" in path.name.lower():
        warnings.warn(f"EMNIST's images lie on their side: turn them, {UPRIGHT}", stacklevel=2)
    return Digits(images, found, f"{len(images):,} digits from {_shown(path)}")


def _own(path):
    """A CSV where MNIST should be."""
    try:
        return read(path)
    except (OSError, ValueError) as error:
        message = f"{error} Move it away, and MNIST is fetched again."
        raise type(error)(message) from None


def _shown(path):
    """A path to print: inside the repository, from its root; of a long one the end."""
    text = printed(path.relative_to(HERE) if path.is_relative_to(HERE) else path)
    return text if len(text) <= 70 else f"...{text[-67:]}"


# --- What is there, and what is fetched -----------------------------------------------------------


def _find(directory, name):
    """What there is of a CSV: its path, plain or packed, or the `Digits` of the original files that
    it is made of, or None."""
    for path in (directory / name, directory / f"{name}.gz", directory / f"{name}.zip"):
        if path.exists():
            return path
    contents = []
    for item in CSVS[name]:
        content, path = _original(directory, item)
        if not content:
            return None
        contents.append(content)
    labels, pixels = map(_bytes_of, contents)
    images = pixels.reshape(-1, 784).copy()  # (n, 784)
    source = f"{len(labels):,} digits from {_shown(path)}"
    return Digits(images, labels.astype(np.int64), source)


def _bytes_of(content):
    """What is in an IDX file after its header: 8 bytes of it before labels, 16 before pixels."""
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])


def _original(directory, item):
    """One of MNIST's four files that lies in a folder, under any of its usual names, and its path.
    It is known by its content: Fashion-MNIST's files, for one, have the same names."""
    folders = (directory, directory / "MNIST" / "raw")  # the second is torchvision's
    names = (item, f"{item}.gz", item.replace("-idx", ".idx"), item.replace("-idx", ".idx") + ".gz")
    for path in (*(folder / name for folder in folders for name in names), directory / "mnist.npz"):
        if not path.is_file():
            continue
        try:
            return mirrors.checked(item, _packed(path, item)), path
        except Exception as error:  # damaged in any way, or another's: then MNIST's is fetched
            reason = error if isinstance(error, mirrors.Fault) else type(error).__name__
            print(f"{_shown(path)} is left aside, as it is not MNIST's ({reason}).")
    return None, None


def _packed(path, item):
    """What is in a file of that name, up to the size that MNIST's has. Keras's mnist.npz has all
    four as arrays; they get the header back that they had as a file."""
    if path.suffix != ".npz":
        with open(path, "rb") as file:
            return file.read(mirrors.SIZES[item] + mirrors.CHUNK)
    key = ("y_" if "labels" in item else "x_") + ("train" if "train" in item else "test")
    with np.load(path, allow_pickle=False) as arrays:  # nothing in it is run
        if arrays.zip.getinfo(f"{key}.npy").file_size > mirrors.SIZES[item] + mirrors.CHUNK:
            raise mirrors.Fault("too large")
        array = arrays[key]
    return np.array([2048 + array.ndim, *array.shape], ">i4").tobytes() + array.tobytes()


def _fetch(directory, names):
    """Fetch MNIST and write the CSVs `names` into `directory`. Raises OSError if that fails."""
    if not names:
        return
    from progress import Bar  # here, since most runs fetch nothing

    asked = mirrors.addresses()
    if not asked:
        raise OSError("MNIST_MIRRORS is empty")
    with suppress(FileExistsError):  # if that is no folder, written_whole says so
        directory.mkdir(parents=True)
    text = [str(value).encode() for value in range(256)]
    with Bar(desc="Fetching MNIST", unit="B", unit_scale=True, leave=False) as bar:
        for name in names:
            with suppress(FileExistsError), written_whole(directory / name) as file:
                contents = [mirrors.content(item, asked, bar.update) for item in CSVS[name]]
                labels, pixels = map(_bytes_of, contents)
                for label, row in zip(labels, pixels.reshape(-1, 784), strict=True):
                    file.write(b"%d,%b\n" % (label, b",".join([text[p] for p in bytes(row)])))
                if (directory / name).exists():  # another notebook was faster, or it is yours
                    raise FileExistsError
    print("Fetched MNIST:", *(_shown(directory / name) for name in names))
