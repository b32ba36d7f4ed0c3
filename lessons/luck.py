"""Is a difference more than luck? One rule for all lessons: less than twice its standard deviation
is called luck.

Why twice? Luck alone brings more than that about once in twenty times. To ask for more would be to
miss what is there, to ask for less, to see what is not.
"""

import math

import numpy as np


def disagreement(right, other):
    """The standard deviation of the difference of two accuracies, by the choice of the digits.

    right, other  (n,), which of the same digits each of two networks reads; or, of several networks
                  each, the share that reads it

    Digits that both read, or neither, make no difference. Each of the other m is like the toss of a
    coin, which one of the two it is; of m tosses heads minus tails swings by the root of m (Q.
    McNemar, 1947).
    """
    difference = np.subtract(right, other, dtype=float)  # of two networks 1, 0 or -1
    return np.linalg.norm(difference) / len(right)


def least(*swings):
    """The smallest difference that is more than luck, where these swing it, standard deviations
    each. What swings by itself adds up as squares."""
    return 2 * math.hypot(*swings)


def verdict(difference, *swings):
    """A difference of two shares of right answers, and whether it is more than luck: a sentence."""
    more = "more" if abs(difference) > least(*swings) else "no more"
    return (
        f"{100 * difference:+.2f} points, give or take {100 * math.hypot(*swings):.2f}: "
        f"{more} than luck"
    )
