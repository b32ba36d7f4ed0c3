"""lessons/log_features.py: what a line says, whoever wrote it."""

import time

import pytest

from lessons.log_features import features, with_first_octet
from lessons.log_lines import parse

# The two published entries, and what must come of them: 15 features, 10, and 23 together.
GOOD = (
    '0.0.0.0 - - [20/Dec/2011:15:00:03 +0400] "GET /forum/rss.php?topic=347425 HTTP/1.0" 200 1685 '
    '"-" "Mozilla/5.0 (Windows; U; Windows NT 5.1; pl; rv:1.9) Gecko/2008052906 Firefox/3.0"'
)
BAD = (
    '0.0.0.0 - - [20/Dec/2011:20:00:08 +0400] "POST /forum/index.php HTTP/1.1" 503 107 '
    '"http://www.mozilla-europe.org/" "-"'
)
# The third one, which is judged: 5 of these 23, and 4 that nothing is known of.
JUDGED = (
    '0.0.0.0 - - "GET /forum/viewtopic.php?t=425550 HTTP/1.1" 502 107 "-" "BTWebClient/3000(25824)"'
)
OF_BOTH = {"__REQ___URL___NETLOC_", "__REQ___URL___SCHEME_"}
OF_GOOD = {
    "__NO_REFER__",
    "__REQ___HTTP_VER_HTTP/1.0",
    "__REQ___METHOD_GET",
    "__REQ___URL___PATH_/forum/rss.php",
    "__REQ___URL___QS_topic",
    "__UA___BASE_Mozilla/5.0",
    "__UA___OS_U",
    "__UA___OS_Windows",
    "__UA___OS_Windows NT 5.1",
    "__UA___OS_pl",
    "__UA___OS_rv:1.9",
    "__UA___VER_Firefox/3.0",
    "__UA___VER_Gecko/2008052906",
}
OF_BAD = {
    "__CODE_503",
    "__REFER___NETLOC_www.mozilla-europe.org",
    "__REFER___PATH_/",
    "__REFER___SCHEME_http",
    "__REQ___HTTP_VER_HTTP/1.1",
    "__REQ___METHOD_POST",
    "__REQ___URL___PATH_/forum/index.php",
    "__UA_EMPTY",
}
PAGE = {"__REQ___METHOD_GET", "__REQ___HTTP_VER_HTTP/1.1", *OF_BOTH, "__REQ___URL___PATH_/"}
START = "1.2.3.4 - - [20/Dec/2011:15:00:03 +0400] "


def line(request="GET / HTTP/1.1", code="200", referrer="-", agent="-"):
    return f'{START}"{request}" {code} 5 "{referrer}" "{agent}"'


def of(**fields):
    return features(parse(line(**fields)))


def of_request(request):
    return {name for name in of(request=request) if name.startswith("__REQ")}


def of_agent(agent):
    return {name for name in of(agent=agent) if name.startswith("__UA")}


def of_referrer(referrer):
    return {name for name in of(referrer=referrer) if "REFER" in name}


# --- Features -------------------------------------------------------------------------------------


def test_the_published_entries_give_exactly_the_published_features():
    assert features(parse(GOOD)) == OF_GOOD | OF_BOTH
    assert features(parse(BAD)) == OF_BAD | OF_BOTH
    assert len(OF_GOOD | OF_BAD | OF_BOTH) == 23


def test_the_third_published_entry_has_five_known_features_and_four_unknown_ones():
    found = features(parse(JUDGED))
    assert found & (OF_GOOD | OF_BAD | OF_BOTH) == OF_BOTH | {
        "__NO_REFER__",
        "__REQ___HTTP_VER_HTTP/1.1",
        "__REQ___METHOD_GET",
    }
    assert found - (OF_GOOD | OF_BAD | OF_BOTH) == {
        "__REQ___URL___PATH_/forum/viewtopic.php",
        "__REQ___URL___QS_t",
        "__UA___BASE_BTWebClient/3000",
        "__UA___OS_25824",
    }


@pytest.mark.parametrize(
    ("address", "first"), [("1.2.3.4", "1"), ("2001:db8::1", "2001"), ("::1", "0000")]
)
def test_where_an_address_begins_is_a_feature_for_those_who_want_it(address, first):
    entry = parse(line())._replace(address=address)
    assert with_first_octet(entry) - features(entry) == {f"__ADDRESS___FIRST_{first}"}


def test_a_host_name_has_no_first_octet():
    entry = parse(line())._replace(address="host.example")
    assert with_first_octet(entry) == features(entry)


@pytest.mark.parametrize(
    "fields",
    [
        {"agent": "M (" + ";".join(f"{n}" for n in range(100)) + ")"},
        {"agent": "M (x) " + " ".join(f"{n}" for n in range(100))},
        {"agent": "x" * 16_000},
        {"referrer": "http://" + "x" * 16_000},
        {"request": "GET /?" + "&".join(7 * ["k" * 2_000]) + " HTTP/1.1"},
    ],
)
def test_hostile_entries_have_few_and_short_features(fields):
    found = of(**fields)
    assert len(found) <= 50
    assert max(map(len, found)) <= 160


@pytest.mark.parametrize("code", ["200", "304", "403", "404", "500", "503", "-"])
def test_three_status_codes_are_features(code):
    expected = {f"__CODE_{code}"} if code in ("403", "404", "503") else set()
    assert {name for name in of(code=code) if "CODE" in name} == expected


