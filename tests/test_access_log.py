"""What lessons/access_log.py must do, and nn.py with sparse matrices."""

import gzip
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import nn
from nn import NeuralNetwork

LESSONS = Path(nn.__file__).parent / "lessons"
sys.path.insert(0, str(LESSONS))

import access_log  # noqa: E402
from access_log import Judge, Summary, Tally, features, parse, read  # noqa: E402

# The two published entries, and what must come of them: 15 features, 10, and 23 together.
GOOD = (
    '0.0.0.0 - - [20/Dec/2011:15:00:03 +0400] "GET /forum/rss.php?topic=347425 HTTP/1.0" 200 1685 '
    '"-" "Mozilla/5.0 (Windows; U; Windows NT 5.1; pl; rv:1.9) Gecko/2008052906 Firefox/3.0"'
)
BAD = (
    '0.0.0.0 - - [20/Dec/2011:20:00:08 +0400] "POST /forum/index.php HTTP/1.1" 503 107 '
    '"http://www.mozilla-europe.org/" "-"'
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


@pytest.fixture(scope="module")
def logs():
    """Parsed: 1,500 simulated lines of visitors, as many of bots."""
    return [[parse(line) for line in log] for log in access_log.simulate(1_500, seed=3)]


@pytest.fixture(scope="module")
def judge(logs):
    return Judge(*logs, networks=2, epochs=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    for name, log in zip(("good", "bad"), access_log.simulate(600, seed=1), strict=True):
        (folder / f"{name}.log").write_text("\n".join(log))
    log = access_log.simulate(300, seed=2)
    (folder / "access.log").write_text("\n".join(log[0] + log[1]))
    return folder


# --- Features -------------------------------------------------------------------------------------


def test_the_published_entries_give_exactly_the_published_features():
    assert features(parse(GOOD)) == OF_GOOD | OF_BOTH
    assert features(parse(BAD)) == OF_BAD | OF_BOTH
    assert len(OF_GOOD | OF_BAD | OF_BOTH) == 23


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


# --- Lines ----------------------------------------------------------------------------------------


def test_common_format_has_neither_referrer_nor_agent():
    assert parse(f'{START}"GET / HTTP/1.1" 200 -')[3:] == (None, None)
    assert features(parse(f'{START}"GET / HTTP/1.1" 200 -')) == PAGE


def test_unusual_but_readable():
    entry = parse(r'::1 - j [x] doe [now] "GET /\"a HTTP/1.1" - - "-" "a \"b\" \\" "more" 0.3')
    assert entry == ("::1", r"GET /\"a HTTP/1.1", "-", "-", r"a \"b\" \\")
    assert parse(f'host.example{START[7:]}"-" 408 -').address == "host.example"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty line"),
        ("nonsense", "expected an address"),
        ("some words", "expected a time in"),
        (f"{START}GET / HTTP/1.1", "expected a request in quotes"),
        (f'{START}"GET / HTTP/1.1" soon', "expected a status"),
        (f'{START}"GET /"quote HTTP/1.1" 200 1', "expected a status"),
        (f'{START}"GET / HTTP/1.1" 200 1 "cut off', "expected a referrer and an agent"),
    ],
)
def test_unreadable_lines_say_why(text, reason):
    with pytest.raises(ValueError, match=f"^{reason}"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "x " + "[" * 16_000,
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
    start = time.perf_counter()
    try:
        features(parse(text))
    except ValueError as error:
        assert "expected" in str(error)
    assert time.perf_counter() - start < 0.5  # a few milliseconds; years if it went wrong


def test_reading_goes_on_after_bad_lines(tmp_path):
    content = [b"\xff\xfe", GOOD.encode(), b"", b"x" * 100_000, BAD.encode() + b"\r", b"\x00" * 9]
    (tmp_path / "log").write_bytes(b"\n".join(content))
    tally = Tally()
    entries = list(read(tmp_path / "log", tally))
    assert [entry.code for entry in entries] == ["200", "503"]
    assert tally.lines == 6
    assert tally.unreadable == {
        "expected an address": 2,
        "an empty line": 1,
        "longer than 16,384 characters": 1,
    }
    assert "4 of 6 lines could not be read\n  2: expected an address; the first is line 1" in str(
        tally
    )


def test_bytes_that_are_no_text_stay_readable(tmp_path):
    (tmp_path / "log").write_bytes(line(request="GET /\xe9\x85 HTTP/1.1").encode("latin-1"))
    (entry,) = read(tmp_path / "log", Tally())
    assert entry.request == r"GET /\xe9\x85 HTTP/1.1"


def test_gzipped_logs_whatever_their_name_and_damaged_ones(tmp_path):
    packed = gzip.compress("\n".join([GOOD] * 5 + [f"{BAD}{n}" for n in range(3_000)]).encode())
    (tmp_path / "log").write_bytes(packed)
    assert len(list(read(tmp_path / "log", tally := Tally()))) == 3_005
    assert not tally.damage
    (tmp_path / "log").write_bytes(packed[: len(packed) // 2])
    assert 5 < len(list(read(tmp_path / "log", tally))) < 3_005
    assert "damaged after line" in str(tally)


# --- Learning -------------------------------------------------------------------------------------


def test_split_is_60_20_20_and_keeps_addresses_together(logs):
    parts = access_log.split(logs[0])
    assert [len(part) for part in parts] == [900, 300, 300]
    assert sorted(sum(parts, [])) == sorted(logs[0])
    addresses = [{entry.address for entry in part} for part in parts]
    assert sum(map(len, addresses)) - len(set.union(*addresses)) <= 2
    assert [len(p) for p in access_log.split([parse(GOOD)] * 10)] == [6, 2, 2]  # a single address


def test_sample_is_bounded_and_fair():
    assert access_log.sample(iter(range(5)), 10) == [0, 1, 2, 3, 4]
    picked = [access_log.sample(range(1_000), 100, seed) for seed in range(20)]
    assert {len(set(numbers)) for numbers in picked} == {100}
    assert abs(np.mean(picked) - 499.5) < 25


def test_dictionary_is_sparse_bounded_and_ignores_what_it_does_not_know(judge, logs):
    x = judge.dictionary.transform([logs[0][0], parse(line("QUX *", agent="never seen"))])
    assert scipy.sparse.issparse(x)
    assert set(x.data) == {1}
    assert (np.diff(x[0].indices) > 0).all()  # or sums would differ from run to run
    found = set(judge.dictionary.inverse_transform(x[:1])[0])
    assert found == features(logs[0][0]) & set(judge.dictionary.vocabulary_)
    assert "__UA___PLAIN_never seen" not in judge.dictionary.vocabulary_
    many = [parse(line(request=f"GET /?{n % 500}=1 HTTP/1.1")) for n in range(2_000)]
    assert access_log.new_dictionary().fit_transform(many).shape == (2_000, 300)


def test_judge_learns_and_keeps_the_network_with_the_smallest_loss(judge, logs):
    inputs = len(judge.dictionary.vocabulary_)
    assert judge.network.layers == (inputs, 2 * inputs, 2)
    assert (judge.network.hidden, judge.network.output) == ("sigmoid", "softmax")
    parts = [access_log.split(log) for log in logs]
    x = judge.dictionary.transform(parts[0][1] + parts[1][1])
    labels = np.repeat([0, 1], [300, 300])
    assert judge.network.measure(x, labels)[0] == min(judge.validation_losses)
    assert len(set(judge.validation_losses)) == 2
    assert judge.tested.sum() == 600
    assert judge.error < 0.3  # by chance 0.5; so few bots teach little
    called_bad = [(judge.probabilities(part[2]) > 0.5).sum() for part in parts]
    assert called_bad == judge.tested[:, 1].tolist()


def test_same_seed_same_judge(judge, logs):
    again = Judge(*logs, networks=2, epochs=3)
    assert again.validation_losses == judge.validation_losses
    assert again.dictionary.vocabulary_ == judge.dictionary.vocabulary_


def test_too_little_to_learn_from(logs):
    with pytest.raises(ValueError, match="ten good and ten bad"):
        Judge(logs[0], logs[1][:9])


def test_simulation_is_seeded_readable_and_overlaps():
    logs = access_log.simulate(2_000, seed=5)
    assert logs == access_log.simulate(2_000, seed=5)
    assert logs != access_log.simulate(2_000, seed=6)
    good, bad = ({frozenset(features(parse(line))) for line in log} for log in logs)
    assert good & bad
    assert [len(log) for log in logs] == [2_000, 2_000]
    assert all(log == sorted(log, key=lambda line: line.split()[3]) for log in logs)


# --- The command ----------------------------------------------------------------------------------


def options(folder, *others):
    return [f"--good={folder / 'good.log'}", f"--bad={folder / 'bad.log'}", *map(str, others)]


def command(*arguments, **how):
    script = [sys.executable, str(LESSONS / "access_log.py"), *arguments]
    return subprocess.run(script, capture_output=True, text=True, timeout=60, **how)


def test_command_judges_each_request_and_each_address(folder, capsys):
    assert access_log.main(options(folder, folder / "access.log", "--networks=1")) == 0
    out, err = capsys.readouterr()
    verdicts, summary = out.split("\n\n")
    assert len(verdicts.splitlines()) == 600
    assert verdicts.startswith(("good 0.", "bad  "))
    assert summary.startswith("address")
    assert "not a block list" in summary
    assert "validation loss" in err
    assert "test part: " in err
    assert "access.log: 0 of 600 lines could not be read" in err


def test_command_reads_standard_input(folder):
    done = command(*options(folder, "-", "--networks=1"), input=f"{BAD}\nnonsense\n")
    assert done.returncode == 0
    assert "POST /forum/index.php HTTP/1.1" in done.stdout.splitlines()[0]
    assert "-: 1 of 2 lines could not be read\n  1: expected an address" in done.stderr


def test_command_survives_head(folder):
    log = folder / "long.log"
    log.write_text(f"{GOOD}\n" * 20_000)
    script = [sys.executable, str(LESSONS / "access_log.py"), *options(folder, log, "--networks=1")]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline().endswith("GET /forum/rss.php?topic=347425 HTTP/1.0\n")
        run.stdout.close()
        assert "Traceback" not in run.stderr.read()
    assert run.returncode == 141


def test_command_says_what_is_wrong(folder, tmp_path, capsys):
    def error(*arguments):
        assert access_log.main(arguments) == 1
        return capsys.readouterr().err

    (tmp_path / "empty").touch()
    (tmp_path / "junk").write_bytes(bytes(range(256)) * 9)
    good, bad = options(folder)
    assert "missing: No such file" in error(*options(folder, tmp_path / "missing"))
    assert "missing: No such file" in error(good, f"--bad={tmp_path / 'missing'}", "-")
    assert "ten good and ten bad" in error(f"--good={tmp_path / 'empty'}", bad, "-")
    assert "no line is in the combined" in error(*options(folder, tmp_path / "junk"))
    with pytest.raises(SystemExit, match="2"):
        access_log.main([str(folder / "access.log")])


def test_command_simulates_but_never_over_a_log(tmp_path, capsys):
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 0
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "access.log",
        "bad.log",
        "good.log",
    ]
    assert "simulated" in capsys.readouterr().out
    assert access_log.main(["--simulate", str(tmp_path / "new")]) == 1
    assert "File exists" in capsys.readouterr().err


def test_nothing_that_commands_a_terminal_is_printed():
    assert access_log.printable("\x1b[31m\u202e") == r"\x1b[31m\u202e"
    assert access_log.printable("é" * 300) == "é" * 197 + "..."


def test_summary_stays_small(monkeypatch):
    monkeypatch.setattr(access_log, "MOST_ADDRESSES", 100)
    summary = Summary()
    for n in range(1_000):
        summary.add("busy", bad=True)
        summary.add(f"{n}" * 100, bad=n % 2)
    assert len(summary.requests) <= 100
    assert len(summary.bad) <= 100
    assert str(summary).splitlines()[1].split()[:3] == ["busy", "1,000", "1,000"]


# --- nn.py with sparse matrices -------------------------------------------------------------------


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    x = (rng.random((300, 40)) < 0.2) * rng.integers(1, 4, (300, 40)).astype(float)
    return x, (x[:, 0] > x[:, 1]).astype(int)


def network():
    how = {"output": "softmax", "loss": "cross-entropy", "biases": True, "dtype": np.float64}
    return NeuralNetwork((40, 8, 2), **how)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_array", "coo_matrix"])
@pytest.mark.parametrize("batch_size", [32, None])
def test_sparse_rows_train_as_dense_ones(rows, kind, batch_size):
    x, labels = rows
    sparse = getattr(scipy.sparse, kind)(x)
    one, other = network(), network()
    knobs = {"epochs": 3, "batch_size": batch_size, "rotations": (), "progress": False}
    one.train(x, labels, validation=(x, labels), **knobs)
    other.train(sparse, labels, validation=(sparse, labels), **knobs)
    for a, b in zip(one.weights + one.biases, other.weights + other.biases, strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-12)
    assert one.history == [pytest.approx(m) for m in other.history]
    assert type(other.outputs(sparse)) is np.ndarray
    assert np.allclose(one.outputs(x), other.outputs(sparse))
    assert (one.predict(x) == other.predict(sparse)).all()
    assert one.accuracy(x, labels) == other.accuracy(sparse, labels)
    slopes = [n.input_gradient(r, labels) for n, r in ((one, x), (other, sparse))]
    assert np.allclose(*slopes)


def test_many_sparse_rows_never_become_dense():
    wide = scipy.sparse.random_array((5_000, 200_000), density=1e-4, format="csr", rng=0)
    net = NeuralNetwork((200_000, 2, 2))  # dense, in float32, these rows would be 4 GB
    assert net.outputs(wide).shape == (5_000, 2)
    net.train(wide, np.arange(5_000) % 2, epochs=1, batch_size=1_000, rotations=(), progress=False)


def test_sparse_counts_stay_counts():
    x = scipy.sparse.csr_array(np.array([[0, 3, 0], [1, 0, 0]], np.uint8))
    assert (NeuralNetwork((3, 2)).as_input(x).toarray() == x.toarray()).all()


def test_sparse_rows_that_do_not_fit(rows):
    x, labels = scipy.sparse.csr_array(rows[0]), rows[1]
    with pytest.raises(ValueError, match="expected rows of 40"):
        network().outputs(x[:, :30])
    with pytest.raises(ValueError, match="300 images and 299 labels"):
        network().train(x, labels[1:], rotations=())
    with pytest.raises(ValueError, match="rotations"):
        network().train(x, labels)
    x.data[7] = np.nan
    with pytest.raises(ValueError, match="finite"):
        network().train(x, labels, rotations=())
