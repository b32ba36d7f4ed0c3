"""benchmarks/accuracy.py: goes on where it stopped, and its results are those of its recipes."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import accuracy  # noqa: E402


def finished(seeds):
    """Results with all networks of these seeds."""
    results = {}
    for part, name, _, seed in accuracy.missing(results, seeds):
        figures = {"one look": 0.9, accuracy.AVERAGED: 0.95}
        results[part][name]["runs"].append({"seed": seed, "seconds": 1.0, **figures})
    return json.loads(json.dumps(results))  # as read from the file


def left(results, seeds):
    return [(part, name, seed) for part, name, _, seed in accuracy.missing(results, seeds)]


def test_only_missing_networks_are_trained():
    results = finished(5)
    assert left(results, 5) == []
    lost = results["test"]["record"]["runs"].pop(2)
    assert left(results, 5) == [("test", "record", lost["seed"])]
    assert left(finished(1), 2) == [
        (part, name, 1) for part, recipes in accuracy.PARTS.items() for name in recipes
    ]


def test_a_changed_recipe_is_trained_anew(monkeypatch):
    results = finished(2)
    changed = ({}, {"learning_rate": accuracy.falling(0.2)})
    monkeypatch.setitem(accuracy.RECIPES, "default", changed)
    assert left(results, 2) == [("test", "default", 0), ("test", "default", 1)]
    assert results["test"]["default"]["recipe"] == accuracy.in_words(changed)
    assert left(results, 2) == [("test", "default", 0), ("test", "default", 1)]
    monkeypatch.setitem(accuracy.RECIPES, "default", ({}, {"learning_rate": accuracy.falling(0.3)}))
    assert len(left(results, 2)) == 2


def test_what_belongs_to_no_recipe_any_more_is_dropped_and_the_rest_put_in_order():
    results = finished(2)
    steps = results["held out"]
    steps["old step"] = steps.pop(next(iter(steps)))  # and the first step is missing
    assert len(left(results, 2)) == 2
    assert list(results["held out"]) == list(accuracy.STEPS)


def test_an_interrupted_training_is_no_result(sample_pair):
    def interrupted(net, *batch, **options):
        raise KeyboardInterrupt

    recipe = ({}, {"epochs": 1}, interrupted)
    with pytest.raises(KeyboardInterrupt):
        accuracy.run(recipe, 0, *sample_pair, progress=False)


def test_the_published_recipe_takes_the_shortcut(sample_pair):
    shortcut, steps = accuracy.shortcut.backprop, []
    recipe = accuracy.RECIPES["record by record"]
    assert recipe[2] is shortcut and accuracy.in_words(recipe)[2] == "backprop"
    recipe = (*recipe[:2], lambda *batch, **scale: steps.append(1) or shortcut(*batch, **scale))
    accuracy.run((recipe[0], recipe[1] | {"epochs": 1}, recipe[2]), 0, *sample_pair, progress=False)
    assert len(steps) == 1500  # a digit a step, each as it is and turned twice


def test_results_are_written_whole(tmp_path):
    path = tmp_path / "accuracy.json"
    assert accuracy.read(path) == {}
    accuracy.write(path, {"a": 1})
    with pytest.raises(TypeError):
        accuracy.write(path, {"a": object()})
    assert accuracy.read(path) == {"a": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["accuracy.json"]


def test_the_committed_results_are_those_of_the_recipes():
    results = accuracy.read(ROOT / "benchmarks" / "accuracy.json")
    assert left(results, 3) == []
    assert len(results["test"]["record"]["runs"]) == 5
    median = sorted(run[accuracy.AVERAGED] for run in results["test"]["record"]["runs"])[2]
    assert median >= 0.9915  # 0.85 % errors at most
    assert accuracy.table(results) in (ROOT / "README.md").read_text(encoding="utf-8")
    first = results["test"]["record"]["runs"][0]
    told = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert f"{first['one look']:.2%}".replace("%", " %") in told
    assert f"{first[accuracy.AVERAGED]:.2%}".replace("%", " %") in told


def test_the_picture_shows_two_dots_a_network_and_a_line_a_publication():
    axes = accuracy.picture(finished(2)).axes[0]
    dots = [line for line in axes.get_lines() if line.get_linestyle() == "None"]
    assert sum(len(line.get_xdata()) for line in dots) == 2 * 2 * len(accuracy.RECIPES)
    texts = {text.get_text() for text in axes.texts}
    assert texts == {*accuracy.RECIPES, *accuracy.PUBLISHED}


def test_a_recipe_is_measured_with_one_look_and_with_more(sample_pair):
    train, test = sample_pair
    net, measured = accuracy.run(accuracy.RECIPES["default"], 1, train, test, progress=False)
    assert measured["seed"] == 1 and measured["seconds"] > 0
    assert measured["one look"] == net.accuracy(*test)
    assert measured[accuracy.AVERAGED] == net.accuracy(*test, looks=accuracy.LOOKS)


@pytest.fixture
def sample_pair():
    train, test = accuracy.mnist.load_sample()
    return (train.images[:500], train.labels[:500]), (test.images[:200], test.labels[:200])


@pytest.mark.skipif(
    not (ROOT / "data" / "mnist_test.csv").exists(), reason="full MNIST is not in data/"
)
def test_the_shipped_weights_are_the_records_first():
    net = accuracy.NeuralNetwork.load(ROOT / "data" / "digits.npz")
    test = accuracy.pair(accuracy.mnist.load()[1])
    first = accuracy.read(ROOT / "benchmarks" / "accuracy.json")["test"]["record"]["runs"][0]
    assert first["seed"] == 0
    assert net.accuracy(*test) == pytest.approx(first["one look"], abs=0.0003)
    assert net.accuracy(*test, looks=accuracy.LOOKS) == pytest.approx(
        first[accuracy.AVERAGED], abs=0.0003
    )
