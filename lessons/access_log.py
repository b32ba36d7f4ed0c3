"""Is this request from a visitor or from a flood? A network that reads the logs of web servers.

    python -m lessons.access_log --good good.log --bad bad.log access.log

learns from two logs and judges a third: each request with a verdict and the probability that it
is bad, then a summary by address. "-" is the standard input; logs may be gzipped. Without logs of
your own, let it simulate three: python -m lessons.access_log --simulate FOLDER

A verdict is a hint, not a block list: single requests of visitors and of floods can be the same.

Here is the command. What it does is next door: log_files.py reads, log_features.py takes lines
apart, log_judge.py learns and judges, simulated_log.py makes up logs.
"""

import argparse
import functools
import itertools
import os
import sys
from collections import Counter
from pathlib import Path

from lessons.log_files import Tally, read, sample
from lessons.log_judge import BATCH, Judge
from lessons.simulated_log import simulate

COMMAND = "python -m lessons.access_log"
LEARN_FROM = 20_000  # lines of each log, picked at random
MOST_ADDRESSES = 50_000  # in the summary, so that a flood of addresses cannot fill the memory
HINT = "A verdict is a hint, not a block list: look before you block anyone."


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
        prog=COMMAND,
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
        print(f"access_log: {error.filename}: {error.strerror}", file=sys.stderr)
    except ValueError as error:
        print(f"access_log: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
