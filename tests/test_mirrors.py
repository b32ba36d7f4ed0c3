"""mirrors.py: fetching, from mirrors with faults on demand, as mnist.load asks for it.

The mirrors are a server on 127.0.0.1 that hands out a tiny MNIST; nothing here uses a network.
"""

import gzip
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tiny import CSVS, IDX, csvs_in, is_sample, line, names, pretend

import machine
import mirrors
import mnist

ROOT = Path(mnist.__file__).parent
SOON = 30  # seconds: long for a busy machine, short for mirrors that keep one waiting a minute


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    pretend(monkeypatch)


class Mirror(BaseHTTPRequestHandler):
    """http://127.0.0.1:port/<fault>/<file>.gz"""

    def do_GET(self):
        fault, name = self.path.strip("/").split("/")
        self.server.asked.append((fault, name))
        self.server.who.append(self.headers["Authorization"])
        body = gzip.compress(IDX[name.removesuffix(".gz")])
        announced = None
        if fault.isdigit():
            return self.send_error(int(fault))
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
        if fault == "plain":
            body = IDX[name.removesuffix(".gz")]
        if fault == "encoded-twice":
            body = gzip.compress(body)
        if fault == "silent":
            self.server.over.wait(60)
        if fault == "drip-head":
            return self.send_in_pieces(b"HTTP/1.0 200 OK\r\nX-Wait: and" + b" wait" * 240, 1, 0.05)
        self.send_response(200)
        self.send_header("Content-Length", str(announced or len(body)))
        if "encoded" in fault:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if fault == "drip":
            return self.send_in_pieces(body[:1200], 1, 0.05)
        if fault == "endless":
            return self.send_in_pieces(body, 10**5, 0.01)
        if fault == "slow":
            return self.send_in_pieces(body, 1500, 0.2)
        if fault == "tired":
            self.send_in_pieces(body[:3000], 3000, 0)
            return self.send_in_pieces(body[3000:4200], 1, 0.05)
        return self.send_in_pieces(body, len(body), 0)

    def send_in_pieces(self, body, size, pause):
        for start in range(0, len(body), size):
            try:
                self.wfile.write(body[start : start + size])
            except OSError:
                return  # the client has gone
            if self.server.over.wait(pause):
                return

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.asked, server.who, server.over = [], [], threading.Event()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve(server, monkeypatch):
    """Set MNIST_MIRRORS to mirrors with these faults; return what they were asked for."""

    def use(*faults):
        server.asked.clear()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("MNIST_MIRRORS", ", ".join(f"{address}/{fault}" for fault in faults))
        return server.asked

    return use


def test_fetch(tmp_path, serve, capsys):
    asked = serve("good")
    folder = tmp_path / "new" / "folder"
    train, test = mnist.load(folder)
    assert len(train.labels) == 20 and len(test.labels) == 5
    assert csvs_in(folder) == CSVS
    assert names(folder) == sorted(CSVS)
    assert len(asked) == 4 and asked[0][1] == "t10k-labels-idx1-ubyte.gz"
    assert "sample" not in capsys.readouterr().out
    mnist.load(folder)
    assert len(asked) == 4


