"""lessons/log_report.py: what is printed, and what must not be."""

import numpy as np

from lessons import log_report
from lessons.log_bans import Bans
from lessons.log_lines import Entry
from lessons.log_report import Summary, batches, judge_log, printable

GOOD, GREY, BAD = range(3)


class FakeJudge:
    """The probability is the entry's page."""

    def probabilities(self, entries):
        return np.array([float(entry.request.split()[1][1:]) for entry in entries])


def entry(p, address="1.2.3.4", time=0):
    return Entry(address, f"GET /{p} HTTP/1.1", "200", "-", "-", time)


def test_three_verdicts_which_summary_and_bans_take_notice_of():
    entries, summary, bans = [entry(p) for p in (0.1, 0.5, 0.9, 0.95)], Summary(), Bans(2)
    texts = list(judge_log(FakeJudge(), (0.2, 0.8), entries, summary, bans))
    assert "".join(texts) == (
        "good 0.100  1.2.3.4          GET /0.1 HTTP/1.1\n"
        "grey 0.500  1.2.3.4          GET /0.5 HTTP/1.1\n"
        "bad  0.900  1.2.3.4          GET /0.9 HTTP/1.1\n"
        "bad  0.950  1.2.3.4          GET /0.95 HTTP/1.1\n"
    )
    assert str(summary).splitlines()[1].split() == ["1.2.3.4", "4", "1", "2", "=", "50%"]
    assert bans.listed() == ["1.2.3.4"]


def test_a_pause_of_the_log_ends_a_batch(monkeypatch):
    monkeypatch.setattr(log_report, "BATCH", 2)
    assert list(batches(iter("abc"))) == [["a", "b"], ["c"]]
    assert list(batches(iter(["a", None, None, "b", "c", "d"]))) == [["a"], [], ["b", "c"], ["d"]]
    assert list(judge_log(FakeJudge(), (0.2, 0.8), iter([None, entry(0)]), Summary()))[0] == ""


def test_a_summary_without_bad_requests_says_so():
    summary = Summary()
    assert str(summary) == "No request was judged."
    summary.add("1.2.3.4", GREY)
    assert str(summary) == "No request was called bad."


def test_nothing_that_commands_a_terminal_is_printed():
    assert printable("\x1b[31m\u202e") == r"\x1b[31m\u202e"
    assert printable("é" * 300) == "é" * 197 + "..."


def test_summary_stays_small(monkeypatch):
    monkeypatch.setattr(log_report, "MOST_ADDRESSES", 100)
    summary = Summary()
    for n in range(1_000):
        summary.add("busy", BAD)
        summary.add(f"{n}" * 100, n % 3)
    assert len(summary.requests) <= 100
    assert len(summary.bad) <= 100
    assert len(summary.grey) <= 100
    assert str(summary).splitlines()[1].split()[:4] == ["busy", "1,000", "0", "1,000"]
