"""lessons/log_files.py: nothing in a log stops the reading, and what was left out is counted."""

import gzip

import numpy as np
import pytest

from lessons.log_files import Tally, read, sample

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


def test_gzipped_logs_whatever_their_name_and_damaged_ones(tmp_path):
    packed = gzip.compress("\n".join([FINE] * 5 + [f"{FINE}{n}" for n in range(3_000)]).encode())
    (tmp_path / "log").write_bytes(packed)
    assert len(list(read(tmp_path / "log", tally := Tally()))) == 3_005
    assert not tally.damage
    (tmp_path / "log").write_bytes(packed[: len(packed) // 2])
    assert 5 < len(list(read(tmp_path / "log", tally))) < 3_005
    assert "damaged after line" in str(tally)


def test_a_missing_log_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        next(read(tmp_path / "log", Tally()))


def test_sample_is_bounded_and_fair():
    assert sample(iter(range(5)), 10) == [0, 1, 2, 3, 4]
    picked = [sample(range(1_000), 100, seed) for seed in range(20)]
    assert {len(set(numbers)) for numbers in picked} == {100}
    assert abs(np.mean(picked) - 499.5) < 25