def test_where_no_thread_can_start_a_mirror_is_asked_all_the_same(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(machine, "has_threads", lambda: False)
    asked = serve("503", "cut", "good")
    mnist.load(tmp_path)
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == ["503", "cut"] + ["good"] * 4


def test_only_what_is_missing_is_fetched(tmp_path, serve):
    asked = serve("good")
    (tmp_path / "mnist_train.csv").write_text(line())
    train, test = mnist.load(tmp_path)
    assert train.labels.tolist() == [7] and len(test.labels) == 5
    assert (tmp_path / "mnist_train.csv").read_text() == line()
    assert all(name.startswith("t10k") for _, name in asked)


FAULTS = ["503", "403", "404", "page", "wrong", "cut", "short"]
FAULTS += ["bomb", "endless", "silent", "drip", "drip-head"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_mirror_moves_on_to_the_next(tmp_path, serve, fault):
    asked = serve(fault, "good")
    start = time.monotonic()
    mnist.load(tmp_path)
    assert time.monotonic() - start < SOON
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == [fault] + ["good"] * 4  # asked no more


def test_a_slow_mirror_is_waited_for(tmp_path, serve, monkeypatch):
    """It sends a file in more than PATIENCE, but all the time."""
    monkeypatch.setattr(mirrors, "CHUNK", 2000)
    asked = serve("slow", "good")
    mnist.load(tmp_path)
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == ["slow"] * 4


def test_a_mirror_that_falls_asleep_is_left(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(mirrors, "CHUNK", 2000)
    asked = serve("tired", "good")
    start = time.monotonic()
    mnist.load(tmp_path)
    assert time.monotonic() - start < SOON
    assert csvs_in(tmp_path) == CSVS
    assert [which for which, _ in asked] == ["tired"] * 2 + ["good"] * 3


def test_a_bomb_is_never_unpacked(monkeypatch):
    bomb = gzip.compress(bytes(10**8))
    monkeypatch.setattr(mirrors, "_download", lambda *args: bomb)
    tracemalloc.start()
    with pytest.raises(OSError, match="wrong content"):
        mirrors.content("t10k-labels-idx1-ubyte", ["http://mirror/"], None)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 10**6


def test_each_file_may_ask_each_mirror(tmp_path, serve):
    asked = serve("images-fail", "good")
    mnist.load(tmp_path)
    assert names(tmp_path) == sorted(CSVS)
    # labels from the first, images from the second, which then comes first
    assert [which for which, _ in asked] == ["images-fail"] * 2 + ["good"] * 3


def sentence(capsys):
    """What was printed, if it is a sentence that one can read."""
    (said,) = capsys.readouterr().out.splitlines()
    assert said.isprintable() and len(said) < 300 and said.endswith("98 % from MNIST.")
    return said


def test_no_mirror_works(tmp_path, serve, capsys):
    serve("403", "wrong", "403")
    (tmp_path / "mnist_train.csv").write_text(line())
    assert is_sample(mnist.load(tmp_path))  # both, though one CSV is there
    assert names(tmp_path) == ["mnist_train.csv"]
    said = sentence(capsys)
    assert re.search(r"mnist_test.csv: status 403 from (127.0.0.1:\d+), \1; wrong content", said)
    assert "Your mnist_train.csv is left aside." in said


def test_however_many_mirrors_fail_it_stays_a_sentence(tmp_path, serve, capsys):
    serve(*FAULTS[:6] * 5)
    (tmp_path / "mnist_train.csv").write_text(line())
    assert is_sample(mnist.load(tmp_path))
    assert "left aside" in sentence(capsys)


@pytest.mark.parametrize("way", ["plain", "encoded", "encoded-twice"])
def test_however_the_right_content_is_sent_it_is_taken(tmp_path, serve, way):
    asked = serve(way)
    mnist.load(tmp_path)
    assert csvs_in(tmp_path) == CSVS and len(asked) == 4


def test_black_hole(tmp_path, monkeypatch, capsys):
    """An address that takes connections and never answers, and one where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as hole, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ports = hole.getsockname()[1], nobody.getsockname()[1]
        addresses = [f"http://127.0.0.1:{port}/" for port in ports]
        monkeypatch.setenv("MNIST_MIRRORS", ",".join(addresses))
        start = time.monotonic()
        assert is_sample(mnist.load(tmp_path))
    assert time.monotonic() - start < SOON
    said = sentence(capsys)
    assert said.count("127.0.0.1") == 2 and "ConnectionError" in said
    assert "no answer" in said or "Timeout" in said
    assert names(tmp_path) == []


ODD = ["rubbish", "http://[::1", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http://\x1b[31m/"]


@pytest.mark.parametrize(
    "address", [*ODD, "http://" + "a" * 5000, "http://127.0.0.1:1/" + "a" * 5000]
)
def test_addresses_that_are_none(tmp_path, monkeypatch, capsys, address):
    monkeypatch.setenv("MNIST_MIRRORS", address)
    assert is_sample(mnist.load(tmp_path))
    sentence(capsys)


@pytest.mark.parametrize(
    "address",
    [
        "http://me:sesame@127.0.0.1:1/",
        "me:sesame@nowhere",
        "http://me:ses/ame@[::1/",
        "//me:sesame@",
    ],
)
def test_a_password_is_never_shown(tmp_path, monkeypatch, capsys, address):
    monkeypatch.setenv("MNIST_MIRRORS", address)
    assert is_sample(mnist.load(tmp_path))
    said = sentence(capsys)
    assert "sesame" not in said and "me:" not in said and "ses" not in said
    with pytest.raises(SystemExit):
        mirrors.main()
    assert "sesame" not in capsys.readouterr().out


def test_a_password_is_used(tmp_path, monkeypatch, server):
    server.asked.clear()
    server.who.clear()
    address = f"http://me:sesame@127.0.0.1:{server.server_port}/good"
    monkeypatch.setenv("MNIST_MIRRORS", address)
    mnist.load(tmp_path)
    assert csvs_in(tmp_path) == CSVS
    assert set(server.who) == {"Basic bWU6c2VzYW1l"}


def test_an_expired_certificate(tmp_path, monkeypatch, capsys):
    """expired.pem is trusted here, so that its date alone is wrong."""
    expired = str(Path(__file__).with_name("expired.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.asked, server.who, server.over = [], [], threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(expired)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *args: None  # that the client hangs up
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", expired)
    monkeypatch.setenv("MNIST_MIRRORS", f"https://127.0.0.1:{server.server_port}/good")
    assert is_sample(mnist.load(tmp_path))
    server.shutdown()
    server.server_close()
    assert server.asked == [] and "SSLError" in sentence(capsys)


def test_the_clock_of_the_first_mirror_runs_when_requests_is_there(serve):
    """In a process of its own, where its import takes longer than a mirror is waited for."""
    serve("good")
    code = """
import sys, time, mirrors, tiny
from pytest import MonkeyPatch
class Slow:
    def find_spec(self, name, *rest):
        if name == "requests":
            time.sleep(1.2)
asked = mirrors.addresses()
tiny.pretend(MonkeyPatch())
sys.meta_path.insert(0, Slow())
print(len(mirrors.content("t10k-labels-idx1-ubyte", asked, abs)))
"""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    said = subprocess.check_output(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, text=True
    )
    assert said == f"{len(IDX['t10k-labels-idx1-ubyte'])}\n"


def test_the_command_checks_each_mirror_by_itself(serve, capsys):
    serve("good", "images-fail", "wrong")
    with pytest.raises(SystemExit) as ended:
        mirrors.main()
    said = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1 and len(said) == 12
    assert ["right" in text for text in said] == [True] * 4 + [True, False] * 2 + [False] * 4
    assert "status 404" in said[5] and "wrong content" in said[8]
    serve("good")
    with pytest.raises(SystemExit) as ended:
        mirrors.main()
    assert ended.value.code == 0


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_full_disk(tmp_path, serve, monkeypatch, capsys, where):
    def full(*args):
        raise OSError(28, "No space left on device")

    serve("good")
    monkeypatch.setattr(os, where, full)
    assert is_sample(mnist.load(tmp_path))
    assert names(tmp_path) == []
    assert "No space left on device" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("file/data", "Not a directory"),
        ("file", "There is no folder"),
        ("loop", "Too many levels of symbolic links"),
        ("n" * 300, "File name too long"),
        ("\0", "null"),
        ("\x1b[31m" + 30 * "long/", "no mirror"),
    ],
)
def test_folder_that_cannot_be_written(tmp_path, monkeypatch, capsys, place, reason):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_MIRRORS", "rubbish")
    Path("file").write_text("not a folder")
    Path("loop").symlink_to("loop")
    assert is_sample(mnist.load(place))
    said = sentence(capsys)
    assert reason in said or reason == "no mirror"


def test_folder_without_rights(tmp_path, serve, monkeypatch, capsys):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    serve("good")
    monkeypatch.setattr(mnist, "written_whole", forbidden)  # root may write anywhere
    assert is_sample(mnist.load(tmp_path))
    assert "mnist_test.csv: Permission denied" in sentence(capsys)


def test_interrupt(tmp_path, serve, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    serve("good")
    monkeypatch.setattr(mirrors, "_download", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mnist.load(tmp_path)
    assert names(tmp_path) == []


def test_a_csv_that_came_meanwhile_is_not_overwritten(tmp_path, serve, monkeypatch):
    def content(item, *rest):
        if item.startswith("t10k"):
            (tmp_path / "mnist_test.csv").write_text(line())  # yours, or another notebook's
        return IDX[item]

    serve("good")
    monkeypatch.setattr(mirrors, "content", content)
    train, test = mnist.load(tmp_path)
    assert len(train.labels) == 20 and test.labels.tolist() == [7]
    assert names(tmp_path) == sorted(CSVS)


def test_two_at_once(tmp_path, serve):
    serve("good")
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
def test_killed_process(tmp_path, serve):
    """Killed while it writes, it leaves a .part and no CSV. (files.py removes the .part.)"""
    code = """
import os, sys, files
def wait(file):
    print("writing", flush=True)
    sys.stdin.read()
os.fsync = wait
with files.written_whole(sys.argv[1]) as file:
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

    serve("good")
    mnist.load(tmp_path)
    assert csvs_in(tmp_path) == CSVS
