"""The lessons' rule for luck: what it calls more than luck seldom is luck."""

import numpy as np
import pytest

from lessons import luck


def test_two_networks_that_are_alike_differ_by_no_more_than_luck_19_times_of_20():
    rng, digits, times = np.random.default_rng(0), 1_000, 2_000
    hard = rng.random((times, digits)) < 0.2  # digits on which they may disagree
    right, other = (~hard | (rng.random((times, digits)) < 0.5) for _ in range(2))
    pairs = zip(right, other, strict=True)
    far = [abs(a.mean() - b.mean()) > luck.least(luck.disagreement(a, b)) for a, b in pairs]
    assert 0.03 < np.mean(far) < 0.06  # a normal distribution has 0.046 of itself out there


def test_digits_that_both_read_or_neither_make_no_difference():
    right = np.array([1, 1, 0, 0, 1, 0, 0, 1], bool)
    other = np.array([1, 1, 0, 0, 0, 1, 1, 0], bool)
    assert luck.disagreement(right, other) == pytest.approx(2 / 8)  # the root of four, of eight
    assert luck.disagreement(right, right) == 0
    assert luck.disagreement(right * 0.5, other * 0.5) == pytest.approx(1 / 8)  # shares of networks


def test_swings_add_up_as_squares_and_twice_their_sum_is_the_bar():
    assert luck.least(0.03, 0.04) == pytest.approx(0.10)
    assert luck.verdict(0.11, 0.03, 0.04) == "+11.00 points, give or take 5.00: more than luck"
    assert luck.verdict(0.0, 0.0).endswith("no more than luck")  # the same network twice
    assert luck.verdict(-0.09, 0.05) == "-9.00 points, give or take 5.00: no more than luck"
