"""lessons/log_files.py: nothing in a log stops the reading, and what was left out is counted."""

import bz2
import gzip
import lzma

import numpy as np
import pytest

from lessons.log_files import Tally, check, in_order, read, sample

START = "1.2.3.4 - - [20/Dec/2011:15:00:03 +0400]"
FINE = f'{START} "GET / HTTP/1.1" 200 5 "-" "-"'
OVERLOADED = f'{START} "POST /forum/index.php HTTP/1.1" 503 107 "-" "-"'


def test_reading_goes_on_after_bad_lines(tmp_path):
    bad = [b"\xff\xfe", b"", b"x" * 100_000, b"\x00" * 9]
    content = [bad[0], FINE.encode(), *bad[1:3], OVERLOADED.encode() + b"\r", bad[3]]
    (tmp_path / "log").write_bytes(b"\n".join(content))
    tally = Tally()
    entries = list(read(tmp_path / "log", tally))
    assert [entry.code for entry in entries] == ["200", "503"]
    assert tally.lines == 6
    assert tally.unreadable == {
        "expected an address": 2,
        "an empty line": 1,
        "longer than 16,384 characters": 1,
    }
    assert str(tally).startswith(
        "4 of 6 lines could not be read\n  2: expected an address; the first is line 1\n"
    )


def test_an_empty_log_says_so(tmp_path):
    (tmp_path / "log").touch()
    assert list(read(tmp_path / "log", tally := Tally())) == []
    assert str(tally) == "no lines in it"


def test_a_line_of_exactly_the_longest_length_is_read(tmp_path):
    room = 16_383 - len(FINE)  # without its line break
    longest, too_long = (FINE.replace("GET /", "GET /" + "a" * more) for more in (room, room + 1))
    (tmp_path / "log").write_text(f"{longest}\n{too_long}\n{FINE}\n")
    entries = list(read(tmp_path / "log", tally := Tally()))
    assert [len(entry.request) for entry in entries] == [500, 14]
    assert tally.unreadable == {"longer than 16,384 characters": 1}


def test_bytes_that_are_no_text_stay_readable(tmp_path):
    (tmp_path / "log").write_bytes(FINE.replace("GET /", "GET /\xe9\x85").encode("latin-1"))
    (entry,) = read(tmp_path / "log", Tally())
    assert entry.request == r"GET /\xe9\x85 HTTP/1.1"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_logs_and_cut_ones(tmp_path, pack):
    packed = pack("\n".join(f"{FINE}{n}" for n in range(3_000)).encode())
    (tmp_path / "log").write_bytes(packed)
    assert len(list(read(tmp_path / "log", tally := Tally()))) == 3_000
    assert not tally.damage
    for damaged in (packed[: len(packed) // 2], packed[:20] + b"x" * 20 + packed[40:]):
        (tmp_path / "log").write_bytes(damaged)
        assert len(list(read(tmp_path / "log", tally := Tally()))) < 3_000
        assert "the packed file is damaged after line" in str(tally)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (FINE.encode("utf-16"), "is in UTF-16: .*iconv"),
        ("\ufeff".encode("utf-16-be") + FINE.encode("utf-16-be"), "is in UTF-16: .*iconv"),
        (b"PK\x03\x04 and more", "is a zip archive: .*unzip -p"),
        (b"\x28\xb5\x2f\xfd and more", "is packed with zstd"),
    ],
)
def test_what_is_refused_before_it_is_read(tmp_path, content, words):
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        check(tmp_path / "log")
    with pytest.raises(ValueError, match=words):
        next(read(tmp_path / "log", Tally()))


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder: name the logs in it"):
        check(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_address(tmp_path):
    (tmp_path / "log").write_text(FINE, encoding="utf-8-sig")
    (entry,) = read(tmp_path / "log", Tally())
    assert entry.address == "1.2.3.4"


def test_a_compose_log_has_as_many_clients_as_it_had(tmp_path):
    clients = {f"198.18.0.{n}" for n in range(108)}
    lines = [FINE.replace("1.2.3.4", f"web-1    | {client}") for client in clients]
    (tmp_path / "log").write_text("\n".join(lines))
    assert {entry.address for entry in read(tmp_path / "log", Tally())} == clients


def test_logs_are_read_in_order_of_their_first_time(tmp_path):
    def log(name, day):
        (tmp_path / name).write_text("nonsense\n" + FINE.replace("20/Dec", f"{day}/Dec"))
        return str(tmp_path / name)

    new, old, older = log("access.log", 20), log("access.log.1", 19), log("access.log.10", 18)
    (tmp_path / "untimed").write_text("nonsense\n")
    untimed = str(tmp_path / "untimed")
    assert in_order(["-", untimed, new, old, older]) == [older, old, new, "-", untimed]
    assert in_order(["-"]) == ["-"]


def test_a_missing_log_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        next(read(tmp_path / "log", Tally()))


def test_sample_is_bounded_and_fair():
    assert sample(iter(range(5)), 10) == [0, 1, 2, 3, 4]
    picked = [sample(range(1_000), 100, seed) for seed in range(20)]
    assert {len(set(numbers)) for numbers in picked} == {100}
    assert abs(np.mean(picked) - 499.5) < 25
