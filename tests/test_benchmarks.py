"""benchmarks/: accuracy goes on where it stopped, and its results are those of its recipes; what
speed and defaults say of a network is what happened."""

import hashlib
import json
import subprocess
import threading
import time

import numpy as np
import pytest
from conftest import ROOT, same

import storage
from benchmarks import accuracy, defaults, dreams, imagine, speed
from distortions import look
from imagine import canvas_of
from nn import NeuralNetwork
from optimisers import nesterov


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


def test_an_optimiser_is_part_of_the_recipe(monkeypatch):
    results = finished(2)
    options, knobs = accuracy.RECORD
    changed = (options, knobs | {"descend": nesterov(0.9, 5e-4)})
    monkeypatch.setitem(accuracy.RECIPES, "record", changed)
    assert left(results, 2) == [("test", "record", 0), ("test", "record", 1)]
    told = results["test"]["record"]["recipe"][1]
    assert told["descend"] == "nesterov(momentum=0.9, decay=0.0005)"
    assert told["augment"] == "distort" and "half a cosine" in told["learning_rate"]


@pytest.mark.parametrize("progress", [False, True])
def test_an_interrupted_training_is_no_result(sample_pair, progress):
    steps = []

    def interrupted(net, *batch, **options):
        steps.append(1)
        if len(steps) == 20:
            raise KeyboardInterrupt
        return accuracy.shortcut.backprop(net, *batch, **options)

    recipe = ({}, {"epochs": 1}, interrupted)
    with pytest.raises(KeyboardInterrupt):
        accuracy.run(recipe, 0, *sample_pair, progress=progress)
    assert len(steps) == 20


def test_a_bar_changes_nothing(sample_pair, capsys):
    recipe = ({}, {"epochs": 2})
    shown, _ = accuracy.run(recipe, 0, *sample_pair)
    assert "/2.00 [" in capsys.readouterr().err
    quiet, _ = accuracy.run(recipe, 0, *sample_pair, progress=False)
    assert capsys.readouterr().err == ""
    assert same(shown, quiet)


def test_the_held_out_digits_are_those_of_the_committed_results():
    rows = np.arange(60_000)
    digits = accuracy.mnist.Digits(rows, rows % 10, "")
    (rest, labels), (held, held_labels) = accuracy.hold_out(digits, accuracy.HELD_OUT)
    assert (len(rest), len(held)) == (50_000, 10_000)
    assert sorted([*rest, *held]) == list(rows)
    assert (labels == rest % 10).all() and (held_labels == held % 10).all()
    told = hashlib.sha256(np.concatenate([rest, held]).astype("<i8").tobytes()).hexdigest()
    assert told[:16] == "3d513f402ca64648"


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
    right = look(net, test[0], accuracy.LOOKS).argmax(axis=1) == test[1]
    assert measured[accuracy.AVERAGED] == right.mean() != measured["one look"]


@pytest.fixture
def sample_pair(sample):
    train, test = sample
    return (train.images[:500], train.labels[:500]), (test.images[:200], test.labels[:200])


@pytest.mark.skipif(
    not (ROOT / "data" / "mnist_test.csv").exists(), reason="full MNIST is not in data/"
)
def test_the_shipped_weights_are_the_records_first():
    net = storage.load(ROOT / "data" / "digits.npz")
    images, labels = accuracy.pair(accuracy.mnist.read(ROOT / "data" / "mnist_test.csv"))
    first = accuracy.read(ROOT / "benchmarks" / "accuracy.json")["test"]["record"]["runs"][0]
    assert first["seed"] == 0
    assert net.accuracy(images, labels) == pytest.approx(first["one look"], abs=0.0003)
    looked = (look(net, images, accuracy.LOOKS).argmax(axis=1) == labels).mean()
    assert looked == pytest.approx(first[accuracy.AVERAGED], abs=0.0003)


# --- defaults -------------------------------------------------------------------------------------


def test_the_grid_has_every_network_once_and_check_meets_every_choice():
    grid, some = (
        [json.dumps(defaults.in_words(*one)) for one in part]
        for part in (defaults.grid(), defaults.some())
    )
    assert len(set(grid)) == len(grid) and len(set(some)) == len(some)
    pairs = {(options["loss"], options["output"]) for options, _ in defaults.some()}
    assert pairs == set(defaults.LOSSES) == {(o["loss"], o["output"]) for o, _ in defaults.grid()}
    for part in (defaults.grid(), defaults.some()):
        assert {options["hidden"] for options, _ in part} >= {"sigmoid", "relu"}
        assert {options["biases"] for options, _ in part} == {False, True}
        assert {len(options["layers"]) - 2 for options, _ in part} == {0, 1, 2, 3}
        nodes = {n for options, _ in part for n in options["layers"][1:-1]}
        assert (min(nodes), max(nodes)) == (20, 500)
        sizes = {size for _, size in part}
        assert (min(sizes), max(sizes)) == (1, 1000)


