"""MNIST's handwritten digits: find, fetch, check and read them; prepare a picture of your own.

    train, test = mnist.load()                  # 60,000 and 10,000 digits, or a small sample
    image = mnist.from_picture("my_seven.png")  # your handwriting, prepared as MNIST's was

A digit is a row of 784 bytes: 28 rows of 28 pixels, 0 = background, 255 = ink.
Nothing is scaled to 0..1, turned or distorted here; that is nn.py's part.

Source of the digits and of their preparation: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner,
"Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE, 1998.
"""

import contextlib
import csv
import gzip
import hashlib
import os
import threading
import time
import uuid
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pooch
from PIL import Image, ImageOps
from scipy import ndimage
from tqdm.auto import tqdm

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
ADVICE = (
    "Each line must be one digit: 785 whole numbers, the label (0 to 9) and 784 pixels (0 to 255). "
    "Move the file away, and MNIST is fetched again."
)
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
# Width of a stroke in pixels of the 20 x 20 box: measured on 5,000 digits of the training set
# (as in _stroke_like_mnist, enlarged five times) 2.5 in the middle, and 1.7 to 4.0 in 90 % of them.
STROKE = (2.5, 4.0)
BLANK = (
    "there is (nearly) nothing on it. Draw one digit, large and with a strong pen, "
    "or cut the picture so that the digit fills more of it."
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
    return tuple(_digits(_find(directory, f"mnist_{part}.csv")) for part in ("train", "test"))


def load_sample():
    """Return the digits that the repository ships as (train, test): 4,000 and 1,000, each `Digits`.

    All 5,000 are from MNIST's training set: an accuracy on them is none on MNIST.
    """
    parts = (HERE / "data" / f"sample_{part}.csv.gz" for part in ("train", "test"))
    return tuple(_digits(path, "of the small MNIST sample, ") for path in parts)


def _digits(path, of=""):
    images, labels = _read(path)
    return Digits(images, labels, f"{len(labels):,} digits {of}from {_shown(path)}")


def _find(directory, name):
    """The path of a CSV, plain or gzip, or None."""
    paths = (directory / name, directory / f"{name}.gz")
    return next((path for path in paths if path.exists()), None)


def _shown(path):
    """A path to print: inside the repository, from its root."""
    return path.relative_to(HERE) if path.is_relative_to(HERE) else path


# Reading a CSV


def _read(path):
    """Return images (n, 784) uint8 and labels (n,) int64 of a CSV, label,p0,...,p783 on each line.

    A header line is skipped. Raises ValueError that names file and line.
    """
    try:
        try:
            return _parse(path)
        except (ValueError, OverflowError):
            raise ValueError(f"{_shown(path)}, {_what_is_wrong(path)} {ADVICE}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{_shown(path)} is no gzip file, or cut ({error}). {ADVICE}") from None


def _parse(path):
    with _open(path) as file:
        header = _is_header(file.readline(10_000))
    # 1,000 lines at a time, so that memory stays small. No dtype is asked for: pandas would turn
    # True into 1, and it is up to its version whether 256 becomes 0 in a column of uint8.
    blocks = pd.read_csv(
        path,
        header=None,
        skiprows=int(header),
        chunksize=1000,
        na_filter=False,
        low_memory=False,
        quoting=csv.QUOTE_NONE,
        encoding_errors="replace",
    )
    labels, pixels = bytearray(), bytearray()
    with blocks:
        for block in blocks:
            values = block.to_numpy()  # (1000, 785), the last one shorter
            if values.shape[1] != 785 or values.dtype != np.int64:
                raise ValueError
            if values.min() < 0 or values.max() > 255 or values[:, 0].max() > 9:
                raise ValueError
            labels += values[:, 0].astype(np.uint8).tobytes()
            pixels += values[:, 1:].astype(np.uint8).tobytes()
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 784)  # (n, 784)
    return images, np.frombuffer(labels, np.uint8).astype(np.int64)  # (n,)


def _open(path):
    opener = gzip.open if path.suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig", errors="replace")


def _is_header(line):
    """As in label,pixel0,...: 785 names."""
    return line.count(",") == 784 and line.lstrip(" '\"")[:1].isalpha()


def _what_is_wrong(path):
    """Go line by line through a CSV that _parse refused: slow, but it can say what and where."""
    usual = {str(value) for value in range(256)}
    with _open(path) as file:
        number = 0
        for number, line in enumerate(file, 1):
            values = line.rstrip("\n").split(",")
            if values == [""] or (number == 1 and _is_header(line)):
                continue
            if len(values) != 785:
                return f"line {number}: {len(values)} values with commas between."
            if not _is_whole(values[0], 9):
                return f"line {number}: the label is {values[0][:20]!r}."
            for position, value in enumerate(values[1:]):
                if value not in usual and not _is_whole(value, 255):
                    return f"line {number}: pixel {position} is {value[:20]!r}."
    return f"{number} lines: there is no digit, or some number is not written plainly."


def _is_whole(text, largest):
    with contextlib.suppress(ValueError):
        return 0 <= int(text) <= largest
    return False


