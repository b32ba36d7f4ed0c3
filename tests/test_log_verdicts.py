"""lessons/log_verdicts.py: three verdicts from two thresholds, by what mistakes cost."""

import itertools

import numpy as np
import pytest

from lessons.log_verdicts import Costs, cost, count, thresholds, verdicts


def cheapest(p, labels, costs):
    """The smallest cost of all pairs of thresholds, tried one by one."""
    edges = [0, *np.unique(p) + 1e-9, np.inf]
    pairs = ((low, high) for low, high in itertools.product(edges, edges) if low <= high)
    return min(cost(count(p, labels, pair), costs) for pair in pairs)


@pytest.mark.parametrize(
    "costs",
    [Costs(), Costs(1, 0.1, 100), Costs(1, 10, 1), Costs(1, 0, 1), Costs(0, 1, 1), Costs(5, 1, 0)],
)
@pytest.mark.parametrize("seed", range(5))
def test_no_other_thresholds_cost_less(costs, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 40)
    p = np.clip(rng.normal(0.3 + 0.4 * labels, 0.3), 0, 1).round(1)  # many are equal
    limits = thresholds(p, labels, costs)
    assert limits[0] <= limits[1]
    assert cost(count(p, labels, limits), costs) == pytest.approx(cheapest(p, labels, costs))


def test_what_is_dear_is_rare():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 5_000)
    p = rng.uniform(size=5_000)
    labels = (rng.uniform(size=5_000) < p).astype(int)  # probabilities that are true
    grey, bad = thresholds(p, labels, Costs(missed=1, captcha=0.3, wrong_ban=3))
    assert grey == pytest.approx(0.3, abs=0.1)  # where p * 1 = 0.3
    assert bad == pytest.approx(0.9, abs=0.05)  # where (1 - p) * 3 = 0.3
    assert thresholds(p, labels, Costs(wrong_ban=1e9))[1] > 0.99
    grey, bad = thresholds(p, labels, Costs(captcha=1e9))
    assert grey == bad  # nobody gets a captcha


def test_verdicts_and_their_table():
    p, labels = [0.0, 0.2, 0.5, 0.9, 1.0, 1.0], [0, 1, 0, 1, 1, 0]
    assert verdicts(p, (0.2, 0.9)).tolist() == [0, 1, 1, 2, 2, 2]
    table = count(p, labels, (0.2, 0.9))
    assert table.tolist() == [[1, 1, 1], [0, 1, 2]]
    assert cost(table, Costs(missed=1, captcha=10, wrong_ban=100)) == 120
    assert verdicts(p, (0.0, np.inf)).tolist() == [1] * 6
    assert verdicts([], (0.2, 0.9)).shape == (0,)
