"""Compare models that judge the same requests: how sure is a difference, and how long do they take?

The models themselves are scikit-learn's and `nn.NeuralNetwork`.
"""

import math
import time

import numpy as np


def by_chance(wrong, addresses, draws=1_000, seed=0):
    """The mean of `wrong` over all requests, had other addresses come: (draws,).

    wrong      (n,), a number for each request: 1 for a wrong verdict and 0 for a right one, or the
               difference of two models
    addresses  (n,), who sent each

    The requests of an address are alike, so it is addresses that are drawn, as many as there are,
    each perhaps several times or never (the bootstrap: B. Efron, 1979; by groups, "cluster").
    """
    _, group = np.unique(addresses, return_inverse=True)  # (n,): a number for each address
    size, sums = np.bincount(group), np.bincount(group, weights=wrong)  # (addresses,)
    n, rng = len(size), np.random.default_rng(seed)
    times = rng.multinomial(n, np.full(n, 1 / n), size=draws)  # (draws, addresses): how often each
    return times @ sums / (times @ size)


def duration(function, *arguments):
    """What the function returns, and how long it took, in words: seconds differ from run to run."""
    begun = time.perf_counter()
    result = function(*arguments)
    return result, magnitude(time.perf_counter() - begun)


def magnitude(seconds):
    """Seconds as a power of ten, in words."""
    words = ["milliseconds", "hundredths of a second", "tenths of a second", "seconds"]
    return words[min(max(math.floor(math.log10(max(seconds, 1e-9))), -3), 0) + 3]
