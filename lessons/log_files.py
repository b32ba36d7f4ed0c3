"""Read a web server's log, gzipped or not, line by line. Lines that cannot be read are counted.

Anybody may send anything to a server, so a log may hold anything. Nothing in it stops the reading
or fills the memory.
"""

import gzip
import io
import random
import sys
import zlib
from collections import Counter

from lessons.log_lines import parse

LONGEST_LINE = 16_384  # characters; servers do not take longer requests


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


def read(path, tally):
    """Yield the entries of the log at `path`, gzipped or not; "-" is the standard input. Lines that
    cannot be read are left out and noted in `tally`, and so is the damage that ends a gzipped log.

    OSError if there is no such file.
    """
    with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
        if file.peek(2)[:2] == b"\x1f\x8b":  # each gzipped file begins like this
            file = gzip.GzipFile(fileobj=file)
        # Bytes that are no UTF-8 become \xff and the like.
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")
        try:
            while line := text.readline(LONGEST_LINE):
                tally.lines += 1
                try:
                    if len(line) == LONGEST_LINE and line[-1] != "\n":
                        while (rest := text.readline(LONGEST_LINE)) and rest[-1] != "\n":
                            pass
                        raise ValueError(f"longer than {LONGEST_LINE:,} characters")
                    entry = parse(line)
                except ValueError as error:
                    tally.note(str(error))
                else:
                    yield entry
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            tally.damage = f"\n  the gzipped file is damaged after line {tally.lines:,}: {error}"


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
