"""Nonsense: its kinds are what they are called; and what the benchmark makes of it."""

import copy
import json
import re

import numpy as np
import pytest
from conftest import ROOT, small

from benchmarks import doubt
from nonsense import KINDS, LETTERS, TAUGHT, UNSEEN, mixture, sketch, strokes_of


@pytest.fixture
def digits(sample):
    return sample[0].images[:500], sample[0].labels[:500]


def made(name, digits, count=60, seed=0):
    return KINDS[name](np.random.default_rng(seed), *digits, count)


# --- The kinds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_makes_as_many_pictures_as_asked_the_same_ones_for_the_same_seed(name, digits):
    before = digits[0].copy()
    one, other, another = (made(name, digits, seed=seed) for seed in (0, 0, 1))
    assert one.shape == (60, 784) and one.dtype == np.uint8
    assert np.array_equal(one, other) and not np.array_equal(one, another)
    assert len(np.unique(one, axis=0)) > 50, "they differ"
    assert not (one[:, None] == digits[0]).all(axis=2).any(), "none is a digit as it is"
    assert np.array_equal(digits[0], before)
    assert made(name, digits, count=1).shape == (1, 784)


def test_what_is_taught_is_not_asked_of_as_unseen():
    assert not set(TAUGHT) & set(UNSEEN) and set(KINDS) == set(TAUGHT) | set(UNSEEN)
    named = {"noise", "shuffled", "one on another", "upside down", "inverted", "letters"}
    assert named | {"averaged"} <= set(KINDS)
    assert not set(TAUGHT.values()) & set(UNSEEN.values())


def test_shuffled_and_inverted_digits_keep_their_greys(digits):
    one = (digits[0][:1], digits[1][:1])
    assert np.array_equal(np.sort(made("shuffled", one)[0]), np.sort(one[0][0]))
    assert np.array_equal(made("inverted", one)[0], 255 - one[0][0])


def test_two_digits_have_two_labels(digits):
    images, labels = digits
    flat = np.repeat(np.arange(10, dtype=np.uint8)[:, None] * 20, 784, axis=1)[labels]
    averaged, overlaid = (made(name, (flat, labels)) for name in ("averaged", "one on another"))
    assert not np.isin(overlaid[:, 0], averaged[:, 0]).all()
    assert (overlaid[:, 0] > averaged[:, 0]).all(), "half of one and half of another, never itself"


def test_only_digits_that_are_none_upside_down_are_turned(digits):
    images, labels = digits
    back = made("upside down", digits)[:, ::-1]
    which = [np.flatnonzero((images == picture).all(axis=1))[0] for picture in back]
    assert set(labels[which]) == {2, 3, 4, 5, 7}


def test_a_turned_digit_lies_on_its_side(sample):
    ones = sample[0].images[sample[0].labels == 1]
    turned = made("turned", (ones, np.ones(len(ones), int))).reshape(-1, 28, 28)
    high, wide = ((turned.sum(axis=axis) > 200).sum(axis=1).mean() for axis in (2, 1))
    assert wide > 1.5 * high


def test_letters_lie_where_mnists_digits_do_and_need_no_digit():
    rng = np.random.default_rng(0)
    pictures = (
        sketch(rng, [strokes_of(text) for text in LETTERS.values()]).reshape(-1, 28, 28) / 255
    )
    centre = [
        (pictures.sum(axis=axis) @ np.arange(28)) / pictures.sum(axis=(1, 2)) for axis in (2, 1)
    ]
    assert np.abs(np.array(centre) - 13.5).max() < 2
    assert pictures.max(axis=(1, 2)).min() > 0.8
    assert ((pictures > 0.3).mean(axis=(1, 2)) < 0.4).all()


def test_a_letter_is_where_its_corners_are():
    (picture,) = sketch(np.random.default_rng(0), [strokes_of("00-04-44")]).reshape(-1, 28, 28)
    ink = picture > 100
    assert ink[:, :14].sum() > ink[:, 14:].sum() and ink[14:].sum() > ink[:14].sum()  # an L
    assert strokes_of("40-01 22-33")[1].tolist() == [[2, 2], [3, 3]]
    assert strokes_of("40-01")[0].tolist() == [[0, 4], [1, 0]]  # row and column


def test_a_mixture_has_about_as_many_of_each_kind(digits):
    kinds = {name: KINDS[name] for name in ("noise", "inverted", "shuffled")}
    mixed = mixture(np.random.default_rng(0), *digits, 100, kinds)
    assert mixed.shape == (100, 784)
    means = mixed.mean(axis=1)
    assert (means[:34] > 110).all() and (means[34:67] > 180).all() and (means[67:] < 80).all()


# --- The benchmark --------------------------------------------------------------------------------


def test_nonsense_is_mixed_in_with_low_targets(digits):
    net = small()
    x, targets = doubt.mixed(net, *digits, np.zeros((7, 784), np.uint8))
    assert x.shape == (507, 784) and x.dtype == np.uint8 and targets.dtype == np.float32
    assert np.array_equal(targets[:500], net.as_targets(digits[1]))
    assert (targets[500:] == np.float32(0.01)).all()


def test_it_measures_who_is_sure_of_what(sample, trained):
    train, test = ((part.images[:600], part.labels[:600]) for part in sample)
    strange = {name: made(name, test) for name in KINDS}
    recipe = doubt.recipe(["noise", "inverted"]) | {"epochs": 1}
    measured = doubt.run(
        copy.deepcopy(trained), recipe, train, test, strange, np.random.default_rng(0)
    )
    assert list(measured["before"]) == list(KINDS)
    rows = [doubt.at(measured, bar) for bar in doubt.BARS]
    assert all(list(row) == ["digits", "kept", *KINDS] for row in rows)
    for name in rows[0]:
        values = [row[name] for row in rows]
        assert values == sorted(values, reverse=True) and 0 <= values[-1] <= values[0] <= 100
    assert doubt.at(measured, 0.9)["noise"] <= 5


def test_only_missing_networks_are_trained_and_changed_recipes_anew(monkeypatch):
    results = {}
    for name, _, seed in doubt.missing(results):
        results["recipes"][name]["runs"].append({"seed": seed})
    results = json.loads(json.dumps(results))  # as read from the file
    assert doubt.missing(results) == []
    results["recipes"]["half of the kinds"]["runs"].pop(1)
    assert [(name, seed) for name, _, seed in doubt.missing(results)] == [("half of the kinds", 1)]
    monkeypatch.setitem(doubt.RECIPES, "noise and shuffled", doubt.recipe(doubt.EASY, 50))
    assert len(doubt.missing(results)) == 1 + doubt.SEEDS["noise and shuffled"]
    monkeypatch.delitem(doubt.RECIPES, "the other half")
    assert "the other half" not in (doubt.missing(results), results["recipes"])[1]


def test_the_committed_results_are_those_of_the_recipes():
    results = doubt.read(ROOT / "benchmarks" / "doubt.json")
    assert doubt.missing(results) == []
    half = results["recipes"]["half of the kinds"]["runs"]
    for run in half:
        before, after = run["before"], doubt.at(run, 0.9)
        assert max(after[name] for name in ("noise", "shuffled", "inverted")) <= 1
        assert all(after[name] < before[name] for name in UNSEEN)
    text = doubt.table(results)
    assert text.count("\n| letters |") == 1 and re.search(r"\| noise \| [\d.]+ \| \(0.0\) \|", text)
