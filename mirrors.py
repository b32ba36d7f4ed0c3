"""Fetch MNIST's four original files from a mirror, and know them by their SHA-256.

    python -m mirrors   # does each mirror still have each file? One line for each mirror

A mirror may be down, slow, damaged, or somebody else's by now. Whatever it does: within seconds
there is the right content, or a few words on what was wrong, and the next mirror is asked.
"""

import hashlib
import importlib.util
import os
import sys
import threading
import zlib

from machine import aside

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
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


class Fault(Exception):
    """What a mirror did wrong, in a few words of ours: other people's may hold a password."""


def addresses():
    """The mirrors to ask: those that the environment variable MNIST_MIRRORS names, or MIRRORS."""
    mirrors = os.environ.get("MNIST_MIRRORS", ",".join(MIRRORS)).split(",")
    return [mirror.strip().rstrip("/") + "/" for mirror in mirrors if mirror.strip()]


def content(item, mirrors, count):
    """The content of one of the four files, from the first mirror that sends it whole and right.
    `count` is told of each piece how many bytes have come. Raises OSError if no mirror has it.

    A mirror that fails goes to the end of the list `mirrors`, so the next file asks it last.
    """
    if not importlib.util.find_spec("requests"):
        raise OSError("the module requests is missing: pip install requests")
    faults = {}
    for mirror in list(mirrors):
        try:
            return _content(item, mirror, count)
        except Fault as fault:
            faults.setdefault(str(fault), []).append(_host(mirror))
            mirrors.append(mirrors.pop(0))
    said = [f"{fault} from {', '.join(hosts)}" for fault, hosts in faults.items()]
    raise OSError("; ".join(said))


def _content(item, mirror, count):
    """The same from one mirror. Raises Fault, whatever the mirror does wrong."""
    try:
        return checked(item, _download(f"{mirror}{item}.gz", SIZES[item] + CHUNK, count))
    except Fault:
        raise
    except Exception as error:
        raise Fault(type(error).__name__) from None


def checked(item, packed):
    """What is in `packed`, gzip or not, if it is one of the four files. Else raises Fault."""
    unpacked = packed
    if packed[:2] == b"\x1f\x8b":
        # Never unpack more than there should be: a few bytes can unpack to gigabytes.
        try:
            unpacked = zlib.decompressobj(wbits=31).decompress(packed, SIZES[item] + 1)
        except zlib.error:
            raise Fault("damaged") from None
    if hashlib.sha256(unpacked).hexdigest() != SHA256[item]:
        raise Fault("wrong content")
    return unpacked


def _host(mirror):
    """Whom an address names, without user and password, whatever else is wrong with it."""
    return mirror.rpartition("@")[2].split("//")[-1].split("/")[0][:40]


def _download(url, largest, count):
    """The bytes at `url`. Raises an exception if they are more than `largest`, or come too slowly.

    A mirror that sends a byte now and then, or a name with many dead addresses, outlasts the
    time-outs of a connection. So the download has a thread of its own, and here we watch it.
    (Where no thread can start, the time-outs must do.)
    """
    import requests  # here, since most runs fetch nothing, and before the mirror's clock runs

    received, failures, given_up = bytearray(), [], threading.Event()

    def work():
        try:
            with requests.get(url, stream=True, timeout=PATIENCE) as response:
                if not response.ok:
                    raise Fault(f"status {response.status_code}")
                for piece in response.iter_content(1024):
                    received.extend(piece)
                    if given_up.is_set() or len(received) > largest:
                        raise Fault("too long")
                    count(len(piece))
        except Exception as error:
            failures.append(error)

    thread, size = aside(work), 0
    try:
        while thread and thread.is_alive():
            thread.join(PATIENCE)
            if thread.is_alive() and len(received) < size + CHUNK:
                raise Fault("no answer, or too slow")
            size = len(received)
    finally:
        given_up.set()
    if failures:
        raise failures[0]
    return bytes(received)


def main():
    """Print what each mirror answers for each file. The exit code is 0 if all of it is right."""
    faults = 0
    for mirror in addresses():
        for item in SIZES:
            said = "right"
            try:
                _content(item, mirror, lambda received: None)
            except Fault as fault:
                said, faults = fault, faults + 1
            print(f"{_host(mirror)}  {item}: {said}", flush=True)
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