# Fetching


def _fetch(directory, names):
    """Fetch MNIST and write the CSVs `names` into `directory`. Raises OSError if that fails."""
    mirrors = MIRRORS
    if "MNIST_MIRRORS" in os.environ:
        mirrors = os.environ["MNIST_MIRRORS"].split(",")
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
            with _written_whole(directory / name) as file:
                labels, images = (_content(item, mirrors, bar) for item in CSVS[name])
                # IDX: after 8 bytes the labels, after 16 bytes the pixels, 784 a digit.
                for n, label in enumerate(labels[8:]):
                    pixels = images[16 + 784 * n : 16 + 784 * (n + 1)]
                    file.write(b"%d,%b\n" % (label, b",".join([text[p] for p in pixels])))
    print("Fetched MNIST:", *(_shown(directory / name) for name in names))


@contextlib.contextmanager
def _written_whole(path):
    """A file to write, which takes its name when all is on the disk, or vanishes."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():  # another notebook may have been faster
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


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
            mirrors.remove(mirror)
            mirrors.append(mirror)
    raise OSError("no mirror sent it (" + "; ".join(failures) + ")")


def _download(url, largest, bar):
    """The bytes at `url`. Raises an exception if they are more than `largest`, or come too slowly.

    A mirror that sends a byte now and then, or a name with many dead addresses, outlasts the
    time-outs of a connection. So the download has a thread of its own, and here we watch it.
    """
    received, failures = _Received(largest), []

    def work():
        try:
            pooch.HTTPDownloader(chunk_size=CHUNK, timeout=PATIENCE)(url, received, None)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        shown, goal, deadline = 0, CHUNK, time.monotonic() + PATIENCE
        while thread.is_alive():
            thread.join(0.1)
            size = len(received.data)
            bar.update(size - shown)
            shown = size
            if size >= goal:
                goal, deadline = size + CHUNK, time.monotonic() + PATIENCE
            elif time.monotonic() > deadline and thread.is_alive():
                raise TimeoutError("no answer, or too slow")
    finally:
        received.wanted = False
    if failures:
        raise failures[0]
    return bytes(received.data)


class _Received:
    """The file that a download writes into; it can be watched, and ended."""

    def __init__(self, largest):
        self.data, self.largest, self.wanted = bytearray(), largest, True

    def write(self, chunk):
        if not self.wanted or len(self.data) + len(chunk) > self.largest:
            raise OSError("not wanted any more, or too long")
        self.data += chunk

    def flush(self):
        pass


# A picture of your own


def from_picture(path):
    """Return the digit of a photo or drawing as an image (784,) uint8, prepared as MNIST's were.

    One digit on plain paper, of any size and colour, dark on light or light on dark; PNG, JPEG,
    GIF, BMP, TIFF, WebP or PPM, also with transparency. See `prepare` for what is done to it.

    Raises FileNotFoundError, and ValueError if it is no picture or there is no digit on it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                grey = _grey(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no picture {path} (looked in {Path.cwd()}). Check its name and its folder."
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(
            f"{path} has too many pixels. Cut the digit out, or save the picture smaller."
        ) from None
    except Exception as error:  # a broken picture may raise anything
        raise ValueError(
            f"{path} cannot be read as a picture ({error}). Save it as PNG or JPEG."
        ) from None
    try:
        return prepare(grey)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _grey(picture):
    """The grey values of a picture, 0..255, (height, width) float32."""
    if picture.mode.startswith("I"):  # 16 bits
        return np.asarray(picture, np.float32) / 257
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("L"), np.float32)
    picture = picture.convert("RGBA")
    alpha = np.asarray(picture.getchannel("A"), np.float32) / 255
    grey = np.asarray(picture.convert("L"), np.float32)
    seen = grey[alpha > 0.5]
    if seen.size > alpha.size / 5 and np.ptp(seen) > 64:
        backing = np.median(seen)  # paper and ink, cut out
    else:
        backing = 255 if seen.sum() < 128 * seen.size else 0  # ink alone
    return grey * alpha + backing * (1 - alpha)


def prepare(grey):
    """Return a drawing, grey values 0..255 in an array (height, width), as an image (784,) uint8.

    As LeCun et al. (1998) made MNIST from black and white scans: the digit is cropped, fitted into
    20 x 20 pixels with its proportions kept and its edges smoothed to grey, and put into 28 x 28
    so that its centre of mass is in the middle. Before that, ink and paper are told apart, light
    that is uneven is evened out, small specks are left out, and a stroke much thinner or thicker
    than MNIST's becomes as wide as MNIST's. No position, size or brightness is left over.

    Raises ValueError if there is no digit on it.
    """
    grey = np.asarray(grey, np.float32)
    if grey.ndim != 2 or min(grey.shape) < 3 or not np.isfinite(grey).all():
        raise ValueError(f"Expected grey values (height, width), 3 x 3 or more, not {grey.shape}.")
    digit, cut = _digit(_ink(grey))
    if cut:  # ink along the border passes for shadow, so look again as if the light were even
        with contextlib.suppress(ValueError):
            digit, _ = _digit(_ink(grey, even_light=True))
    digit = _stroke_like_mnist(digit)  # (h, w) bool
    height, width = digit.shape
    scale = 20 / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(digit * np.float32(255)).resize(size, Image.Resampling.BOX))
    image = np.zeros((28, 28), np.uint8)
    row, column = (
        min(max(round(14 - centre), 0), 28 - length)
        for centre, length in zip(ndimage.center_of_mass(small), small.shape, strict=True)
    )
    image[row : row + small.shape[0], column : column + small.shape[1]] = np.round(
        small * (255 / small.max())
    )
    return image.ravel()  # (784,)


