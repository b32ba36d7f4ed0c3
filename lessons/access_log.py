"""Is this request from a visitor or from a flood? A network that reads the logs of web servers.

    python lessons/access_log.py --good good.log --bad bad.log access.log

learns from two logs and judges a third: each request with a verdict and the probability that it
is bad, then a summary by address. "-" is the standard input; logs may be gzipped. Without logs of
your own, let it simulate three: python lessons/access_log.py --simulate FOLDER

A verdict is a hint, not a block list: single requests of visitors and of floods can be the same.

The way of a line: parse -> Entry -> features, a set of names -> a dictionary, which gives each
name a column -> a row of a sparse matrix -> nn.NeuralNetwork -> the probability.
Not here: rates, times and order of the requests, which tell much more about a flood.
"""

import argparse
import functools
import gzip
import io
import itertools
import os
import random
import re
import sys
import zlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nn import NeuralNetwork  # noqa: E402

LONGEST_LINE = 16_384  # characters; servers do not take longer requests
LONGEST_PATH = 128  # characters; no page of a forum has a longer one
MANY_KEYS = 8
CODES = {"403", "404", "503"}  # forbidden, not found, overloaded: what floods meet
FEWEST = 3  # entries that a feature must be in: from one alone nothing can be learned
MOST_FEATURES = 300  # in the dictionary: the hidden layer is twice as wide
LEARN_FROM = 20_000  # lines of each log, picked at random
BATCH = 2_000  # lines judged at a time
MOST_ADDRESSES = 50_000  # in the summary, so that a flood of addresses cannot fill the memory
HINT = "A verdict is a hint, not a block list: look before you block anyone."

# --- A line -> its fields -------------------------------------------------------------------------


class Entry(NamedTuple):
    address: str
    request: str  # METHOD URL HTTP/VERSION
    code: str
    referrer: str | None  # None: this log does not tell; "-": there was none
    agent: str | None


# Hostile lines must not make the expression slow. Each piece can end in one place only: a quoted
# text ends at the first quote without a backslash, and a time is short.
QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
PIECES = {
    "an address": r"(\S+) ",
    "a time in [brackets]": r'[^"]*?\[[^\]\["]{0,40}\] ',
    "a request in quotes": QUOTED,
    "a status and a size": r" (\d+|-) (?:\d+|-)",
    "a referrer and an agent in quotes": rf"(?:\s*$| {QUOTED} {QUOTED})",
}
LINE = re.compile("".join(PIECES.values()))


def parse(line):
    """A line in the combined log format, or in the common one, which ends after the size -> Entry.

    ValueError, saying what was expected, for any other line.
    """
    if match := LINE.match(line):
        return Entry(*match.groups())
    if not line.strip():
        raise ValueError("an empty line")
    pieces = list(PIECES.values())
    known = (n for n in range(len(pieces)) if not re.match("".join(pieces[: n + 1]), line))
    raise ValueError(f"expected {list(PIECES)[next(known)]}")


# --- An entry -> its features ---------------------------------------------------------------------
# A name with three underscores before its last part holds something that was read; one with a
# single underscore is a remark. So no request can write a remark.


def remembered(function):
    """Keep the last results: agents and pages come again and again. Long texts are not kept, or a
    flood of them would fill the memory."""
    short = functools.lru_cache(maxsize=8_192)(function)
    return functools.wraps(function)(lambda t: short(t) if len(t) <= 300 else function(t))


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
    return [*found, f"__UA___BASE_{base.strip()}"] if base.strip() else found


def features(entry):
    """What there is to say about an entry, as a set of names. A field that the log does not have
    gives none."""
    found = set(request_features(entry.request))
    if entry.referrer is not None:
        found.update(referrer_features(entry.referrer), agent_features(entry.agent))
    if entry.code in CODES:
        found.add(f"__CODE_{entry.code}")
    return found


# --- Files of lines -------------------------------------------------------------------------------


