"""MNIST's handwritten digits: find, fetch, check and read them.

    train, test = mnist.load()           # 60,000 and 10,000 digits, or a small sample
    mine = mnist.read("my_digits.csv")   # any CSV of the same form

A digit is a row of 784 bytes: 28 rows of 28 pixels, 0 = background, 255 = ink.
Nothing is scaled to 0..1, turned or distorted here; that is nn.py's part.
handwriting.py prepares a picture of your own.

Source of the digits: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied
to Document Recognition", Proceedings of the IEEE, 1998.
"""

import contextlib
import gzip
import hashlib
import os
import re
import threading
import time
import warnings
import zlib
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from machine import written_whole

HERE = Path(__file__).resolve().parent
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
# Each CSV is made of two files. Smallest first: without a network, 10 kB are enough to know it.
CSVS = {
    "mnist_test.csv": ("t10k-labels-idx1-ubyte", "t10k-images-idx3-ubyte"),
    "mnist_train.csv": ("train-labels-idx1-ubyte", "train-images-idx3-ubyte"),
}
# Bytes and SHA-256 of what is inside the .gz: the wrapper may differ from mirror to mirror.
SIZES = {
    "t10k-labels-idx1-ubyte": 10_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "train-labels-idx1-ubyte": 60_008,
    "train-images-idx3-ubyte": 47_040_016,
}
SHA256 = {
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
}
PATIENCE = 4.0  # seconds in which a mirror must send CHUNK more bytes, or the rest of its file
CHUNK = 2**15  # bytes; 8 kB a second is the slowest mirror we wait for
STALE = 3600  # seconds; a .part file older than this was left by a killed process
FORM = (
    "Each line must be one digit: 785 whole numbers, the label (0 to 9) and 784 pixels (0 to 255). "
    "Where mnist.load() stumbles over a file, move it away, and MNIST is fetched again."
)


class Digits(NamedTuple):
    images: np.ndarray  # (n, 784) uint8, 0 = background, 255 = ink
    labels: np.ndarray  # (n,) int64, 0..9
    source: str  # in words: what was loaded, and from where


def load(directory="data"):
    """Return MNIST as (train, test), each `Digits`: the full set, or else the sample.

    Looks in `directory` for mnist_train.csv and mnist_test.csv (or the same with .gz). What is
    missing is fetched (11.6 MB) and written there. If that fails, a printed sentence says why,
    and you get the sample of this repository: 4,000 and 1,000 digits.
    A CSV that is there is never overwritten.

    "data" is the folder beside mnist.py, wherever your notebook lies, or the one that the
    environment variable MNIST_DIR names. Any other `directory` is used as it is.
    MNIST_MIRRORS names other mirrors, with commas between; if it is empty, nothing is fetched.

    Raises ValueError, with file and line, if a CSV does not hold digits.
    """
    if str(directory) == "data":
        directory = os.environ.get("MNIST_DIR") or HERE / "data"
    directory = Path(directory)
    missing = [name for name in CSVS if not _find(directory, name)]
    if missing:
        try:
            _fetch(directory, missing)
        except OSError as error:
            # Both from the sample, never one of each: all of it is in full MNIST's training set.
            reason = f"{_shown(directory / missing[0])}: {error.strerror or error}"
            print(
                f"Full MNIST could not be had ({reason}). This is the sample instead: 4,000 digits "
                "to train and 1,000 to test. A network learns about 95 % from them; from full "
                "MNIST it learns about 98 %."
            )
            return load_sample()
    return tuple(read(_find(directory, f"mnist_{part}.csv")) for part in ("train", "test"))


def load_sample():
    """Return the digits that the repository ships as (train, test): 4,000 and 1,000, each `Digits`.

    All 5,000 are from MNIST's training set: an accuracy on them is none on MNIST.
    """
    parts = (read(HERE / "data" / f"sample_{part}.csv.gz") for part in ("train", "test"))
    what = "digits of the small MNIST sample,"
    return tuple(part._replace(source=part.source.replace("digits", what, 1)) for part in parts)


def _find(directory, name):
    """The path of a CSV, plain or gzip, or None."""
    paths = (directory / name, directory / f"{name}.gz")
    return next((path for path in paths if path.exists()), None)


def _shown(path):
    """A path to print: inside the repository, from its root."""
    return path.relative_to(HERE) if path.is_relative_to(HERE) else path


# --- Reading a CSV --------------------------------------------------------------------------------

_strict = threading.Lock()


def read(path):
    """Return the `Digits` of a CSV, plain or .gz, with label,p0,...,p783 on each line. A first line
    of names, as label,pixel0,..., is skipped, and so are blank lines.

    Raises ValueError, with file and line, if the CSV does not hold digits, and FileNotFoundError.
    """
    path = Path(path)
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors="replace") as file:
            images, labels = _parse(file)
    except ValueError as error:
        raise ValueError(f"{_shown(path)}, {error}. {FORM}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{_shown(path)} is no gzip file, or cut ({error}). {FORM}") from None
    return Digits(images, labels, f"{len(labels):,} digits from {_shown(path)}")