def _ink(grey, even_light=False):
    """How much each pixel differs from the paper around it, towards the ink: (h, w)."""
    side = max(grey.shape)
    if side > 1000:
        grey = np.asarray(Image.fromarray(grey).reduce(-(-side // 1000)))
        side = max(grey.shape)
    grey = ndimage.gaussian_filter(grey, side / 1000)  # the grain of the paper
    small = Image.fromarray(grey)
    small.thumbnail((64, 64), Image.Resampling.BOX, reducing_gap=None)
    small = np.asarray(small)

    # Is the ink dark or light? It is what stands out most, seen from the border. Third powers let
    # the strong differences decide, and they keep their sign.
    detail = small - ndimage.gaussian_filter(small, max(small.shape) / 10, mode="nearest")
    edge = max(1, max(small.shape) // 16)
    inner = np.zeros(small.shape, bool)
    inner[edge:-edge, edge:-edge] = True
    detail -= np.median(detail[~inner])
    if (detail**3).sum() < 0:
        grey, small = -grey, -small

    # Ink is bright now. The paper is what is left when all that is narrower than a third of the
    # picture is taken away. Padded so that a slope of the light goes on beyond the border.
    if even_light:
        return grey - np.median(small[~inner])
    width = max(3, max(small.shape) // 3)
    small = np.pad(small, width, mode="reflect", reflect_type="odd")
    paper = ndimage.grey_opening(small, (width, width))[width:-width, width:-width]
    paper = Image.fromarray(np.ascontiguousarray(paper))
    return grey - np.asarray(paper.resize(grey.shape[::-1], Image.Resampling.BILINEAR))


def _digit(ink):
    """Return where the digit is, (h, w) bool, 200 pixels or more on its longer side, cropped;
    and whether the border of the picture cuts it.
    """
    # The paper is noisy. What exceeds four standard deviations, and 8 grey levels, may be ink.
    paper = ink[ink <= ink.max() / 2]
    middle = np.median(paper)
    ink = ink - middle
    start = level = max(8, 4 * 1.4826 * np.median(np.abs(paper - middle)))
    for _ in range(20):  # ink begins at half of its own typical strength, dark ink counting more
        strong = ink[ink > level]
        strength = (strong**2).sum() / strong.sum() if strong.size else 0
        level = max(start, strength / 2)
    if strength < 2 * start:
        raise ValueError(BLANK)

    # Pieces that hang together: leave out specks, and the table or a frame along the border.
    pieces, count = ndimage.label(ink > level, np.ones((3, 3)))
    mass = ndimage.sum_labels(ink, pieces, range(count + 1))  # (count + 1,)
    mass[0] = 0  # the paper
    largest = ndimage.find_objects(pieces)[mass.argmax() - 1]
    if max(part.stop - part.start for part in largest) < max(3, max(ink.shape) / 50):
        raise ValueError(BLANK)
    keep = mass >= 0.03 * mass.max()
    touching = np.zeros(count + 1, bool)
    touching[np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])] = True
    if mass[keep & ~touching].sum() > mass[keep & touching].sum() / 4:
        keep &= ~touching
    ink[(pieces > 0) & ~keep[pieces]] = 0
    cut = bool((keep & touching).any())

    rows, columns = np.nonzero(keep[pieces])
    ink = np.pad(ink, 1)[rows.min() : rows.max() + 3, columns.min() : columns.max() + 3]
    return _crop(ndimage.zoom(ink, max(1, 200 / max(ink.shape)), order=1) > level), cut


def _stroke_like_mnist(digit):
    """Thicken or thin the strokes of a digit (h, w) bool, evenly from both sides."""
    side = max(digit.shape)
    inside = ndimage.distance_transform_edt(np.pad(digit, 1))[1:-1, 1:-1]
    width = 4 * inside[digit].mean() - 2  # a bar has distances 1, 2 ... width / 2 on each side
    wanted = min(max(width * 20 / side, STROKE[0]), STROKE[1])  # in pixels of the 20 x 20
    # The box grows with the strokes: (width + 2 grow) * 20 = wanted * (side + 2 grow)
    grow = (wanted * side - 20 * width) / (20 - wanted) / 2
    margin = max(0, int(grow)) + 2
    digit = np.pad(digit, margin)
    inside, outside = (ndimage.distance_transform_edt(area) for area in (digit, ~digit))
    return _crop(outside - inside <= grow)


def _crop(digit):
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
