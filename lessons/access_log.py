"""Is this request from a visitor or from a flood? A network that reads the logs of web servers.

    python -m lessons.access_log --good good.log --bad bad.log access.log

learns from two logs and judges a third: each request with a verdict and the probability that it is
bad, then a summary by address. "-" is the standard input; logs may be packed, and there may be
several. Without logs of your own, let it simulate three:

    python -m lessons.access_log --simulate FOLDER

A good request goes to the backend, a grey one gets a captcha, a bad one speaks for a ban. But a
verdict is a hint, not a block list: single requests of visitors and of floods can be the same. Only
who sends several bad ones within minutes gets on the list that --bans FILE writes for a firewall,
with --follow as the log grows.

Here is the command. What it does is next door: log_files.py reads and log_follow.py reads on,
log_lines.py takes lines apart, log_features.py says what there is to tell about a request,
log_judge.py learns, log_verdicts.py and log_bans.py decide, log_report.py prints, simulated_log.py
makes up logs.
"""

import argparse
import contextlib
import functools
import itertools
import os
import sys
from pathlib import Path

from files import written_whole
from lessons.log_bans import FORMS, Bans, read_networks
from lessons.log_files import Tally, check, in_order, read, sample
from lessons.log_follow import follow
from lessons.log_judge import Judge
from lessons.log_report import Summary, judge_log
from lessons.log_verdicts import Costs, count, thresholds
from lessons.simulated_log import simulate

COMMAND = "python -m lessons.access_log"
LEARN_FROM = 20_000  # lines of the good logs, and of the bad ones, picked at random
HINT = "A verdict is a hint, not a block list: look before you block anyone."


