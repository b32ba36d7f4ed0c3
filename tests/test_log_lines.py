"""lessons/log_lines.py: the fields of a line, and the client behind whatever comes before it."""

import pytest

from lessons.log_lines import address_of, parse

START = "1.2.3.4 - - [20/Dec/2011:15:00:03 +0400] "
REST = ' - - [20/Dec/2011:15:00:03 +0400] "GET / HTTP/1.1" 200 5 "-" "x"'
TIME = 1_324_378_803  # date --date "2011-12-20 15:00:03 +0400" +%s

# --- Fields ---------------------------------------------------------------------------------------


def test_common_format_has_neither_referrer_nor_agent():
    assert parse(f'{START}"GET / HTTP/1.1" 200 -')[3:5] == (None, None)


def test_unusual_but_readable():
    entry = parse(r'::1 - j [x] doe [now] "GET /\"a HTTP/1.1" - - "-" "a \"b\" \\" "more" 0.3')
    assert entry == ("::1", r"GET /\"a HTTP/1.1", "-", "-", r"a \"b\" \\", None)
    assert parse(f'{START}"" 400 0 "-" "-"').request == ""


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("[20/Dec/2011:15:00:03 +0400] ", TIME),
        ("[20/Dec/2011:11:00:03 +0000] ", TIME),
        ("[20/Dec/2011:05:30:03 -0530] ", TIME),
        ("20/Dec/2011:15:00:03 +0400 ", TIME),
        ("[32/Dec/2011:15:00:03 +0400] ", None),
        ("[20/Foo/2011:15:00:03 +0400] ", None),
        ("[20/Dec/2011:15:00:03 +9900] ", None),
        ("[now] ", None),
        ("", None),
    ],
)
def test_the_time_is_the_logs_own(time, seconds):
    entry = parse(f'1.2.3.4 - - {time}"GET / HTTP/1.1" 502 107 "-" "-"')
    assert (entry.time, entry.code) == (seconds, "502")


def test_a_user_cannot_choose_the_time():
    forged = START.replace(" - [", " [01/Jan/1999:00:00:00 +0000] [")
    assert parse(f'{forged}"GET / HTTP/1.1" 200 5').time == TIME


def test_of_long_texts_the_middle_is_left_out():
    entry = parse(f'{START}"GET /{"a" * 9_000} HTTP/1.1" 200 5 "{"r" * 9_000}" "{"u" * 9_000}"')
    assert [len(text) for text in (entry.request, entry.referrer, entry.agent)] == [500] * 3
    assert entry.request.startswith("GET /aaa")
    assert entry.request.endswith("aaa HTTP/1.1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty line"),
        ("nonsense", "expected an address"),
        ("some words", "expected a request in quotes"),
        (f"{START}GET / HTTP/1.1", "expected a request in quotes"),
        (f'{START}"GET / HTTP/1.1" soon', "expected a status"),
        (f'{START}"GET /"quote HTTP/1.1" 200 1', "expected a status"),
        (f'{START}"GET / HTTP/1.1" 200 1 "cut off', "expected a referrer and an agent"),
    ],
)
def test_unreadable_lines_say_why(text, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse(text)


# --- The client -----------------------------------------------------------------------------------

ISO = "2011-12-20T15:00:03.123456789+04:00"


@pytest.mark.parametrize("client", ["1.2.3.4", "2001:db8::1", "::ffff:1.2.3.4", "::1"])
@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "www.example.org:80 ",
        "www.example.org ",
        "web-1  | ",
        "\x1b[36mweb_1 | \x1b[0m",
        f"web-1 | {ISO} ",
        f"{ISO} ",
        f"{ISO} stdout F ",
        "[pod/web-7d9c/nginx] ",
        "Dec  1 15:00:03 host nginx: ",
        "<190>Dec 20 15:00:03 host nginx[12]: ",
        f"{ISO} host docker/web[12]: ",
        f"<190>1 {ISO} host nginx 12 - - ",
        "access.log:",
        "logs/access.log.1:12:",
        "12:",
        "web-1 | www.example.org:443 ",
    ],
)
def test_what_is_known_is_skipped(prefix, client):
    if (prefix, client) not in (
        ("10.0.0.1 ", "::1"),
        ("12:", "::1"),
        ("logs/access.log.1:12:", "::1"),
    ):
        assert parse(prefix + client + REST).address == client


@pytest.mark.parametrize("client", ["fe80::1%eth0", "host.example", "localhost", "a-1.b2.example."])
def test_clients_that_are_no_plain_address(client):
    assert parse(client + REST).address == client
    assert parse(f"www.example.org:80 {client}{REST}").address == client


@pytest.mark.parametrize(
    "client",
    ["unix:", "-", "unknown", "1.2.3.999", "1.2.3", "my app: 1.2.3.4", "web frontend 1.2.3.4"],
)
def test_who_is_no_client(client):
    with pytest.raises(ValueError, match="^expected an address at the start, or behind a known"):
        parse(client + REST)


@pytest.mark.parametrize(
    "clients",
    ["1.2.3.4 10.0.0.1", "1.2.3.4, 10.0.0.1", "10.0.0.1 1.2.3.4", "127.0.0.1 10.0.0.1, 1.2.3.4"],
)
def test_a_private_address_beside_the_client_is_a_proxys(clients):
    assert parse(clients + REST).address == "1.2.3.4"


@pytest.mark.parametrize("clients", ["1.2.3.4 5.6.7.8", "1.2.3.4, 5.6.7.8", "10.0.0.1 10.0.0.2"])
def test_of_two_clients_none_is_taken(clients):
    with pytest.raises(ValueError, match="^expected one client at the start, not several"):
        parse(clients + REST)


@pytest.mark.parametrize("user", ["9.9.9.9", "John Doe", '""', "[x] 9.9.9.9", "www.example.org:80"])
def test_a_user_is_no_client(user):
    assert parse(f"1.2.3.4 - {user}{REST[4:]}").address == "1.2.3.4"


def test_lines_in_quotes():
    line = "1.2.3.4" + REST
    for quoted in (line, line.replace('"', '""'), line.replace('"', r"\"")):
        assert parse(f'"{quoted}"\n') == parse(line)


def test_addresses_nobody_has_are_none():
    assert address_of("12:2001:db8::1") is None
    assert str(address_of("2001:db8::1")) == "2001:db8::1"
