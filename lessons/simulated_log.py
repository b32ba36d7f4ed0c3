"""A simulated log: an evening of a forum, with visitors who read and a botnet that floods it.

Real logs hold people's addresses and habits, so none comes with this repository. All here is made
up, from a seed. parse of log_features.py reads its lines.
"""

import random

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
