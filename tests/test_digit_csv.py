"""digit_csv.py, through its door mnist.read: which CSVs are taken, which are refused, and how."""

import csv
import gzip
import io
import random
import re
import threading
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny import CSVS, line

import mnist

ROOT = Path(mnist.__file__).parent


def read(folder, text, suffix=""):
    path = folder / f"mine.csv{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return mnist.read(path)


def packed(text, pack):
    data = text if isinstance(text, bytes) else text.encode()
    if pack == ".gz":
        return gzip.compress(data)
    if pack == ".zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/train.csv", data)
            archive.writestr("__MACOSX/folder/._train.csv", b"of no use")
        return file.getvalue()
    return data


def quoted(text):
    return re.sub(r"[^,\n]+", r'"\g<0>"', text)


def decimals(text, point=".0"):
    return re.sub(r"\d+", rf"\g<0>{point}", text)


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
        line().replace("\n", ",\n") * 3,  # a comma at each line's end
        (HEADER + line() * 3).replace("\n", ",\n"),
        (HEADER + line() * 3).replace(",", ";"),
        (HEADER + line() * 3).replace(",", "\t"),
        (HEADER + line() * 3).replace(",", "\t").replace("\n", "\t\n"),
        line().replace(",", " ") * 3,
        (HEADER + line() * 3).encode("utf-16"),
        b"\xfe\xff" + (line() * 3).encode("utf-16-be"),
        quoted(HEADER + line() * 3),
        quoted(HEADER + line() * 3).replace(",", ";"),
        HEADER + line(label='"7"') * 3,
        decimals(line() * 3),
        (HEADER + decimals(line() * 3)).replace(",", ";"),
        decimals(line() * 3, ".000000000000000000e+00").replace(",", " "),
        ",".join(map(str, range(785))) + "\n" + line() * 3,
        ",".join(map(str, range(1, 786))) + "\n" + line() * 3,
        ",".join(["digit", *(f"{y}x{x}" for y in range(28) for x in range(28))])
        + "\n"
        + line() * 3,
        HEADER.replace("pixel", "the pixel in row and column number ") + line() * 3,
        HEADER.replace("label", "Ziffer \u2460") + line() * 3,
    ],
)
@pytest.mark.parametrize("pack", ["", ".gz", ".zip"])
def test_csvs_that_are_understood(tmp_path, text, pack):
    images, labels, _ = read(tmp_path, packed(text, pack), pack)
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
        (line(first="\uff17"), "column 2 has the character U+FF17"),  # a seven of another script
        (line(first="\xa07"), "column 2 has the character U+00A0"),
        (line(label="7\u2028"), "column 1 has the character U+2028"),
        (line(first='1"2'), "column 2 is '1\"2'"),
        (line(first='1"2"3'), "column 2"),
        (line(first='"1"2'), "column 2"),
        (line(first='"'), "column 2 is '\"'"),
        (line(first='""'), "column 2"),
        (line(first="9" * 70_000), "65,536 characters"),
        (line(label="10"), "label is 10"),
        (line(label="256"), "'256'"),
        (line(label="-1"), "'-1'"),
        (line(label="7.5"), "'7.5'"),
        (line(label="x"), "'x'"),
        (line(label="nan"), "'nan'"),
        (line(label="#7"), "'#7'"),  # no comment
        (line(count=783), "784 values"),
        (line(count=785), "786 values"),
        (line(count=200).rstrip("\n"), "201 values"),
        (line()[:-4], "''"),
    ],
)
def test_csvs_that_are_refused(tmp_path, start, bad, message):
    with pytest.raises(ValueError, match="line") as error:
        read(tmp_path, line() * start + bad)
    text = str(error.value)
    assert f"line {start + 1}: " in text and message in text
    assert "mine.csv" in text and "785" in text and "0 to 255" in text
    assert text.isprintable() and len(text) < 300


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


@pytest.mark.parametrize("label", ["x", "O", "l7", "nan", "inf", "True", "label", "7\x00", "\xa07"])
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
        b"\x1f\x8b" * 1000,
        b"PK\3\4" * 1000,
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


def test_gz_that_is_damaged(tmp_path):
    damaged = bytearray(gzip.compress(b"".join(CSVS.values())))
    damaged[3000:3010] = bytes(10)
    with pytest.raises(ValueError, match=r"mine.csv.gz"):
        read(tmp_path, bytes(damaged), ".gz")