def test_a_network_has_learned_when_it_reads_enough(monkeypatch, sample_pair):
    monkeypatch.setattr(defaults, "EPOCHS", 6)
    train, test = sample_pair
    found = defaults.learn({}, 64, train, test, enough=1.1)
    net = NeuralNetwork()
    net.train(*train, epochs=6, batch_size=64, progress=False)
    assert found == {"epochs": 6, "accuracy": net.accuracy(*test)}  # the default, nothing else
    sooner = defaults.learn({}, 64, train, test, enough=0.4)
    assert sooner["accuracy"] >= 0.4 and sooner["epochs"] < 6
    slow = defaults.learn({}, 64, train, test, factor=1e-6)
    assert slow["accuracy"] < 1 / 3 and slow["epochs"] == 3
    relu = {"hidden": "relu", "output": "relu"}
    no_number = defaults.learn(relu, 64, train, test, factor=1e9)
    assert no_number["accuracy"] < 0.5 and no_number["epochs"] < 6


def test_check_names_the_networks_that_do_not_learn(monkeypatch, sample_pair, capsys):
    reads = {1: 0.95, 8: 0.9, 32: 0.89, 128: 0.87, 1000: 0.1}
    monkeypatch.setattr(
        defaults, "learn", lambda options, size, *_: {"epochs": 3, "accuracy": reads[size]}
    )
    stuck = defaults.check(*sample_pair)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(defaults.some())
    assert stuck == [line for line in printed if line.startswith(("87.0%", "10.0%"))] != []


def test_check_trains_the_named_networks(monkeypatch, sample):
    sample = [accuracy.pair(part) for part in sample]
    monkeypatch.setattr(defaults, "NAMED_ENOUGH", 0.5)
    assert defaults.check_named(*sample) == []
    monkeypatch.setattr(defaults, "NAMED_ENOUGH", 1.1)
    monkeypatch.setattr(defaults, "EPOCHS", 1)
    stuck = [told.split(" by ")[1] for told in defaults.check_named(*sample)]
    assert stuck == list(defaults.NAMED)


def test_all_goes_on_where_it_stopped_and_tries_other_rates_for_the_stuck(monkeypatch, tmp_path):
    trained, stop_after = [], [3]

    def learn(options, batch_size, train, test, factor=1):
        if len(trained) == stop_after[0]:
            raise KeyboardInterrupt
        trained.append((batch_size, factor))
        return {"epochs": 1, "accuracy": 0.95 if batch_size < 100 or factor == 3 else 0.2}

    monkeypatch.setattr(defaults, "RESULTS", tmp_path / "defaults.json")
    monkeypatch.setattr(defaults, "grid", lambda: [({}, 1), ({}, 32), ({}, 1000)])
    monkeypatch.setattr(defaults, "learn", learn)
    digits = [(np.zeros((10, 784), np.uint8), np.arange(10))] * 2
    with pytest.raises(KeyboardInterrupt):
        defaults.run_all(*digits)
    assert len(defaults.read()) == 2
    stop_after[0] = None
    rows = defaults.run_all(*digits)
    assert defaults.read() == rows and len(trained) == 3 + 1 + len(defaults.OTHERS)
    assert [row["network"]["batch_size"] for row in rows] == [1, 32, 1000]
    assert rows[2]["accuracy"] == 0.2 and rows[2]["its accuracy"] == 0.95
    assert rows[2]["best other rate, times ours"] == 3
    assert "2 learn with the default rate, 1 only with another one" in defaults.summary(rows)
    trained.clear()
    monkeypatch.setattr(defaults, "schedule", lambda *_: lambda done: 7.0)  # another rule
    assert defaults.run_all(*digits)[0]["network"]["learning_rate"] == [7, 7]
    assert len(trained) == 3 + len(defaults.OTHERS)


# --- speed ----------------------------------------------------------------------------------------


def test_a_moment_of_training_is_scaled_to_60000_digits(monkeypatch, sample_pair):
    monkeypatch.setattr(speed, "MOMENT", 0.1)
    images, labels = (np.concatenate([part] * 20) for part in sample_pair[0])  # 10,000
    seconds, scaled = [], []
    for _ in range(5):
        start = time.perf_counter()
        NeuralNetwork().train(images, labels, epochs=1, rotations=(), progress=False)
        seconds.append(6 * (time.perf_counter() - start))
        scaled.append(speed.a_moment(images, labels, 32))
    assert min(seconds) / 5 < min(scaled) < min(seconds) * 5  # of the right order, at best