def _parse(file):
    """Return images (n, 784) uint8 and labels (n,) int64. Raises ValueError with the line."""
    numbers = []  # of the lines that hold a digit; the last one is where loadtxt is

    def digits():
        for number, line in enumerate(file, 1):
            if line.isspace() or (number == 1 and _is_header(line)):
                continue
            numbers.append(number)
            if line.count(",") != 784:
                raise ValueError(f"{line.count(',') + 1} values with commas between, not 785")
            yield line

    labels, pixels, lines = bytearray(), bytearray(), digits()
    try:
        # NumPy before 2.3 reads 12.5 as 12 and 256 as 0, and only warns: here that is an error. The
        # filters of warnings are those of the whole process, so one thread at a time.
        with _strict, warnings.catch_warnings():
            warnings.filterwarnings("error", "loadtxt", DeprecationWarning)
            for line in lines:  # 1,000 at a time, so that memory stays small
                block = chain([line], islice(lines, 999))
                rows = np.loadtxt(block, np.uint8, delimiter=",", comments=None, ndmin=2)
                labels += rows[:, 0].tobytes()  # rows (1000, 785), in the last block fewer
                pixels += rows[:, 1:].tobytes()
    except ValueError as error:
        said = re.sub(r" at row \d+|\.$", "", str(error))  # it counts rows within the block
        raise ValueError(f"line {numbers[-1]}: {said}") from None
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 784)  # (n, 784)
    labels = np.frombuffer(labels, np.uint8).astype(np.int64)  # (n,)
    if not labels.size:
        raise ValueError("no line: there is no digit in it")
    if labels.max() > 9:
        first = np.argmax(labels > 9)
        raise ValueError(f"line {numbers[first]}: the label is {labels[first]}")
    return images, labels


def _is_header(line):
    """785 names, all different: never a digit, whose 784 pixels have 256 values at most."""
    names = line.split(",")
    return len(names) == len(set(names)) == 785 and line.lstrip(" '\"")[:1].isalpha()


# --- Fetching -------------------------------------------------------------------------------------


def _fetch(directory, names):
    """Fetch MNIST and write the CSVs `names` into `directory`. Raises OSError if that fails."""
    from tqdm.auto import tqdm  # here, since most runs fetch nothing

    mirrors = os.environ.get("MNIST_MIRRORS", ",".join(MIRRORS)).split(",")
    mirrors = [mirror.strip().rstrip("/") + "/" for mirror in mirrors if mirror.strip()]
    if not mirrors:
        raise OSError("MNIST_MIRRORS is empty")

    directory.mkdir(parents=True, exist_ok=True)
    for part in directory.glob("mnist_*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()
    text = [str(value).encode() for value in range(256)]
    with tqdm(desc="Fetching MNIST", unit="B", unit_scale=True, leave=False) as bar:
        for name in names:
            with contextlib.suppress(FileExistsError), written_whole(directory / name) as file:
                labels, images = (_content(item, mirrors, bar) for item in CSVS[name])
                # IDX: after 8 bytes the labels, after 16 bytes the pixels, 784 a digit.
                for n, label in enumerate(labels[8:]):
                    pixels = images[16 + 784 * n : 16 + 784 * (n + 1)]
                    file.write(b"%d,%b\n" % (label, b",".join([text[p] for p in pixels])))
                if (directory / name).exists():  # another notebook was faster, or it is yours
                    raise FileExistsError
    print("Fetched MNIST:", *(_shown(directory / name) for name in names))


def _content(item, mirrors, bar):
    """The unpacked content of a file, from the first mirror that sends it whole and right.

    A mirror that fails goes to the end of the list `mirrors`, so the next file asks it last.
    """
    failures = []
    for mirror in list(mirrors):
        try:
            packed = _download(f"{mirror}{item}.gz", SIZES[item] + CHUNK, bar)
            # Never unpack more than there should be: a few bytes can unpack to gigabytes.
            content = zlib.decompressobj(wbits=31).decompress(packed, SIZES[item] + 1)
            if hashlib.sha256(content).hexdigest() != SHA256[item]:
                raise ValueError("wrong content")
            return content
        except Exception as error:  # whatever a mirror does wrong, the next one has its turn
            reason = str(error) if len(str(error)) < 40 else type(error).__name__
            failures.append(f"{urlsplit(mirror).netloc}: {reason}")
            mirrors.append(mirrors.pop(0))
    raise OSError("no mirror sent it (" + "; ".join(failures) + ")")


def _download(url, largest, bar):
    """The bytes at `url`. Raises an exception if they are more than `largest`, or come too slowly.

    A mirror that sends a byte now and then, or a name with many dead addresses, outlasts the
    time-outs of a connection. So the download has a thread of its own, and here we watch it.
    """
    import requests

    received, failures, given_up = bytearray(), [], threading.Event()

    def work():
        try:
            with requests.get(url, stream=True, timeout=PATIENCE) as response:
                response.raise_for_status()
                for piece in response.iter_content(1024):
                    received.extend(piece)
                    if given_up.is_set() or len(received) > largest:
                        raise OSError("not wanted any more, or too long")
                    bar.update(len(piece))
        except Exception as error:
            failures.append(error)

    thread, size = threading.Thread(target=work, daemon=True), 0
    thread.start()
    try:
        while thread.is_alive():
            thread.join(PATIENCE)
            if thread.is_alive() and len(received) < size + CHUNK:
                raise TimeoutError("no answer, or too slow")
            size = len(received)
    finally:
        given_up.set()
    if failures:
        raise failures[0]
    return bytes(received)