class Tally:
    """How many lines a log has, which ones could not be read, and why."""

    def __init__(self):
        self.lines, self.unreadable, self.first, self.damage = 0, Counter(), {}, ""

    def note(self, reason):
        self.unreadable[reason] += 1
        self.first.setdefault(reason, self.lines)

    def __str__(self):
        text = f"{self.unreadable.total():,} of {self.lines:,} lines could not be read"
        text = text if self.lines else "no lines in it"
        for reason, count in self.unreadable.most_common():
            text += f"\n  {count:,}: {reason}; the first is line {self.first[reason]:,}"
        return text + self.damage


def read(path, tally):
    """Yield the entries of the log at `path`, gzipped or not; "-" is the standard input. Lines that
    cannot be read are left out and noted in `tally`, and so is the damage that ends a gzipped log.

    OSError if there is no such file.
    """
    with sys.stdin.buffer if path == "-" else open(path, "rb") as file:
        if file.peek(2)[:2] == b"\x1f\x8b":  # each gzipped file begins like this
            file = gzip.GzipFile(fileobj=file)
        # Bytes that are no UTF-8 become \xff and the like.
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")
        try:
            while line := text.readline(LONGEST_LINE):
                tally.lines += 1
                try:
                    if len(line) == LONGEST_LINE and line[-1] != "\n":
                        while (rest := text.readline(LONGEST_LINE)) and rest[-1] != "\n":
                            pass
                        raise ValueError(f"longer than {LONGEST_LINE:,} characters")
                    entry = parse(line)
                except ValueError as error:
                    tally.note(str(error))
                else:
                    yield entry
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            tally.damage = f"\n  the gzipped file is damaged after line {tally.lines:,}: {error}"


# --- Learning -------------------------------------------------------------------------------------


def sample(entries, most, seed=0):
    """At most `most` of the entries, each as likely as the others; memory for no more than these
    (reservoir sampling: J. Vitter 1985, algorithm R)."""
    rng, kept = random.Random(seed), []
    for count, entry in enumerate(entries):
        if count < most:
            kept.append(entry)
        elif (place := rng.randrange(count + 1)) < most:
            kept[place] = entry
    return kept


def split(entries, seed=0):
    """Three lists, 60, 20 and 20 % of the entries: to learn from, to choose by, to test with. The
    requests of an address stay together, since they are so alike that to know one is to know the
    others; only at the two cuts an address may be divided."""
    order = list(entries)
    random.Random(seed).shuffle(order)
    addresses = {entry.address: None for entry in order}  # in random order, too
    place = {address: n for n, address in enumerate(addresses)}
    order.sort(key=lambda entry: place[entry.address])
    cuts = [0, round(0.6 * len(order)), round(0.8 * len(order)), len(order)]
    return [order[start:stop] for start, stop in zip(cuts[:-1], cuts[1:], strict=True)]


def new_dictionary():
    """It gives a column to each feature that FEWEST entries have, or, if that are too many, to the
    most frequent ones. When it reads, features that it did not learn are ignored."""
    return CountVectorizer(
        analyzer=lambda entry: sorted(features(entry)),  # a set has another order in each run
        binary=True,
        min_df=FEWEST,
        max_features=MOST_FEATURES,
        dtype=np.float32,
    )


def new_network(inputs, seed):
    return NeuralNetwork(
        (inputs, 2 * inputs, 2),
        hidden="sigmoid",
        output="softmax",
        loss="cross-entropy",
        biases=True,
        seed=seed,
    )


