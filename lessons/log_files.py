"""Read a web server's log, packed or not, line by line. Lines that cannot be read are counted.

Anybody may send anything to a server, so a log may hold anything. Nothing in it stops the reading
or fills the memory.
"""

import bz2
import errno
import gzip
import io
import itertools
import lzma
import os
import random
import stat
import sys
import zlib
from collections import Counter

from lessons.log_lines import parse

LONGEST_LINE = 16_384  # characters; servers do not take longer requests
PACKED = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}  # by their first bytes
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError)
REFUSED = {
    b"PK\x03\x04": "is a zip archive: unzip it, or pipe `unzip -p` into this with - as the log",
    b"\x28\xb5\x2f\xfd": "is packed with zstd: pipe `zstdcat` into this with - as the log",
    b"\xff\xfe": "is in UTF-16: turn it into UTF-8 with `iconv -f UTF-16 -t UTF-8`",
    b"\xfe\xff": "is in UTF-16: turn it into UTF-8 with `iconv -f UTF-16 -t UTF-8`",
}


class Tally:
    """How many lines a log has, which ones could not be read, and why."""

    def __init__(self):
        self.lines, self.unreadable, self.first, self.damage = 0, Counter(), {}, ""

    def note(self, reason):
        self.unreadable[reason] += 1
        self.first.setdefault(reason, self.lines)

    def __str__(self):
        text = f"{self.unreadable.total():,} of {self.lines:,} lines could not be read"
        text = text if self.lines else "no lines in it"
        for reason, count in self.unreadable.most_common():
            text += f"\n  {count:,}: {reason}; the first is line {self.first[reason]:,}"
        return text + self.damage


def entries(lines, tally):
    """Yield the entries of lines. A line that is None is a pause, and handed on; one that is ""
    was too long. Those that cannot be read are left out and noted in `tally`."""
    for line in lines:
        if line is None:
            yield None
            continue
        tally.lines += 1
        try:
            if not line:
                raise ValueError(f"longer than {LONGEST_LINE:,} characters")
            entry = parse(line)
        except ValueError as error:
            tally.note(str(error))
        else:
            yield entry


def read(path, tally):
    """Yield the entries of the log at `path`, packed with gzip, bzip2 or xz or not; "-" is the
    standard input. Lines that cannot be read are left out and noted in `tally`, and so is the
    damage that ends a packed log.

    OSError if there is no such file, ValueError if it is no log of a kind that can be read.
    """
    with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
        start = file.peek(6)[:6]
        _refuse(start, path)
        unpack = next((PACKED[magic] for magic in PACKED if start.startswith(magic)), None)
        file, damage = (unpack(file), DAMAGE) if unpack else (file, ())
        # Bytes that are no UTF-8 become \xff and the like.
        text = io.TextIOWrapper(file, "utf-8-sig", errors="backslashreplace", newline="\n")
        try:
            yield from entries(_lines(text), tally)
        except damage as error:
            tally.damage = f"\n  the packed file is damaged after line {tally.lines:,}: {error}"


def _lines(text):
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and line[-1] != "\n":
            while (rest := text.readline(LONGEST_LINE)) and rest[-1] != "\n":
                pass
            line = ""
        yield line


def _refuse(start, path):
    for magic, reason in REFUSED.items():
        # UTF-16 has a zero in each letter; two odd bytes alone may be anything.
        if start.startswith(magic) and (len(magic) > 2 or 0 in start[2:4]):
            raise ValueError(f"{path} {reason}")


def check(path):
    """Complain now, not after the training, about what is no log: OSError or ValueError."""
    if path != "-":
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "is a folder: name the logs in it", str(path))
        if stat.S_ISREG(mode):  # what another program writes can be opened only once
            with open(path, "rb") as file:
                _refuse(file.read(6), path)


def in_order(paths):
    """Paths of logs, the one that begins first in front: access.log.2.gz, access.log.1, access.log.
    Those of which nobody knows are last, "-" among them."""

    def begins(path):
        if len(paths) < 2 or path == "-" or not os.path.isfile(path):
            return True, 0
        times = (entry.time for entry in itertools.islice(read(path, Tally()), 100))
        first = next((time for time in times if time is not None), None)
        return first is None, first or 0

    return sorted(paths, key=begins)


def sample(entries, most, seed=0):
    """At most `most` of the entries, each as likely as the others; memory for no more than these
    (reservoir sampling: J. Vitter 1985, algorithm R)."""
    rng, kept = random.Random(seed), []
    for count, entry in enumerate(entries):
        if count < most:
            kept.append(entry)
        elif (place := rng.randrange(count + 1)) < most:
            kept[place] = entry
    return kept
