"""Whom to ban, and for how long: addresses that sent several bad requests within minutes.

A verdict on a single request is often wrong, and a ban by it would lock out visitors. Several in a
short time are wrong less often. ban_curve measures how much less.

Time is that of the log, so a log of last year is judged as it would have been then. The memory is
bounded, whatever the log: who has been quiet for longest is forgotten first.
"""

import ipaddress
from collections import OrderedDict, deque
from pathlib import Path

import numpy as np

from lessons.log_lines import PRIVATE, address_of

MOST_ADDRESSES = 50_000  # that are counted, and that are banned at a time
FORMS = {  # a line of the list, for an address of IPv4 or IPv6 and seconds that are left
    "plain": "{address}",
    "nft": "add element inet filter flood{version} {{ {address} timeout {seconds}s }}",
    "ipset": "add flood{version} {address} timeout {seconds}",
}


class Bans:
    """Counts the bad requests of each address.

    requests  bad ones within `minutes` that make a ban: 2 or more, never a single one
    minutes   the length of the window, which slides
    lasts     minutes until a ban ends: behind the address may be somebody else by then
    allow     networks that are never banned; private ones never are, they are your own proxies

    `times` has the last bad requests of each address, `banned` the time when each ban ends, `now`
    is the latest time in the log. `untimed` counts bad requests before the first line with a time,
    which cannot be counted. ValueError for numbers out of range.
    """

    def __init__(self, requests=5, minutes=5.0, *, lasts=60.0, allow=()):
        if requests < 2:
            raise ValueError("a single verdict is no reason for a ban: expected 2 requests or more")
        if not (minutes > 0 and lasts > 0):
            raise ValueError("expected more than 0 minutes for the window and for the ban")
        self.requests, self.window, self.lasts = requests, 60 * minutes, 60 * lasts
        self.allow = [*PRIVATE, *allow]
        self.times, self.banned = OrderedDict(), OrderedDict()  # both in order of time
        self.now, self.untimed, self.total = -np.inf, 0, 0

    def add(self, entry, bad):
        """Take notice of an entry. Whether its address is banned by it."""
        time = self.now if entry.time is None else entry.time
        self.now = max(self.now, time)
        _forget(self.banned, self.now)
        if not bad:
            return False
        if time == -np.inf:
            self.untimed += 1
            return False
        address = address_of(entry.address)
        address = getattr(address, "ipv4_mapped", None) or address
        # A firewall knows no names, and no scopes, which may be any text.
        if not address or getattr(address, "scope_id", None) or address in self.banned:
            return False
        if any(address in network for network in self.allow):
            return False
        times = self.times.setdefault(address, deque(maxlen=self.requests))
        times.append(time)
        if len(times) == self.requests and max(times) - min(times) <= self.window:
            del self.times[address]
            self.banned[address] = self.now + self.lasts
            self.total += 1
            _forget(self.banned, self.now)
            return True
        self.times.move_to_end(address)
        while len(self.times) > MOST_ADDRESSES:
            self.times.popitem(last=False)
        return False

    def listed(self, form="plain"):
        """The bans that have not ended: a list of lines for a firewall, in one of FORMS."""
        return [
            FORMS[form].format(address=a, version=a.version, seconds=max(1, round(end - self.now)))
            for a, end in self.banned.items()
        ]


def _forget(banned, now):
    while banned and (next(iter(banned.values())) <= now or len(banned) > MOST_ADDRESSES):
        banned.popitem(last=False)


def read_networks(path):
    """The addresses and networks in a file, one a line; # begins a comment.

    OSError, or ValueError that names the line.
    """
    networks = []
    for number, line in enumerate(Path(path).read_text(errors="replace").splitlines(), start=1):
        if text := line.partition("#")[0].strip():
            try:
                networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError:
                expected = "expected an address or a network such as 203.0.113.0/24"
                raise ValueError(f"{path}, line {number}: {expected}, got {text!a:.60}") from None
    return networks


def ban_curve(entries, bad, flood, *, counts=range(2, 21), minutes=5.0, allow=()):
    """What bans would have done, for each number of bad requests that make one: a dictionary each.

    entries     in order of time
    bad         (n,), whether each was called bad
    flood       (n,), whether each was

    "stopped" is the share of the flood's requests that came after the ban of their address, the
    "bots" the share of its addresses that were banned, "after" the median of the requests that
    these had sent by then, "visitors" the number of other addresses that were banned, and
    "of" how many there are.
    """
    addresses = [entry.address for entry in entries]
    bots = {address for address, flooded in zip(addresses, flood, strict=True) if flooded}
    visitors = set(addresses) - bots
    points = []
    for requests in counts:
        bans, sent, banned, stopped = Bans(requests, minutes, lasts=1e9, allow=allow), {}, {}, 0
        for entry, called_bad, flooded in zip(entries, bad, flood, strict=True):
            sent[entry.address] = sent.get(entry.address, 0) + 1
            if entry.address in banned:
                stopped += bool(flooded)
            elif bans.add(entry, called_bad):
                banned[entry.address] = sent[entry.address]
        after = [count for address, count in banned.items() if address in bots]
        points.append(
            {
                "requests": requests,
                "stopped": stopped / max(1, int(np.sum(flood))),
                "bots": len(after) / max(1, len(bots)),
                "after": float(np.median(after)) if after else None,
                "visitors": len(banned) - len(after),
                "of": len(visitors),
            }
        )
    return points