class Judge:
    """Learns from good and bad entries, two lists; then tells how likely others are bad.

    networks     that learn, each from another seed; the one with the smallest loss on the
                 validation part is kept
    epochs, learning_rate  of each

    `validation_losses` has a number a network, `tested` counts the test part: (2, 2), rows are
    good and bad entries, columns verdicts. `error` is the fraction of wrong verdicts there.
    `say` is called with a line of text now and then. ValueError for less than ten entries of a
    kind, or if they have nothing in common.
    """

    def __init__(self, good, bad, *, networks=4, epochs=10, learning_rate=0.3, seed=0, say=str):
        if min(len(good), len(bad)) < 10:
            raise ValueError(
                "ten good and ten bad requests at least are needed to learn from, "
                f"got {len(good)} and {len(bad)} that could be read"
            )
        parts = zip(split(good, seed), split(bad, seed), strict=True)
        (learn, labels), choose, test = (
            (g + b, np.repeat([0, 1], [len(g), len(b)])) for g, b in parts
        )
        self.dictionary = new_dictionary()
        x = self.dictionary.fit_transform(learn)  # (n, features), sparse
        validation = self.dictionary.transform(choose[0]), choose[1]
        trained = [new_network(x.shape[1], seed + k) for k in range(networks)]
        self.validation_losses = []
        for network in trained:
            network.train(
                x,
                labels,
                epochs=epochs,
                learning_rate=learning_rate,
                rotations=(),
                progress=False,
            )
            if network.epoch < epochs:  # train was interrupted, and took it for "go on without me"
                raise KeyboardInterrupt
            self.validation_losses.append(network.measure(*validation)[0])
            say(f"{network.layers}: validation loss {self.validation_losses[-1]:.4f}")
        self.network = trained[int(np.argmin(self.validation_losses))]
        self.tested = np.zeros((2, 2), int)
        np.add.at(self.tested, (test[1], (self.probabilities(test[0]) > 0.5).astype(int)), 1)
        self.error = 1 - self.tested.trace() / self.tested.sum()

    def probabilities(self, entries):
        """How likely each entry is bad: (n,), 0..1."""
        return self.network.outputs(self.dictionary.transform(entries))[:, 1]


# --- A simulated log ------------------------------------------------------------------------------

SITE = "http://forum.example"
FIREFOX = "Mozilla/5.0 ({}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"
CHROME = "Mozilla/5.0 ({}) AppleWebKit/535.1 (KHTML, like Gecko) Chrome/{v}.0.874 Safari/535.1"
OPERA = "Opera/9.80 ({}; U; en) Presto/2.9.168 Version/11.{v}"
EXPLORER = "Mozilla/5.0 (compatible; MSIE 9.0; {}; Trident/5.0)"
SYSTEMS = ["Windows NT 6.1", "Windows NT 6.1; WOW64", "Windows NT 5.1", "X11; Linux x86_64"]
SYSTEMS += ["Macintosh; Intel Mac OS X 10_7_2", "Windows NT 6.0", "X11; Ubuntu; Linux i686"]
OLD_AGENTS = [
    "Mozilla/5.0 (Windows; U; Windows NT 5.1; pl; rv:1.9) Gecko/2008052906 Firefox/3.0",
    "Mozilla/5.0 (Windows; U; Windows NT 6.0; de; rv:1.9.2) Gecko/20100115 Firefox/3.6",
    "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; .NET CLR 2.0.50727)",
    "Opera/9.00 (Windows NT 5.1; U; ru)",
]
READERS = ["FeedReader/3.14", "Liferea/1.6.4", "Mozilla/5.0 (compatible; NewsSpider/2.1)", "-"]
ELSEWHERE = ["http://www.google.com/search?q=forum", "http://www.mozilla-europe.org/"]
ELSEWHERE += ["http://yandex.example/search?text=forum", "http://news.example/2011/12/20/"]


def _agent(rng):
    if rng.random() < 0.2:
        return rng.choice(OLD_AGENTS)
    form = rng.choice([FIREFOX, FIREFOX, CHROME, CHROME, OPERA, EXPLORER])
    return form.format(rng.choice(SYSTEMS), v=rng.randint(5, 15))


def _page(rng):
    """A page of the forum as somebody who reads there asks for it; new topics most of all."""
    topic = 347_425 - min(int(rng.paretovariate(0.7)), 300_000)
    pages = ["/forum/index.php", f"/forum/topic.php?topic={topic}", "/"]
    pages += [f"/forum/topic.php?topic={topic}&page={rng.randint(2, 9)}"]
    pages += [f"/forum/board.php?board={rng.randint(1, 20)}", f"/forum/members.php?id={topic}"]
    pages += [f"/forum/search.php?q={topic}&board=1", f"/forum/rss.php?topic={topic}"]
    return rng.choices(pages, [15, 40, 5, 12, 12, 4, 4, 8])[0]


