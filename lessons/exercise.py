"""Exercises that check themselves: a place to fill, and a sentence on what was put there."""

import numpy as np


def check(yours, right, within=None):
    """Print how `yours` compares with `right`, a number or an array of them.

    yours   a number, or as many as `right` has; three dots stand for nothing yet
    within  how far off it may be: more than usual for a guess

    Without it a hundredth of the largest right number may be missing, since pocket calculators and
    people round. Whole numbers must be right as they are.
    """
    print(_verdict(yours, np.asarray(right), tolerance(right) if within is None else within))


def tolerance(right):
    """How far off an answer may be, where nothing else is said."""
    right = np.asarray(right)
    return 0 if right.dtype.kind in "iu" else 0.01 * abs(right).max() + 1e-6


def nearest(number, *choices):
    """The choice that is nearest to `number`: so what was measured can be guessed as one of few."""
    return min(choices, key=lambda choice: abs(choice - number))


def _verdict(yours, right, at_most):
    found = np.array(yours, dtype=object)
    if any(part is ... for part in found.ravel()):
        return "not yet: put your answer where the three dots are, and run the cell again"
    try:
        found = np.vectorize(float, otypes=[float])(found)  # astype would take None for nan
    except (TypeError, ValueError):
        return f"{yours!r} is not made of numbers"
    if found.shape != right.shape:
        return f"yours has {_extent(found)}, but there should be {_extent(right)}"
    off = (found - right).ravel()
    close = abs(off) <= at_most  # nan is not close
    if close.all():
        return "right!"
    worst = off[abs(off).argmax()]
    how = f"{abs(worst):.3g} too {'large' if worst > 0 else 'small'}"
    if right.ndim == 0:
        return f"not quite: {float(found):g} is {how}"
    return f"not quite: {close.sum()} of {close.size} are right, and the farthest is {how}"


def _extent(numbers):
    if numbers.ndim == 0:
        return "a single number"
    return f"{numbers.size} numbers" if numbers.ndim == 1 else f"the shape {numbers.shape}"