def test_query_strings_count_by_key():
    def keys(n):
        query = "&".join(f"k{k}=value" for k in range(n))
        found = of_request(f"GET /?{query}&k0=again HTTP/1.1")
        return {name for name in found if "QS" in name or "KEY" in name}

    assert keys(7) == {f"__REQ___URL___QS_k{k}" for k in range(7)}
    assert keys(8) == keys(100) == {"__REQ___URL_MANY_KEYS"}


def test_long_paths_are_one_feature():
    path = "/" + "a" * 127
    assert f"__REQ___URL___PATH_{path}" in of_request(f"GET {path} HTTP/1.1")
    assert of_request(f"GET {path}a HTTP/1.1") == PAGE - {"__REQ___URL___PATH_/"} | {
        "__REQ___URL_LONG_PATH"
    }


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("GET / HTTP/1.1", PAGE),
        ("GET /", PAGE - {"__REQ___HTTP_VER_HTTP/1.1"} | {"__REQ_NO_HTTP_VER"}),
        ("-", {"__REQ_BROKEN"}),
        ("", {"__REQ_BROKEN"}),
        (r"\x16\x03\x01\x02\x00\x01\xfc\x03\x03", {"__REQ_BROKEN"}),
        ("\x16\x03\x01", {"__REQ_BROKEN"}),
        ("GET http://[::1/ HTTP/1.1", {"__REQ_BROKEN", *(n for n in PAGE if "URL" not in n)}),
        ("GET //x HTTP/1.1", PAGE - {"__REQ___URL___PATH_/"} | {"__REQ___URL___PATH_//x"}),
    ],
)
def test_requests(request_, expected):
    assert of_request(request_) == expected


def test_requests_to_proxies():
    found = of_request("GET http://example.org/a?b=c HTTP/1.1")
    assert {"__REQ___URL___SCHEME_http", "__REQ___URL___NETLOC_example.org"} < found
    assert {"__REQ___URL___PATH_/a", "__REQ___URL___QS_b"} < found
    assert "__REQ___URL___NETLOC_a.b:443" in of_request("CONNECT a.b:443 HTTP/1.1")


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("-", {"__UA_EMPTY"}),
        ("", {"__UA_EMPTY"}),
        ("curl/7.88 x", {"__UA___PLAIN_curl/7.88 x"}),
        ("M (a", {"__UA_BROKEN"}),
        ("(a;; b)", {"__UA___OS_a", "__UA___OS_b"}),
        (
            "M/5 (a; (b)) K/1 (KHTML, like Gecko) C/2",
            {"__UA___BASE_M/5", "__UA___OS_a", "__UA___OS_(b)", "__UA___VER_K/1", "__UA___VER_C/2"},
        ),
    ],
)
def test_agents(agent, expected):
    assert of_agent(agent) == expected


@pytest.mark.parametrize("referrer", ["http://[::1/", "no address", "/relative", "http://a]/"])
def test_broken_referrers(referrer):
    assert of_referrer(referrer) == {"__REFER_BROKEN"}


def test_a_remark_cannot_be_forged():
    remarks = {"__UA_EMPTY", "__UA_BROKEN", "__REQ_BROKEN", "__REQ___URL_MANY_KEYS"}
    texts = ["(_EMPTY)", "_BROKEN", "EMPTY", "UA_EMPTY (x)"]
    assert not remarks & set().union(*(of(agent=text) for text in texts))
    assert not remarks & of(request="GET /?_MANY_KEYS=1&MANY_KEYS HTTP/1.1", agent="x")


@pytest.mark.parametrize(
    "text",
    [
        "x " + "[" * 16_000,
        "1.2.3.4 " + "1.2.3.4 " * 2_000 + '"GET / HTTP/1.1" 200 1',
        "a." * 8_000 + ' - - "GET / HTTP/1.1" 200 1',
        "a" * 16_000 + ' - - "GET / HTTP/1.1" 200 1',
        "a.b " * 4_000 + ' - - "GET / HTTP/1.1" 200 1',
        "1:" * 8_000 + ' - - "GET / HTTP/1.1" 200 1',
        "[pod/" * 3_000 + ' - - "GET / HTTP/1.1" 200 1',
        "a | " * 4_000 + ' - - "GET / HTTP/1.1" 200 1',
        "1.2.3.4 " + '"" [' * 4_000,
        '"' + '""' * 8_000 + '"',
        '"' + r"\"" * 8_000 + '"',
        "1.2.3.4 - " + "20/Dec/2011:" * 1_300 + ' "GET / HTTP/1.1" 200 1',
        "x " + '[a] "' * 3_000,
        START + '"' + "\\" * 15_001,
        START + '"' + 'a\\"' * 5_000,
        line(agent="a\\" * 8_000)[:-1],
        line(agent="(a(b)" * 3_000),
        line(agent="() " + "(" * 15_000),
        line(request="GET " + " HTTP/1" * 2_000),
        line(request="GET /?" + "a&b=" * 4_000),
        line(referrer="http://[" * 2_000),
    ],
)
def test_hostile_lines_take_no_time(text):
    start = time.process_time()
    try:
        features(parse(text))
    except ValueError as error:
        assert "expected" in str(error)
    assert time.process_time() - start < 0.5  # a few milliseconds; years if it went wrong
