"""Digits from a CSV, in the forms in which people have them. `mnist.read` is the door to this room.

    with opened(path) as file:  # as it is, gzip, or a zip with one CSV in it
        images, labels = parse(file)

A line is a digit, 784 pixels and its label. The label is first, unless a header says that it is
last, and at most 9, unless the header calls it "sign": those of one's own have numbers from 10.
Between the values stand commas, semicolons, tabs or spaces: whatever the first line has.

Nobody knows where a file comes from. What is not surely a digit is refused, with its line, and
nothing is read or unpacked further than up to there.
"""

import codecs
import gzip
import io
import re
import threading
import warnings
import zipfile
import zlib
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

SEPARATORS = ",;\t "
LABEL = {"label", "class", "target", "digit", "y", "sign"}  # what headers call it
LONGEST = 2**16  # characters of a line; with all the decimals of numpy.savetxt a digit has 20,000
BLANK = 1000  # so many lines may be blank, and one more for each that is not
DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError)


class Form(NamedTuple):
    """What all lines of a file have in common."""

    separator: str
    columns: int  # 785, or 784 without label
    dtype: type  # to read numbers as: those with decimals take ten times as long
    label: int | None = None  # its column: 0, -1, or None without label
    most: int = 9  # that a label may be


@contextmanager
def opened(path):
    """The text in a file. What it is packed in is told by its first bytes, whatever its name.

    Raises OSError if it cannot be read, and ValueError if it is packed, and damaged.
    """
    with open(path, "rb") as file, ExitStack() as stack:
        try:
            start = file.peek(4)[:4]
            if start[:2] == b"\x1f\x8b":
                file = stack.enter_context(gzip.open(file))
            elif start == b"PK\3\4":
                archive = stack.enter_context(zipfile.ZipFile(file))
                names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
                names = [name for name in names if not name.startswith("__MACOSX")]
                if len(names) != 1:
                    raise ValueError(f"a zip with {len(names)} CSVs in it, not 1: unpack it first")
                file = io.BufferedReader(stack.enter_context(archive.open(names[0])))
            start = file.peek(4)[:3]
            utf_16 = start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            if start == codecs.BOM_UTF8:
                file.read(3)  # it only says that this is UTF-8
            yield io.TextIOWrapper(file, "utf-16" if utf_16 else "utf-8", errors="replace")
        except DAMAGE as error:
            raise ValueError(f"packed, and damaged or cut ({error!s:.60})") from None


def parse(file, labelled=True):
    """Return images (n, 784) uint8 and labels (n,) int64. Where the lines are not `labelled`, and
    have 784 values, the labels are None. Raises ValueError, with the line.
    """
    lines = _lines(file)
    first = next(lines, (1, ""))
    separator = next((mark for mark in SEPARATORS if first[1].count(mark) > 700), ",")
    names = _header(first[1], separator, 784 + labelled)
    if names:
        first = next(lines, (1, ""))
    if not first[1]:
        raise ValueError("there is no digit in it")
    dtype = np.float64 if first[1].count(".") >= 784 else np.uint8
    words = [name.lower().partition(" ")[0] for name in names]  # "sign 10=star" is a sign
    named = [column for column in (0, -1) if words and words[column] in LABEL]
    label = [*named, 0][0] if labelled else None
    most = 255 if named and words[named[0]] == "sign" else 9
    form = Form(separator, 784 + labelled, dtype, label, most)

    pixels, labels, lines = bytearray(), bytearray(), chain([first], lines)
    while block := list(islice(lines, 1000)):  # so that memory stays small
        rows = _digits(block, form)  # (1000, 785), in the last block fewer
        if labelled:
            labels += rows[:, label].tobytes()
            rows = rows[:, 1:] if label == 0 else rows[:, :-1]
        pixels += rows.tobytes()
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 784)  # (n, 784)
    if not labelled:
        return images, None
    labels = np.frombuffer(labels, np.uint8).astype(np.int64)  # (n,)
    if not named and labels.min() == labels.max() and 0 < images[:, -1].max() <= 9:
        raise ValueError(
            "all lines begin with the same value, and end with 0 to 9: is the label last? Then "
            "name it so in a first line"
        )
    return images, labels


