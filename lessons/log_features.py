"""What there is to say about a request: Entry -> a set of names, its features.

A name for each question that is answered with yes. There are questions about

- the request: method, version, path, and the keys of the query. Not their values: `topic` is worth
  knowing, but with the number 347425 it would be a feature that hardly ever comes again;
- the referrer, taken apart in the same way;
- the agent: the product before the brackets (BASE), the pieces in them (OS), the products after
  them (VER);
- the status code, if it is one of CODES;
- what was not sent at all, and what does not look like a request: a long path, many keys, a broken
  address, the first bytes of an encrypted connection.

Not here: rates, times and order of the requests, which tell much more about a flood; log_bans.py
counts them.
"""

import functools
import re
from urllib.parse import urlsplit

from lessons.log_lines import address_of

LONGEST_PATH = 128  # characters; no page of a forum has a longer one
LONGEST_NAME = 160  # of a feature: what is longer is cut
MANY_KEYS = 8
MANY_PIECES = 32  # of an agent
CODES = {"403", "404", "503"}  # forbidden, not found, overloaded: what floods meet

# A name with three underscores before its last part holds something that was read; one with a
# single underscore is a remark. So no request can write a remark.


def remembered(function):
    """Keep the last results: agents and pages come again and again. Long texts are not kept, or a
    flood of them would fill the memory."""
    short = functools.lru_cache(maxsize=8_192)(function)

    @functools.wraps(function)
    def look_up(text):
        return short(text) if len(text) <= 300 else function(text)

    return look_up


def url_features(name, scheme, host, path, query):
    found = [f"{name}___SCHEME_{scheme}", f"{name}___NETLOC_{host}"]
    found.append(f"{name}___PATH_{path}" if len(path) <= LONGEST_PATH else f"{name}_LONG_PATH")
    keys = {pair.partition("=")[0] for pair in query.split("&") if pair}
    if len(keys) >= MANY_KEYS:
        return [*found, f"{name}_MANY_KEYS"]
    return found + [f"{name}___QS_{key}" for key in keys]


REQUEST = re.compile(r"([A-Z_-]{1,20}) (.+?)(?: (HTTP/\d(?:\.\d)?))?")


@remembered
def request_features(request):
    """Method, version and address of the page; or that the request is broken, as when somebody
    speaks TLS to a port that does not."""
    match = REQUEST.fullmatch(request)
    if not match:
        return ["__REQ_BROKEN"]
    method, url, version = match.groups()
    found = [f"__REQ___METHOD_{method}"]
    found.append(f"__REQ___HTTP_VER_{version}" if version else "__REQ_NO_HTTP_VER")
    if method == "CONNECT":
        return [*found, *url_features("__REQ___URL", "", url, "", "")]
    if url.startswith("/"):  # urlsplit would take //page for a host
        path, _, query = url.partition("?")
        return [*found, *url_features("__REQ___URL", "", "", path, query)]
    try:
        scheme, host, path, query, _ = urlsplit(url)
    except ValueError:  # http://[::1/ for one
        return [*found, "__REQ_BROKEN"]
    return [*found, *url_features("__REQ___URL", scheme, host, path, query)]


@remembered
def referrer_features(referrer):
    """Where the visitor came from, by the visitor's own account."""
    if referrer in ("-", ""):
        return ["__NO_REFER__"]
    try:
        scheme, host, path, query, _ = urlsplit(referrer)
    except ValueError:
        scheme = ""
    if not scheme:
        return ["__REFER_BROKEN"]
    return url_features("__REFER", scheme, host, path, query)


BRACKETS = r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)"  # with brackets in them, perhaps
AGENT = re.compile(rf"([^()]*){BRACKETS}(.*)")  # product (system; system) product product
COMMENT = re.compile(BRACKETS)  # as in product (KHTML, like Gecko) product


@remembered
def agent_features(agent):
    """The user agent: the product before the brackets, the pieces in them, the products after."""
    if agent in ("-", ""):
        return ["__UA_EMPTY"]
    if "(" not in agent and ")" not in agent:
        return [f"__UA___PLAIN_{agent}"]
    match = AGENT.match(agent)
    if not match:
        return ["__UA_BROKEN"]
    base, system, rest = match.groups()
    pieces = (piece.strip() for piece in system.split(";"))
    found = [f"__UA___OS_{piece}" for piece in pieces if piece]
    found += [f"__UA___VER_{product}" for product in COMMENT.sub(" ", rest).split()]
    if len(found) > MANY_PIECES:
        return ["__UA_MANY_PIECES"]
    return [*found, f"__UA___BASE_{base.strip()}"] if base.strip() else found


def features(entry):
    """What there is to say about an entry, as a set of names. A field that the log does not have
    gives none. However long and hostile the entry, the names are few and short."""
    found = set(request_features(entry.request))
    if entry.referrer is not None:
        found.update(referrer_features(entry.referrer), agent_features(entry.agent))
    if entry.code in CODES:
        found.add(f"__CODE_{entry.code}")
    return {name[:LONGEST_NAME] for name in found}


def with_first_octet(entry):
    """The features, and where the address begins: the first number of 198.18.0.1, the first group
    of 2001:db8::1. That is a guess by the neighbourhood: whole countries share a first octet."""
    address = address_of(entry.address)
    if not address:  # a name
        return features(entry)
    first = address.exploded.partition("." if address.version == 4 else ":")[0]
    return features(entry) | {f"__ADDRESS___FIRST_{first}"}