def write_simulation(folder, seed):
    good, bad = simulate(seed=seed)
    mixed = sum(simulate(2_000, seed=seed + 1), [])  # of another evening
    mixed.sort(key=lambda line: line.split()[3])  # by time
    folder = Path(folder)
    logs = {folder / "good.log": good, folder / "bad.log": bad, folder / "access.log": mixed}
    for path in filter(Path.exists, logs):
        raise ValueError(f"{path} is there already: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as files:  # all three or none
        for path, lines in logs.items():
            file = files.enter_context(written_whole(path))
            file.writelines(f"{line}\n".encode() for line in lines)
            file.flush()
    print(f"good.log, bad.log and access.log, all three simulated, are in {folder}")


def write_bans(options, bans):
    with written_whole(options.bans) as file:
        file.writelines(f"{line}\n".encode() for line in bans.listed(options.form))


def learn(options, say):
    """A judge, and the thresholds of its verdicts."""
    learned = []
    for paths in (options.good, options.bad):
        tallies = {path: Tally() for path in paths}
        entries = itertools.chain.from_iterable(itertools.starmap(read, tallies.items()))
        learned.append(sample(entries, LEARN_FROM, options.seed))
        for path, tally in tallies.items():
            say(f"{path}: {tally}")
    judge = Judge(*learned, networks=options.networks, seed=options.seed, say=say)
    costs = Costs(options.missed, options.captcha, options.wrong_ban)
    limits = thresholds(judge.probabilities(judge.choose.entries), judge.choose.labels, costs)
    table = count(judge.probabilities(judge.test.entries), judge.test.labels, limits)
    say("grey from {:.3f}, bad from {:.3f}".format(*limits))
    for kind, row in zip(("good", "bad"), table, strict=True):
        verdicts = "{:,} called good, {:,} grey, {:,} bad".format(*row)
        say(f"test part: of {row.sum():,} {kind} requests {verdicts}")
    return judge, limits


def run(options):
    """The exit code."""
    say = functools.partial(print, file=sys.stderr)
    for path in (*options.good, *options.bad, *options.log):
        check(path)
    allow = [network for path in options.allow for network in read_networks(path)]
    bans = Bans(options.ban_after, options.within, lasts=options.lasts, allow=allow)
    judge, limits = learn(options, say)
    say("Now each request: the verdict, how likely it is bad, the address, the request.")
    summary, tallies, written = Summary(), {path: Tally() for path in in_order(options.log)}, None
    entries = itertools.chain.from_iterable(
        itertools.starmap(follow if options.follow else read, tallies.items())
    )
    try:
        for text in judge_log(judge, limits, entries, summary, bans):
            sys.stdout.write("" if options.summary else text)
            if options.follow:
                sys.stdout.flush()
            if options.bans and written != [*bans.banned]:
                write_bans(options, bans)
                written = [*bans.banned]
    finally:  # also when interrupted
        print(f"\n{summary}\n{HINT}", flush=True)
        for path, tally in tallies.items():
            say(f"{path}: {tally}")
        say(f"{bans.requests} bad requests within {options.within:g} minutes: {bans.total:,} bans")
        say(f"({len(bans.banned):,} of them not ended by the time of the last line)")
        if bans.untimed:
            say(f"{bans.untimed:,} bad requests without a time could not be counted")
    for path, tally in tallies.items():
        if tally.lines and tally.lines == tally.unreadable.total():
            raise ValueError(f"{path}: no line is in the combined log format")
    return 1 if any(tally.damage for tally in tallies.values()) else 0


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Learn from good and bad requests, then judge the requests of a log.",
        epilog=f"Logs are in the combined format, packed or not. {HINT} "
        "Exit code: 0 fine, 1 a log is missing, damaged or unreadable, 2 wrong options.",
    )
    option, several = parser.add_argument, {"action": "append", "default": []}
    option("log", nargs="*", help='the logs to judge; "-" is the standard input')
    option("--good", metavar="LOG", **several, help="requests of visitors, to learn from")
    option("--bad", metavar="LOG", **several, help="requests of a flood, to learn from")
    option("--networks", type=int, default=4, help="to choose from (4)")
    option("--seed", type=int, default=0, help="another one, another result (0)")
    option("--summary", action="store_true", help="only the summary by address")
    option("--simulate", metavar="FOLDER", help="write three simulated logs there")
    costs = parser.add_argument_group("what mistakes cost, from which the verdicts follow")
    costs.add_argument("--missed", type=float, default=1, help="a bad request is let through (1)")
    costs.add_argument("--captcha", type=float, default=0.5, help="anybody gets a captcha (0.5)")
    costs.add_argument("--wrong-ban", type=float, default=20, help="a good one is called bad (20)")
    group = parser.add_argument_group("bans, as a list for a firewall")
    group.add_argument("--bans", metavar="FILE", help="write the list there")
    group.add_argument("--form", choices=FORMS, default="plain", help="of its lines (plain)")
    group.add_argument("--ban-after", type=int, default=5, help="bad requests (5), 2 or more")
    group.add_argument("--within", type=float, default=5, help="minutes by the log's clock (5)")
    group.add_argument("--lasts", type=float, default=60, help="minutes until a ban ends (60)")
    group.add_argument("--allow", metavar="FILE", **several, help="addresses and networks to spare")
    group.add_argument("--follow", action="store_true", help="go on reading as the log grows")
    options = parser.parse_intermixed_args(arguments)
    if not options.simulate and not (options.log and options.good and options.bad):
        parser.error("expected --good LOG --bad LOG and a log to judge, or --simulate FOLDER")
    if options.networks < 1:
        parser.error("--networks: expected 1 or more")
    if not min(options.missed, options.captcha, options.wrong_ban) >= 0:
        parser.error("--missed, --captcha, --wrong-ban: expected costs of 0 or more")
    if options.ban_after < 2:
        parser.error("--ban-after: expected 2 or more, as a single verdict is often wrong")
    if not (options.within > 0 and options.lasts > 0):
        parser.error("--within, --lasts: expected more than 0 minutes")
    if options.follow and (len(options.log) != 1 or options.log == ["-"]):
        parser.error("--follow: expected one log, and not the standard input")
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
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"access_log: {said}", file=sys.stderr)
    except ValueError as error:
        print(f"access_log: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())