def _visit(rng):
    """A visitor's session: (seconds later, method, url, version, code, referrer, agent)."""
    agent, version = _agent(rng), "1.0" if rng.random() < 0.08 else "1.1"
    if rng.random() < 0.1:  # a program that fetches the news
        agent = rng.choice(READERS)
        for _ in range(rng.randint(1, 12)):
            yield 600, "GET", f"/forum/rss.php?topic={rng.randint(1, 50)}", version, 200, "-", agent
        return
    referrer = rng.choice([*ELSEWHERE, "-", "-", "-"])
    for _ in range(min(int(rng.paretovariate(0.8)), 60)):
        page, code = _page(rng), rng.choices([200, 304, 404, 403, 503], [85, 8, 2, 1, 4])[0]
        yield rng.expovariate(1 / 40), "GET", page, version, code, referrer, agent
        referrer = rng.choices([SITE + page, "-"], [95, 5])[0]
        for extra in rng.sample(["/style.css", "/logo.png", "/favicon.ico"], rng.choice([0, 0, 1])):
            yield 1, "GET", extra, version, 304, referrer, agent
        if rng.random() < 0.06:
            to = rng.choice(["/forum/login.php", "/forum/reply.php?topic=347425"])
            yield 30, "POST", to, version, 302, referrer, agent


def _bot(rng):
    """A computer of the botnet. Some are crude, some forge an agent, some look like visitors."""
    kind = rng.choices(["crude", "forger", "actor"], [52, 40, 8])[0]
    version = "1.0" if rng.random() < 0.3 and kind != "actor" else "1.1"
    target = rng.choice(["/forum/index.php", "/forum/index.php", "/", "/forum/search.php?q=1"])
    method = rng.choice(["GET", "POST"]) if kind == "crude" else "GET"
    agent = rng.choice(["-", "-", *OLD_AGENTS[2:]]) if kind == "crude" else _agent(rng)
    agent = rng.choice(OLD_AGENTS) if kind == "forger" and rng.random() < 0.6 else agent
    referrer = rng.choice(["-", *ELSEWHERE])
    for _ in range(rng.randint(5, 40)):
        url = target
        if kind == "actor":
            url, referrer = _page(rng), SITE + _page(rng)
        elif kind == "forger" and rng.random() < 0.2:
            url = f"/?{rng.randrange(10**6)}"  # another one each time: no cache helps
        code = rng.choices([200, 503, 403, 404], [60, 30, 8, 2])[0]
        yield rng.expovariate(1 / 4), method, url, version, code, referrer, agent