def test_every_size_has_its_moments_and_the_median_counts(monkeypatch):
    took = {size: iter([5.0, 1.0, 3.0]) for size in speed.SIZES}
    monkeypatch.setattr(speed, "TURNS", 3)
    monkeypatch.setattr(speed, "a_moment", lambda images, labels, size: next(took[size]))
    assert speed.seconds_by_size(None, None) == dict.fromkeys(speed.SIZES, 3.0)


def test_the_verdict_compares_each_size_with_the_best_smaller_one():
    assert speed.slowest({1: 8.0, 2: 4.0, 128: 6.0, 256: 1.0}) == (1.5, 128)
    assert speed.slowest({1: 8.0, 2: 4.0, 4: 2.0}) == (0.5, 4)


def test_busy_loops_end_however_it_ends(monkeypatch):
    started, popen = [], subprocess.Popen

    def recorded(*options):
        started.append(popen(*options))
        return started[-1]

    monkeypatch.setattr(speed.subprocess, "Popen", recorded)
    with pytest.raises(KeyError), speed.busy_loops():
        assert [process.poll() for process in started] == [None, None]
        raise KeyError
    assert None not in [process.poll() for process in started]


def test_a_fresh_thread_does_the_same_work(monkeypatch, sample_pair):
    monkeypatch.setattr(speed, "TURNS", 1)
    assert speed.thread_ratio(*sample_pair[0]) > 0
    train = NeuralNetwork.train

    def other_weights(net, *digits, **knobs):
        train(net, *digits, **knobs)
        net.weights[0][0, 0] += threading.current_thread() is not threading.main_thread()

    monkeypatch.setattr(NeuralNetwork, "train", other_weights)
    with pytest.raises(AssertionError, match="other weights"):
        speed.thread_ratio(*sample_pair[0])


def test_the_whole_run_is_told_stage_by_stage(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))  # there is nothing: it takes the sample
    monkeypatch.setenv("MNIST_MIRRORS", "")
    whole = speed.whole_run()
    assert "sample" in whole["digits"] and whole["accuracy"] > 0.9
    stages = whole["stages"]
    assert list(stages) == ["Python and imports", "read the CSV", "turn", "train", "test", "in all"]
    *each, in_all = stages.values()
    assert in_all == pytest.approx(np.sum(each, axis=0)) and min(map(min, each)) >= 0
    assert 50 < whole["peak"] < 1000


def test_the_peak_is_that_of_the_run_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    monkeypatch.setenv("MNIST_MIRRORS", "")
    ours = np.ones(10**9, np.uint8)  # a GB that is really there
    assert ours[:: 10**6].all() and speed.whole_run()["peak"] < 1000


def test_everybody_does_equal_work(sample):
    speed.assert_equal_work(sample[0].images, sample[0].labels, [])
    net = NeuralNetwork()
    other = [w + 0.01 for w in net.weights]
    with pytest.raises(AssertionError, match="not the same work"):
        speed.assert_same_weights(other, net.weights, [w * 0.99 for w in net.weights], "a peer")


# --- imagine --------------------------------------------------------------------------------------


def test_each_way_draws_ten_digits(trained, sample):
    canvas = canvas_of(sample[0].images)
    drawn = {way: draw(trained, canvas) for way, draw in imagine.WAYS.items()}
    for images in drawn.values():
        assert images.shape == (10, 784)
        assert 0 <= images.min() < images.max() <= 1
    assert len({images.tobytes() for images in drawn.values()}) == len(drawn)
    last = drawn["canvas, jiggled, at a distance: imagine"]
    assert (trained.predict(last) == imagine.DIGITS).sum() >= 9


def test_the_committed_ways_are_those_of_the_script():
    told = json.loads((ROOT / "benchmarks" / "imagine.json").read_text(encoding="utf-8"))
    table = told["read, of ten, by seed"]
    assert list(table) == list(imagine.WAYS)
    assert {len(row) for judges in table.values() for row in judges.values()} == {5}


# --- dreams ---------------------------------------------------------------------------------------


