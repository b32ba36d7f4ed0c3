"""Take a line of a web server's log apart: line -> Entry.

Known are the combined and the common log format, and what is often found before a line or around
it: the name of a host, of a file or of a container, the time of another log, quotes. A line whose
client is not sure is refused: a wrong address would take the blame for others.
"""

import functools
import ipaddress
import itertools
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

LONGEST_TEXT = 500  # characters of a request, a referrer or an agent that are kept


class Entry(NamedTuple):
    address: str
    request: str  # METHOD URL HTTP/VERSION
    code: str
    referrer: str | None  # None: this log does not tell; "-": there was none
    agent: str | None
    time: float | None = None  # seconds since 1970, by the log; None: it does not tell


# Hostile lines must not make the expression slow. Each piece can end in one place only: a quoted
# text ends at the first quote without a backslash.
QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
PIECES = {
    "an address": r'[^\s"]+ ',
    "a request in quotes": r'[^"]*(?:"" \[[^"]*)?' + QUOTED,  # Apache writes an empty user as ""
    "a status and a size": r" (\d+|-) (?:\d+|-)",
    "a referrer and an agent in quotes": rf"(?:\s*$| {QUOTED} {QUOTED})",
}
LINE = re.compile("".join(PIECES.values()))


def parse(line):
    """A line in the combined log format, or in the common one, which ends after the size -> Entry.
    Of a text longer than LONGEST_TEXT the middle is left out.

    ValueError, saying what was expected, for any other line.
    """
    match = LINE.match(line) or _in_quotes(line)
    if match:
        head = match.string[: match.start(1) - 1]  # client, user, time
        request, code, *others = match.groups()
        texts = (text and _shortened(text) for text in others)
        return Entry(_client(head), _shortened(request), code, *texts, _time(head[-29:]))
    if not line.strip():
        raise ValueError("an empty line")
    so_far = itertools.accumulate(PIECES.values())  # the first piece, the first two, ...
    patterns = zip(PIECES, so_far, strict=True)
    name = next(name for name, pattern in patterns if not re.match(pattern, line))
    raise ValueError(f"expected {name}")


def _shortened(text):
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT - 53]}...{text[-50:]}"  # a request ends with its version


def _in_quotes(line):
    """A line that is quoted as a whole: as it is, or as CSV or as JSON would do it."""
    line = line.strip()
    if len(line) > 2 and line[0] == line[-1] == '"':
        inside = line[1:-1]
        ways = (inside, inside.replace('""', '"'), inside.replace(r"\"", '"'))
        return next(filter(None, map(LINE.match, ways)), None)
    return None


# --- The time -------------------------------------------------------------------------------------

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")


@functools.lru_cache(maxsize=4_096)
def _time(text):
    """Seconds since 1970 of the last time in a text: what is before it may be a user's name, which
    anybody can choose."""
    times = TIME.findall(text)
    if not times:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = times[-1]
    try:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        zone = timezone(-offset if sign == "-" else offset)
        numbers = (int(number) for number in (day, hour, minute, second))
        return datetime(int(year), MONTHS.index(month) + 1, *numbers, tzinfo=zone).timestamp()
    except ValueError:  # the 32nd of a month
        return None


# --- The client -----------------------------------------------------------------------------------

ISO_TIME = r"\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d) "
COLOUR = r"(?:\x1b\[[\d;]*m)?"
PREFIXES = [  # what is written before a line, and by whom
    rf"{COLOUR}[\w.-]+ *\| {COLOUR}",  # docker compose: web-1  |
    r"\[pod/[^\]\s]+\] ",  # kubectl logs --prefix
    rf"(?:<\d+>)?(?:\w{{3}} [ \d]\d [\d:]{{8}}|{ISO_TIME[:-1]}) [\w.-]+ [\w./-]+(?:\[\d+\])?: ",
    rf"<\d+>1 {ISO_TIME}\S+ \S+ \S+ \S+ - ",  # syslog, old and new
    rf"{ISO_TIME}(?:std(?:out|err) [FP] )?",  # docker logs -t; containerd
    r"[\w.-]+:\d+ ",  # Apache's vhost_combined: www.example.org:80
    r"[\w.-]+ (?=[\da-fA-F]*[.:][\da-fA-F.:]+[ ,])",  # a host's name before an address
    r"[^\s:]+:(?=\S)",  # grep: access.log:
    r"\d+:",  # grep -n: access.log:12:
]
PREFIX = [re.compile(prefix) for prefix in PREFIXES]
HOST = re.compile(r"(?:localhost|(?:[\w-]+\.)+[\w-]+(?<=[A-Za-z])\.?) - ")  # HostnameLookups on
PRIVATE = [ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
PRIVATE += [ipaddress.ip_network(n) for n in ("127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10")]


@functools.lru_cache(maxsize=8_192)
def address_of(word):
    """An address as ipaddress has it, or None. 12:2001:db8::1 is none: it is of a range that nobody
    has, and surely the 12th line of a file that begins with the address of somebody."""
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return None
    if address.version == 6 and address.is_reserved:
        return address if address.is_loopback or address.ipv4_mapped else None
    return address


def _client(head):
    """The client at the start of a line, behind whatever prefix.

    ValueError if there is none, or if it is not sure which of several addresses it is.
    """
    first, _, rest = head.partition(" ")
    if rest.startswith("- ") and address_of(first):  # nearly always
        return first
    for _ in range(5):  # prefixes
        words = head.split(None, 4)
        addresses = list(itertools.takewhile(lambda word: address_of(word.rstrip(",")), words))
        if addresses:
            return _outside([word.rstrip(",") for word in addresses])
        if HOST.match(head):
            return words[0]
        rests = (head[m.end() :] for m in (prefix.match(head) for prefix in PREFIX) if m)
        head = next(rests, "")
    raise ValueError("expected an address at the start, or behind a known prefix")


def _outside(addresses):
    """Behind a proxy a line may begin with two addresses or more. The client is the one that does
    not belong to a private network."""
    if len(addresses) > 1:
        public = [a for a in addresses if not any(address_of(a) in net for net in PRIVATE)]
        if len(public) != 1:
            raise ValueError("expected one client at the start, not several addresses")
        return public[0]
    return addresses[0]