@pytest.mark.parametrize(("suffix", "pack"), [("", ".gz"), (".gz", ""), (".gz", ".zip")])
def test_what_a_file_is_packed_in_is_not_told_by_its_name(tmp_path, suffix, pack):
    """Browsers unpack without renaming, and rename without unpacking."""
    assert read(tmp_path, packed(line() * 3, pack), suffix).labels.tolist() == [7] * 3


# The label, where it is not first


def last(text):
    """The same with the first column as the last."""
    rows = (row.partition(",") for row in text.splitlines())
    return "".join(f"{rest},{first}\n" for first, _, rest in rows)


DIGITS = CSVS["mnist_train.csv"].decode()
FRAMED = "".join(f"{n % 10}{',0' * 30}{',9' * 724}{',0' * 30}\n" for n in range(20))


@pytest.mark.parametrize("name", ["class", "label", "Class", '"class"', "target"])
def test_a_header_tells_that_the_label_is_last(tmp_path, name):
    images, labels, _ = read(tmp_path, DIGITS)
    header = last(HEADER).replace("label", name)
    ours = read(tmp_path, header + last(DIGITS))
    assert (ours.images == images).all() and (ours.labels == labels).all()


@pytest.mark.parametrize("header", ["", last(HEADER).replace("label", "what?")])
def test_a_label_that_seems_to_be_last_is_refused(tmp_path, header):
    """Without a word, every label would be 0, and each image shifted by a pixel."""
    with pytest.raises(ValueError, match=r"mine.csv, .*is the label last\?") as error:
        read(tmp_path, header + last(FRAMED))
    assert len(str(error.value)) < 300
    assert read(tmp_path, FRAMED).labels.tolist() == [*range(10)] * 2
    assert read(tmp_path, last(HEADER) + last(FRAMED)).labels.tolist() == [*range(10)] * 2


def test_digits_that_are_all_the_same_are_taken(tmp_path):
    sevens = "".join(f"7{row[1:]}\n" for row in FRAMED.splitlines())
    assert set(read(tmp_path, sevens).labels.tolist()) == {7}
    corner = sevens.replace(",0\n", ",5\n")
    assert set(read(tmp_path, HEADER + corner).labels.tolist()) == {7}


PIXELS = "".join(row.partition(",")[2] + "\n" for row in DIGITS.splitlines())
UNLABELLED = HEADER.removeprefix("label,")


@pytest.mark.parametrize("header", ["", UNLABELLED])
def test_without_labels(tmp_path, header):
    """As Kaggle's test.csv."""
    with pytest.raises(ValueError, match=r"line 1: 784 values .*labels=False"):
        read(tmp_path, header + PIXELS)
    digits = mnist.read(tmp_path / "mine.csv", labels=False)
    assert digits.labels is None and (digits.images == read(tmp_path, DIGITS).images).all()
    assert digits.source.startswith("20 digits from")
    with pytest.raises(ValueError, match=r"line 1: 785 values .* not 784. .*784 whole numbers"):
        mnist.read(tmp_path / "mine.csv", labels=False)


def test_emnist_is_said_to_lie_on_its_side(tmp_path):
    path = tmp_path / "emnist-digits-train.csv"
    path.write_text(DIGITS)
    with pytest.warns(UserWarning, match="on their side") as warned:
        images = mnist.read(path).images
    turned = eval(str(warned[0].message).partition("turn them, ")[2], {"images": images})
    assert (turned.reshape(-1, 28, 28) == images.reshape(-1, 28, 28).swapaxes(1, 2)).all()
    assert warned[0].filename == __file__


# Damage, and those who mean harm


@pytest.mark.parametrize("later", [line(label="x"), line(count=783), line(first="\xa0"), "\0", "x"])
@pytest.mark.parametrize("first", [line(label="12"), line(label="x"), line(count=783), "\0\n"])
def test_of_two_damaged_lines_the_first_is_named(tmp_path, first, later):
    with pytest.raises(ValueError, match="line 3: "):
        read(tmp_path, line() * 2 + first + line() * 2 + later)


@pytest.mark.parametrize(
    "header",
    [
        HEADER.replace("pixel7,", "7,"),
        HEADER.replace("pixel7,", "pixel8,"),
        HEADER.replace("pixel7,", ""),
        HEADER.replace("pixel7,", "pixel7;"),
        HEADER.replace("pixel", "").replace(",7,", ",x,"),
        ",".join(map(str, range(2, 787))) + "\n",
        "".join(f",{n}" for n in range(785)) + "\n",
        HEADER.replace("pixel", "p" * 100),
        HEADER.replace("pixel7,", "pixel" + "7" * 5_000_000 + ","),
        "\x1b[31m" + HEADER.replace("pixel7,", "\x1b]0;title\x07,pixel8,"),
    ],
)
def test_a_damaged_header_is_refused(tmp_path, header):
    with pytest.raises(ValueError, match="line 1: ") as error:
        read(tmp_path, header + line())
    assert str(error.value).isprintable() and len(str(error.value)) < 300