def simulate(lines=10_000, seed=0):
    """Two logs of one evening, made up: `lines` of visitors who read a forum in sessions and as
    many of a botnet that floods a few of its pages. Two lists of lines, in order of time.

    The addresses are from a range that is set aside for tests, 198.18.0.0/15, and from 2001:db8::.
    """
    rng, logs = random.Random(seed), []
    for client in (_visit, _bot):
        log = []
        while len(log) < lines:
            address = f"198.{rng.randint(18, 19)}.{rng.randrange(256)}.{rng.randrange(256)}"
            address = f"2001:db8::{rng.randrange(2**16):x}" if rng.random() < 0.1 else address
            time = rng.uniform(0, 7_000)
            for later, method, url, version, code, referrer, agent in client(rng):
                time += later
                hours, minutes, seconds = int(time // 3600), int(time // 60 % 60), int(time % 60)
                line = (
                    f"{address} - - [20/Dec/2011:{18 + hours}:{minutes:02}:{seconds:02} +0400] "
                    f'"{method} {url} HTTP/{version}" {code} {rng.randint(100, 30_000)} '
                    f'"{referrer}" "{agent}"'
                )
                log.append((time, line))
        logs.append([line for _, line in sorted(log[:lines])])
    return logs


# --- The command ----------------------------------------------------------------------------------


class Summary:
    """Requests and bad verdicts by address, for at most MOST_ADDRESSES of them."""

    def __init__(self):
        self.requests, self.bad = Counter(), Counter()

    def add(self, address, bad):
        address = address[:64]
        self.requests[address] += 1
        if bad:
            self.bad[address] += 1
        if len(self.requests) > MOST_ADDRESSES:  # forget the half that asked for the least
            self.requests = Counter(dict(self.requests.most_common(MOST_ADDRESSES // 2)))
            self.bad = Counter({a: n for a, n in self.bad.items() if a in self.requests})

    def __str__(self):
        rows = [f"{'address':<39} {'requests':>9} {'bad':>9}"]
        for address, bad in self.bad.most_common(20):
            count = self.requests[address]
            rows.append(f"{printable(address):<39} {count:9,} {bad:9,} = {bad / count:.0%}")
        return "\n".join(rows)


def printable(text, most=200):
    """Text that cannot give orders to a terminal, and not too much of it."""
    text = text if len(text) <= most else text[: most - 3] + "..."
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def judge_log(judge, entries, summary):
    """Yield a text for each batch of entries, a line an entry: verdict, probability, request."""
    while batch := list(itertools.islice(entries, BATCH)):
        lines = []
        for entry, p in zip(batch, judge.probabilities(batch).tolist(), strict=True):
            summary.add(entry.address, p > 0.5)
            verdict, who = "bad " if p > 0.5 else "good", printable(entry.address)
            lines.append(f"{verdict} {p:.3f}  {who:<15}  {printable(entry.request)}\n")
        yield "".join(lines)


def write_simulation(folder, seed):
    good, bad = simulate(seed=seed)
    mixed = sum(simulate(2_000, seed=seed + 1), [])  # of another evening
    mixed.sort(key=lambda line: line.split()[3])  # by time
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, lines in (("good.log", good), ("bad.log", bad), ("access.log", mixed)):
        with open(Path(folder) / name, "x") as file:  # x: never over a log that is there
            file.writelines(f"{line}\n" for line in lines)
    print(f"good.log, bad.log and access.log, all three simulated, are in {folder}")


def run(options):
    """The exit code."""
    say = functools.partial(print, file=sys.stderr)
    if options.log != "-":
        os.stat(options.log)  # complains now, not after the training
    learned = []
    for path in (options.good, options.bad):
        tally = Tally()
        learned.append(sample(read(path, tally), LEARN_FROM, options.seed))
        say(f"{path}: {tally}")
    judge = Judge(*learned, networks=options.networks, seed=options.seed, say=say)
    (_, alarms), (missed, _) = judge.tested
    good, bad = judge.tested.sum(axis=1)
    say(f"test part: {judge.error:.1%} wrong: {alarms:,} of {good:,} good requests called bad,")
    say(f"{missed:,} of {bad:,} bad ones called good.")
    say("Now each request: the verdict, how likely it is bad, the address, the request.")
    tally, summary = Tally(), Summary()
    try:
        for text in judge_log(judge, read(options.log, tally), summary):
            sys.stdout.write("" if options.summary else text)
    finally:  # also when interrupted
        print(f"\n{summary}\n{HINT}", flush=True)
        say(f"{options.log}: {tally}")
    if tally.lines and tally.lines == tally.unreadable.total():
        raise ValueError(f"{options.log}: no line is in the combined log format")
    return 1 if tally.damage else 0


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Learn from good and bad requests, then judge the requests of a log.",
        epilog=f"Logs are in the combined format, gzipped or not. {HINT} "
        "Exit code: 0 fine, 1 a log is missing, damaged or unreadable, 2 wrong options.",
    )
    parser.add_argument("log", nargs="?", help='the log to judge; "-" is the standard input')
    parser.add_argument("--good", metavar="LOG", help="requests of visitors, to learn from")
    parser.add_argument("--bad", metavar="LOG", help="requests of a flood, to learn from")
    parser.add_argument("--networks", type=int, default=4, help="to choose from (4)")
    parser.add_argument("--seed", type=int, default=0, help="another one, another result (0)")
    parser.add_argument("--summary", action="store_true", help="only the summary by address")
    parser.add_argument("--simulate", metavar="FOLDER", help="write three simulated logs there")
    options = parser.parse_args(arguments)
    if not options.simulate and not (options.log and options.good and options.bad):
        parser.error("expected --good LOG --bad LOG and a log to judge, or --simulate FOLDER")
    if options.networks < 1:
        parser.error("--networks: expected 1 or more")
    try:
        if options.simulate:
            write_simulation(options.simulate, options.seed)
            return 0
        return run(options)
    except BrokenPipeError:  # whoever read the output has seen enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"access_log.py: {error.filename}: {error.strerror}", file=sys.stderr)
    except ValueError as error:
        print(f"access_log.py: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
