"""lessons/log_bans.py: who is banned, who never is, and how much memory that takes."""

import ipaddress

import numpy as np
import pytest

from lessons import log_bans
from lessons.log_bans import Bans, ban_curve, read_networks
from lessons.log_lines import Entry


def entry(time, address="1.2.3.4"):
    return Entry(address, "GET / HTTP/1.1", "200", "-", "-", time)


def at(bans, *times, address="1.2.3.4", bad=True):
    """Which of the requests at these seconds made a ban."""
    return [bans.add(entry(time, address), bad) for time in times]


def banned(bans):
    return [str(address) for address in bans.banned]


def test_a_single_verdict_never_bans():
    for requests in (1, 0, -1):
        with pytest.raises(ValueError, match="a single verdict is no reason"):
            Bans(requests)
    assert at(Bans(2), 0) == [False]
    with pytest.raises(ValueError, match="more than 0 minutes"):
        Bans(minutes=0)
    with pytest.raises(ValueError, match="more than 0 minutes"):
        Bans(lasts=float("nan"))


def test_the_window_slides_by_the_logs_own_time():
    assert at(Bans(3, minutes=1), 0, 30, 60) == [False, False, True]
    assert at(Bans(3, minutes=1), 0, 30, 61, 90) == [False, False, False, True]
    assert at(Bans(3, minutes=1), 0, 100, 200, 300) == [False] * 4


def test_lines_that_are_a_little_late_count():
    assert at(Bans(3, minutes=1), 50, 10, 40) == [False, False, True]


def test_good_requests_and_those_of_others_do_not_count():
    bans = Bans(2)
    assert at(bans, 1, 2, 3, bad=False) == [False] * 3
    assert at(bans, 4) == at(bans, 5, address="1.2.3.5") == [False]
    assert at(bans, 6) == [True]
    assert banned(bans) == ["1.2.3.4"]


def test_a_ban_ends():
    bans = Bans(2, lasts=10)
    at(bans, 0, 1)
    assert at(bans, 2, 3) == [False, False]  # banned already
    assert bans.listed("ipset") == ["add flood4 1.2.3.4 timeout 598"]
    at(bans, 601, bad=False)
    assert bans.listed() == []
    assert at(bans, 602, 603) == [False, True]
    assert bans.total == 2


def test_lines_without_a_time_have_that_of_the_line_before():
    bans = Bans(2, minutes=1)
    assert at(bans, None, None) == [False, False]
    assert bans.untimed == 2
    assert at(bans, 1, None) == [False, True]


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "::1", "::ffff:192.168.0.1", "5.6.7.8", "2001:db8::2"]
)
def test_proxies_and_those_on_the_allow_list_are_spared(address):
    allow = [ipaddress.ip_network(text) for text in ("5.6.7.0/24", "2001:db8::/64")]
    assert at(Bans(2, allow=allow), 0, 1, 2, address=address) == [False] * 3


@pytest.mark.parametrize("address", ["host.example", "2001:db8::1%; flush ruleset", "fe80::1%eth0"])
def test_what_is_no_plain_address_is_on_no_list(address):
    bans = Bans(2)
    assert at(bans, 0, 1, 2, address=address) == [False] * 3
    assert bans.listed() == []


def test_lists_for_firewalls():
    bans = Bans(2, lasts=1)
    at(bans, 0, 0, address="::ffff:1.2.3.4")
    at(bans, 0, 0, address="2001:db8::1")
    assert bans.listed("plain") == ["1.2.3.4", "2001:db8::1"]
    assert bans.listed("nft") == [
        "add element inet filter flood4 { 1.2.3.4 timeout 60s }",
        "add element inet filter flood6 { 2001:db8::1 timeout 60s }",
    ]


def test_memory_is_bounded_and_the_quiet_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(log_bans, "MOST_ADDRESSES", 100)
    bans = Bans(2)
    for n in range(1_000):
        at(bans, n / 100, address=f"1.2.{n // 256}.{n % 256}")
    assert len(bans.times) == 100
    assert at(bans, 10, address="1.2.3.231") == [True]  # the last one
    for n in range(1_000):
        at(bans, 11, 11, address=f"1.3.{n // 256}.{n % 256}")
    assert len(bans.banned) == 100
    assert len(bans.times) <= 100
    assert all(len(times) <= 2 for times in bans.times.values())


def test_allow_lists(tmp_path):
    path = tmp_path / "allow"
    path.write_text("# us\n203.0.113.7/24  # the office\n\n2001:db8::1\n")
    assert list(map(str, read_networks(path))) == ["203.0.113.0/24", "2001:db8::1/128"]
    path.write_text("1.2.3.4\nexample.org\n")
    with pytest.raises(ValueError, match="allow, line 2: expected an address or a network.*'exam"):
        read_networks(path)


def test_ban_curve():
    entries = [entry(n, address) for n in range(6) for address in ("1.1.1.1", "2.2.2.2")]
    entries += [entry(6, "3.3.3.3")] * 3
    flood = np.array([True, False] * 6 + [False] * 3)
    bad = np.array([True, False] * 6 + [True, True, False])
    curve = ban_curve(entries, bad, flood, counts=(2, 3, 7))
    assert [point["requests"] for point in curve] == [2, 3, 7]
    assert curve[0] == {
        "requests": 2,
        "stopped": 4 / 6,
        "bots": 1,
        "after": 2,
        "visitors": 1,
        "of": 2,
    }
    assert [point["stopped"] for point in curve] == [4 / 6, 3 / 6, 0]
    assert [point["visitors"] for point in curve] == [1, 0, 0]
    assert curve[2]["after"] is None