def test_dreams_go_on_where_they_stopped():
    all_of_it = dreams.missing({"taught": []}, 2)
    assert len(set(all_of_it)) == len(all_of_it) and {part for part, _, _ in all_of_it} == {
        *dreams.PARTS
    }
    assert {recipe for _, recipe, _ in all_of_it} == set(dreams.TEACHERS)
    known = [{"part": "dreams", "teacher": "default recipe", "seed": 0, "rows": {}}]
    assert dreams.missing({"taught": known}, 2) == all_of_it[1:]


def test_each_row_is_taught_with_what_its_name_says(monkeypatch, trained, sample):
    taught, canvas = [], canvas_of(sample[0].images)

    def newborn(images, targets, seed, epochs, **knobs):
        taught.append((images, targets))
        return trained

    monkeypatch.setattr(dreams, "MANY", 200)
    monkeypatch.setattr(dreams, "FEW", 100)
    monkeypatch.setattr(dreams, "newborn", newborn)
    rows = dreams.measured(dreams.dreams(trained, 0, canvas, sample[0]), sample[1])
    rows |= dreams.measured(dreams.others(trained, 0, canvas, sample[0]), sample[1])
    right = trained.accuracy(sample[1].images, sample[1].labels)
    assert {row["accuracy"] for row in rows.values()} == {right}
    for name, (images, targets) in zip(rows, taught, strict=True):
        if name.startswith("ten "):
            assert images.shape == (1000, 784) and np.array_equal(np.bincount(targets), [100] * 10)
        else:
            assert images.dtype == np.uint8 and len(images) == (200 if "dreams" in name else 100)
            told = targets if "names only" in name else targets.argmax(axis=1)
            assert np.array_equal(told, trained.predict(images))
            assert np.ndim(targets) == (1 if "names only" in name else 2)


def test_ten_pictures_are_shown_distorted_and_in_noise(monkeypatch, digits):
    monkeypatch.setattr(dreams, "newborn", lambda x, targets, *_, augment, **knobs: (x, augment))
    x, augment = dreams.from_ten(digits[0][:10], 0)
    rng = np.random.default_rng(0)
    seen = [augment(x, rng) for _ in range(2)]
    assert not np.allclose(*seen)
    assert 0.25 < (seen[0][:, :28] - x[:, :28]).std() < 0.35  # the uppermost row is paper and noise


def test_many_dreams_are_compared_with_as_many_real_digits(monkeypatch, trained, sample):
    monkeypatch.setattr(dreams, "EACH", 4)
    monkeypatch.setattr(dreams, "STEPS", 2)
    found, images, real = dreams.compared(trained, canvas_of(sample[0].images), sample[0], trained)
    assert images.shape == real.shape == (40, 784)
    assert (trained.predict(real) == np.repeat(np.arange(10), 4)).mean() > 0.9
    right = (trained.predict(images) == np.repeat(np.arange(10), 4)).mean()
    assert found["read right by the convolutional network"] == right
    dreamt, others = found["distances, their 0, 5, 25, 50, 75, 95, 100 percentiles"].values()
    assert dreamt == sorted(dreamt) and others[0] > 0.5  # a digit is not its own neighbour
    assert all(
        len(ratios) == 10 for ratios in found["spread of each digit, dreamt over real"].values()
    )
    assert found["alike"] == 0


def test_spread_is_what_it_says(monkeypatch):
    corners = np.array([[0, 0], [3, 4.0]])
    assert dreams.from_mean(corners) == 2.5
    both = np.tile(corners, (10, 1))
    monkeypatch.setattr(dreams, "EACH", 2)
    assert dreams.ratios(dreams.from_mean, 2 * both, both) == [2] * 10


def test_the_page_shows_the_digit_asked_for():
    images = np.repeat(np.linspace(0, 1, 10), 100)[:, None] * np.ones(784)
    axes = dreams.page(images, 1 - images, digit=3).axes
    shown = [np.unique(one.get_images()[0].get_array()).tolist() for one in axes]
    assert np.allclose(shown, [[1 / 3], [2 / 3]])


def test_the_committed_dreams_are_those_of_the_script():
    told = json.loads((ROOT / "benchmarks" / "dreams.json").read_text(encoding="utf-8"))
    assert {run["teacher"] for run in told["taught"]} == set(dreams.TEACHERS)
    assert all(row in dreams.table(told) for run in told["taught"] for row in run["rows"])
    many = told["many"]
    assert many["kept"] == 10 * dreams.EACH and many["alike"] == 0
    assert many["read right by the convolutional network"] >= 0.99
    for ratios in many["spread of each digit, dreamt over real"].values():
        assert min(ratios) >= 0.5
    dreamt, others = many["distances, their 0, 5, 25, 50, 75, 95, 100 percentiles"].values()
    assert dreamt[3] >= others[3]  # the medians
