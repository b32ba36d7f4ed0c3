"""How fast does lessons/access_log.py judge a log, and in how much memory? Whom would it ban?

    python -m benchmarks.access_log           lines a second and peak memory over a million lines
    python -m benchmarks.access_log --check   exit code 1 below 20,000 lines a second
    python -m benchmarks.access_log --bans    how much of a flood bans stop, and how many visitors

The log is simulated, and so are the two to learn from. The clock starts after the first 50,000
lines, on one core, and counts everything that the command does with a line: reading, parsing, the
dictionary, the network, the verdict's text, the summary and the bans. Prints JSON.

Bans are measured on evenings that nothing was learned from, simulated as well: five of them, each
judged by a network that learned from another. Their figures stand in access_log.json. They are
figures of made-up traffic; what a real flood would give is not known here.
"""

import argparse
import itertools
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from lessons.log_bans import Bans, ban_curve
from lessons.log_files import Tally, read
from lessons.log_judge import Judge
from lessons.log_lines import parse
from lessons.log_report import Summary, judge_log
from lessons.log_verdicts import VERDICTS, count, thresholds, verdicts
from lessons.simulated_log import simulate

LIMIT = 20_000  # lines a second
WARM_UP = 25  # batches
EVENING = 10_000  # lines of visitors, and as many of bots, simulated at a time


def peak_megabytes():
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1e6 if sys.platform == "darwin" else 1e3)  # there it counts bytes


def write_log(path, lines):
    with open(path, "w") as file:
        for seed in range(1, -(-lines // (2 * EVENING)) + 1):
            visitors, bots = simulate(EVENING, seed)
            pairs = zip(visitors, bots, strict=True)
            file.writelines(f"{line}\n" for pair in pairs for line in pair)


def learned(seed):
    """A judge, and the thresholds of its verdicts."""
    judge = Judge(*([parse(line) for line in log] for log in simulate(EVENING, seed)), seed=seed)
    return judge, thresholds(judge.probabilities(judge.choose.entries), judge.choose.labels)


def measure(path):
    judge, limits = learned(seed=0)
    before = peak_megabytes()
    tally, summary = Tally(), Summary()
    entries = read(str(path), tally)
    with open(os.devnull, "w") as out:
        texts = judge_log(judge, limits, entries, summary, Bans())
        out.writelines(itertools.islice(texts, WARM_UP))
        warm, start = tally.lines, time.perf_counter()
        out.writelines(texts)
        seconds = time.perf_counter() - start
    return {
        "lines": tally.lines,
        "unreadable": tally.unreadable.total(),
        "network": judge.network.layers,
        "lines a second": round((tally.lines - warm) / seconds),
        "peak memory, megabytes": round(peak_megabytes()),
        "of these more than for learning": round(peak_megabytes() - before),
    }


def measure_bans(seed):
    """Learn from one evening, judge another."""
    judge, limits = learned(seed)
    visitors, bots = ([parse(line) for line in log] for log in simulate(EVENING, seed + 100))
    labelled = [(entry, False) for entry in visitors] + [(entry, True) for entry in bots]
    entries, flood = zip(*sorted(labelled, key=lambda pair: pair[0].time), strict=True)
    p = judge.probabilities(list(entries))
    bad = verdicts(p, limits) == VERDICTS.index("bad")
    return {
        "seed": seed,
        "grey from, bad from": limits,
        "visitors and bots: good, grey, bad": count(p, flood, limits).tolist(),
        "bans after": ban_curve(entries, bad, flood),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="a million, if not told")
    parser.add_argument("--check", action="store_true", help="fail below the limit")
    parser.add_argument("--bans", action="store_true", help="write access_log.json, and print it")
    arguments = parser.parse_args()
    if arguments.bans:
        text = json.dumps([measure_bans(seed) for seed in range(5)], indent=1) + "\n"
        Path(__file__).with_suffix(".json").write_text(text)
        sys.exit(print(text))
    if hasattr(os, "sched_setaffinity"):  # one core, also for what is not BLAS
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        write_log(Path(folder) / "access.log", arguments.lines)
        result = measure(Path(folder) / "access.log")
    print(json.dumps(result, indent=1))
    if arguments.check and result["lines a second"] < LIMIT:
        sys.exit(f"below the limit of {LIMIT:,} lines a second")