@pytest.mark.parametrize("pack", [".gz", ".zip"])
@pytest.mark.parametrize(
    ("start", "unit", "reason"),
    [
        ("", "7,", "65,536 characters"),
        ("", " ", "65,536 characters"),
        ("", "\n", "most lines so far are blank"),
        (line(), "\r\n", "most lines so far are blank"),
        (line(), "0", "line 2: it has 65,536 characters"),
        ("", "\0", "65,536 characters"),
    ],
)
def test_bombs(tmp_path, pack, start, unit, reason):
    """20 MB of nothing in a file of 20 kB: of a GB no more would be read."""
    bomb = packed(start + unit * (2 * 10**7 // len(unit)), pack)
    began = time.process_time()
    tracemalloc.start()
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, bomb, pack)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - began < 1 and most < 10**7


def test_each_digit_may_have_a_blank_line(tmp_path):
    """As \\r\\r\\n makes it, where a program and its system both end lines."""
    text = DIGITS.replace("\n", "\r\r\n") * 100
    assert len(read(tmp_path, text.encode()).labels) == 2000


def test_zips_that_are_refused(tmp_path):
    def zipped(*names):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, DIGITS)
        return file.getvalue()

    for names in [(), ("digits.txt",), ("train.csv", "test.csv")]:
        with pytest.raises(ValueError, match="mine.csv.zip"):
            read(tmp_path, zipped(*names), ".zip")
    whole = zipped("train.csv")
    assert len(read(tmp_path, whole, ".zip").labels) == 20
    locked = bytearray(whole)
    locked[6] |= 1  # says that a password is needed
    locked[whole.rindex(b"PK\1\2") + 8] |= 1
    for bad in (whole[:-30], whole[:200], whole[:3000] + bytes(50) + whole[3050:], bytes(locked)):
        with pytest.raises(ValueError, match="mine.csv.zip, packed, and damaged or cut"):
            read(tmp_path, bad, ".zip")


LONG = ["n" * 300, "deep/" * 500 + "x"]
ODD = ["folder", "loop", "nul\0", "\x1b[31m\u202e.csv", "gone", *LONG]


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_read_is_named_in_a_sentence(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    with pytest.raises((OSError, ValueError)) as error:
        mnist.read(name)
    said = str(error.value)
    assert said.isprintable() and len(said) < 300 and name[-3:].strip("\0") in said


def truth(text):
    """An independent reader: the digits as Python's csv and float see them."""
    lines = [line for line in io.StringIO(text, newline=None) if "pixel" not in line]
    rows = [row for row in csv.reader(lines, skipinitialspace=True) if "".join(row).strip()]
    return [[float(value) for value in row if value.strip()] for row in rows]


PUT = "0957,;. \t\n\r\"'-+eExO#_\0\x1b\x0b\xa0\u2028\uff17"


@pytest.mark.parametrize(
    "text",
    [
        DIGITS[:12_000].rpartition("\n")[0] + "\n",
        HEADER + DIGITS[:12_000].rpartition("\n")[0] + "\n",
        decimals(DIGITS[:12_000].rpartition("\n")[0] + "\n"),
        quoted(DIGITS[:12_000].rpartition("\n")[0] + "\n"),
    ],
    ids=["plain", "header", "decimals", "quoted"],
)
def test_mutations_are_refused_or_read_as_they_stand(tmp_path, text):
    """Characters changed, put in, left out: no digit is lost or another one without a word."""
    dice, taken = random.Random(0), 0
    for _ in range(150):
        mutant = text
        for _ in range(dice.choice([1, 1, 2])):
            place = dice.choice([dice.randrange(len(mutant)), dice.randrange(40)])
            put = dice.choice([*PUT, ""])
            mutant = mutant[:place] + put + mutant[place + dice.randrange(2) :]
        try:
            images, labels, _ = read(tmp_path, mutant)
        except ValueError as error:
            assert str(error).isprintable() and len(str(error)) < 300
            assert "mine.csv, line " in str(error)
        else:
            taken += 1
            rows = truth(mutant)
            assert labels.tolist() == [row[0] for row in rows]
            assert images.tolist() == [row[1:] for row in rows]
    assert 10 < taken < 140
