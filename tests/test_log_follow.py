"""lessons/log_follow.py: a log that grows, is renamed, or emptied."""

import os

import pytest

from lessons.log_files import Tally
from lessons.log_follow import follow

LINE = '1.2.3.4 - - [20/Dec/2011:15:00:03 +0400] "GET /{} HTTP/1.1" 200 5 "-" "-"\n'


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "access.log"
    path.write_text(LINE.format(0))
    return path


def add(path, text):
    with path.open("a") as file:
        file.write(text)


def pages(entries):
    """The pages that were asked for until the log pauses."""
    return [entry.request.split()[1] for entry in iter(lambda: next(entries), None)]


def test_what_is_written_later_is_read_and_half_a_line_is_waited_for(log):
    entries = follow(log, tally := Tally(), pause=0)
    assert pages(entries) == ["/0"]
    assert pages(entries) == []
    add(log, LINE.format(1) + LINE.format(2)[:30])
    assert pages(entries) == ["/1"]
    add(log, LINE.format(2)[30:] + "nonsense\n")
    assert pages(entries) == ["/2"]
    assert tally.lines == 4
    assert tally.unreadable == {"expected an address": 1}


def test_a_log_that_is_renamed_is_read_to_its_end(log):
    entries = follow(log, Tally(), pause=0)
    assert pages(entries) == ["/0"]
    add(log, LINE.format(1))
    old = log.rename(log.with_name("access.log.1"))
    assert pages(entries) == ["/1"]  # and there is no new one yet
    add(old, LINE.format(2))
    log.write_text(LINE.format(3))
    assert pages(entries) == ["/2", "/3"]


def test_a_log_that_is_emptied_is_read_from_its_start(log):
    entries = follow(log, Tally(), pause=0)
    add(log, LINE.format(1))
    assert pages(entries) == ["/0", "/1"]
    os.truncate(log, 0)
    assert pages(entries) == []
    add(log, LINE.format(2))
    assert pages(entries) == ["/2"]


def test_too_long_lines_are_left_out(log):
    add(log, LINE.format("x" * 50_000) + LINE.format(1))
    entries = follow(log, tally := Tally(), pause=0)
    assert pages(entries) == ["/0", "/1"]
    assert tally.unreadable == {"longer than 16,384 characters": 1}


def test_a_missing_log_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        next(follow(tmp_path / "log", Tally()))
