"""Good, grey or bad: three verdicts from the probability that a request is bad.

A good request goes to the backend, a grey one gets a captcha, a bad one speaks for a ban. Where
one ends and the next begins is a matter of what mistakes cost. The thresholds are those that would
have cost the least on the validation part.
"""

from typing import NamedTuple

import numpy as np

VERDICTS = ("good", "grey", "bad")


class Costs(NamedTuple):
    """What is paid for a request, in any unit. A bad one that is banned costs nothing, nor does a
    good one that goes to the backend."""

    missed: float = 1.0  # a bad request reaches the backend
    captcha: float = 0.5  # anybody gets a captcha, visitor or bot
    wrong_ban: float = 20.0  # a good request is called bad


COSTS = Costs()


def thresholds(probabilities, labels, costs=COSTS):
    """(grey from, bad from): of all pairs the one with the smallest cost. Infinity: never.

    probabilities, labels: (n,), labels 0 good, 1 bad. Costs are sums over these requests, so the
    share of bad ones among them counts, as in every probability that was learned.
    """
    levels, place = np.unique(np.asarray(probabilities, float), return_inverse=True)  # (levels,)
    good, bad = (np.bincount(place, labels == label) for label in (0, 1))  # requests at each level
    captcha = costs.captcha * (good + bad)
    # What it costs more than a captcha for all: to pass the k lowest levels, to ban the others.
    passed = np.concatenate([[0], np.cumsum(costs.missed * bad - captcha)])  # (levels + 1,)
    banned = np.cumsum((costs.wrong_ban * good - captcha)[::-1])[::-1]
    banned = np.concatenate([banned, [0]])  # (levels + 1,), from level k on
    from_bad = int(np.argmin(np.minimum.accumulate(passed) + banned))
    from_grey = int(np.argmin(passed[: from_bad + 1]))
    borders = np.concatenate([[0], (levels[1:] + levels[:-1]) / 2, [np.inf]])
    return float(borders[from_grey]), float(borders[from_bad])


def verdicts(probabilities, limits):
    """0 good, 1 grey, 2 bad for each: (n,). limits as thresholds returns them."""
    return np.digitize(np.asarray(probabilities, float), limits)


def count(probabilities, labels, limits):
    """How many of which kind got which verdict: (2, 3), rows are good and bad requests."""
    table = np.zeros((2, 3), int)
    np.add.at(table, (np.asarray(labels, int), verdicts(probabilities, limits)), 1)
    return table


def cost(table, costs=COSTS):
    """What the verdicts of a table (2, 3) cost."""
    return (
        costs.missed * table[1, 0]
        + costs.captcha * table[:, 1].sum()
        + (costs.wrong_ban * table[0, 2])
    )
