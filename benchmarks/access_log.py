"""How fast does lessons/access_log.py judge a log, and in how much memory?

    python -m benchmarks.access_log           lines a second and peak memory over a million lines
    python -m benchmarks.access_log --check   exit code 1 below 20,000 lines a second

The log is simulated, and so are the two to learn from. The clock starts after the first 50,000
lines, on one core, and counts everything that the command does with a line: reading, parsing, the
dictionary, the network, the verdict's text and the summary. Prints JSON.
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

from lessons.access_log import Summary, judge_log
from lessons.log_files import Tally, read
from lessons.log_judge import Judge
from lessons.log_lines import parse
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


def measure(path):
    good, bad = simulate(EVENING, seed=0)
    judge = Judge(*([parse(line) for line in log] for log in (good, bad)))
    before = peak_megabytes()
    tally, summary = Tally(), Summary()
    entries = read(str(path), tally)
    with open(os.devnull, "w") as out:
        texts = judge_log(judge, entries, summary)
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="a million, if not told")
    parser.add_argument("--check", action="store_true", help="fail below the limit")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # one core, also for what is not BLAS
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        write_log(Path(folder) / "access.log", arguments.lines)
        result = measure(Path(folder) / "access.log")
    print(json.dumps(result, indent=1))
    if arguments.check and result["lines a second"] < LIMIT:
        sys.exit(f"below the limit of {LIMIT:,} lines a second")