def _lines(file):
    """(number, line) of those that are not blank, up to the first that is too long."""
    number = blank = 0
    while line := file.readline(LONGEST):
        number += 1
        if len(line) == LONGEST:
            yield number, line
            return
        if not line.isspace():
            yield number, line
            continue
        blank += 1
        if 2 * blank > number + BLANK:
            raise ValueError(f"line {number}: most lines so far are blank")


def _header(line, separator, columns):
    """The names in a first line, all different, or [] if it has none.

    A digit with a damaged label, as O,0,0,... or nan,0,0,..., would vanish if it passed for a
    header. So no name is a number, or else all columns are numbered, from 0 or 1.
    """
    names = line.rstrip().removesuffix(separator).split(separator)
    names = [name.strip(" \t\r\n'\"") for name in names]
    numbers = [name for name in names if _is_number(name)]
    counted = [[str(start + n) for n in range(len(numbers))] for start in (0, 1)]
    is_header = not numbers or (len(numbers) >= 784 and numbers in counted)
    return names if is_header and len(names) == len(set(names)) == columns else []


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _digits(block, form):
    """The values (n, columns) of numbered lines. Raises ValueError, with the first that is bad."""
    lines = [line for _, line in block]
    if all(map(str.isascii, lines)) and max(map(len, lines)) < LONGEST:
        with suppress(ValueError):
            return _values(lines, form)
    rows = []  # one by one, in a few times as long: bad, or good after some cleaning
    for number, line in block:
        try:
            rows.append(_values([_cleaned(line, form)], form))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    return np.concatenate(rows)


_strict = threading.Lock()


def _values(lines, form):
    """The values of lines, (n, columns) uint8. Raises ValueError."""
    options = {"delimiter": form.separator, "comments": None, "ndmin": 2}
    try:
        # NumPy before 2.3 reads 12.5 as 12 and 256 as 0, and only warns: here that is an error. The
        # filters of warnings are those of the whole process, so one thread at a time.
        with _strict, warnings.catch_warnings():
            warnings.filterwarnings("error", "loadtxt", DeprecationWarning)
            rows = np.loadtxt(lines, form.dtype, **options)
    except ValueError as error:
        said = re.sub(r".*string (.*) to .*(column \d+).*", r"\2 is \1", str(error), flags=re.S)
        raise ValueError(f"{said:.60}") from None
    if form.dtype == np.float64:
        fine = (rows >= 0) & (rows <= 255) & (rows == np.floor(rows))
        for row, column in np.argwhere(~fine)[:1]:
            raise ValueError(f"column {column + 1} is {rows[row, column]:g}")
    if rows.shape[1] != form.columns:
        raise ValueError(f"{rows.shape[1]} values")  # _cleaned says more
    if form.label is not None and rows[:, form.label].max() > form.most:
        raise ValueError(f"the label is {rows[:, form.label].max():g}")
    return rows.astype(np.uint8, copy=False)


def _cleaned(line, form):
    """A line without quotes, and without a separator at its end. Raises ValueError for what NumPy
    would misread."""
    if len(line) == LONGEST:
        raise ValueError(f"it has {LONGEST:,} characters or more")
    if not line.isascii():  # else the digits and blanks of all scripts are taken
        place = next(n for n, character in enumerate(line) if not character.isascii())
        column = line.count(form.separator, 0, place) + 1
        raise ValueError(f"column {column} has the character U+{ord(line[place]):04X}")
    if '"' in line:  # around a value it goes, anywhere else NumPy complains of it
        values = [value.strip() for value in line.split(form.separator)]
        values = [value[1:-1] if re.fullmatch('".+"', value) else value for value in values]
        line = form.separator.join(values)
    found = line.count(form.separator) + 1
    if found == form.columns + 1:  # perhaps one ends the line
        line = line.rstrip().removesuffix(form.separator)
        found = line.count(form.separator) + 1
    if found != form.columns:
        hint = "" if found != 784 else " (if there is no label: labels=False)"
        raise ValueError(
            f"{found} values with {form.separator!r} between, not {form.columns}{hint}"
        )
    return line
