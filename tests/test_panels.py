"""The panels without a browser: their controls set and their buttons clicked from here."""

import base64
import inspect
import itertools
import threading
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import PATIENCE, wait_until
from threadpoolctl import threadpool_info

import checks
import handwriting
import mnist
from distortions import ways
from imagine import canvas_of, imagine
from nn import NeuralNetwork
from optimisers import fitting_rate, nesterov, plain
from panels import (
    DrawingPad,
    ImaginePanel,
    NeuronExplorer,
    TrainingPanel,
    film,
    imagining,
    pause,
    recipe,
    training,
    wire,
)
from panels.controls import Knob, Latest
from panels.markup import answer_html, digits_html
from panels.witnesses import Witnesses
from pen import so_far, write


@pytest.fixture(scope="module")
def blots():
    """60 images of ten blots, each in a place of its own; (images, labels)."""
    labels = np.arange(60) % 10
    images = np.random.default_rng(0).integers(0, 50, (60, 784), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * 75 : label * 75 + 60] = 250
    return images, labels


@pytest.fixture(scope="module")
def net(blots):
    net = NeuralNetwork((784, 20, 10))
    net.train(*blots, epochs=30, learning_rate=3, batch_size=5, rotations=(), progress=False)
    return net


@pytest.fixture(scope="module")
def canvas(blots):
    return canvas_of(blots[0])


@pytest.fixture
def panel(blots):
    panel = TrainingPanel(blots, blots)
    move(panel, hidden_nodes=5, batch_size=10, epochs=2, rotation=0)
    yield panel
    panel.close()


def turn(panel, **values):
    for name, value in values.items():
        panel.knobs[name].field.value = str(value)


numbers = itertools.count(1)


def tell(panel, what, **more):
    """What the training panel's browser tells it."""
    panel.stage._handle_custom_msg({"do": what, "id": next(numbers), **more}, [])


def move(panel, **knobs):
    """Turn knobs of the training panel, and wait until it is through."""
    tell(panel, "turn", knobs=knobs)
    wait_until(lambda: not panel.busy)


def train(panel):
    tell(panel, "train")
    wait_until(lambda: not panel.busy)


def assert_same_weights(net, other):
    for mine, theirs in zip(net.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


# --- Knobs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["abc", "", "-5", "1e9", "12.5", "nan", "0", "501", "<b>x"])
def test_what_does_not_fit_is_refused_with_the_reason(typed):
    calls = []
    knob = Knob("hidden nodes", 100, 1, 500, changed=lambda: calls.append(1))
    knob.field.value = typed
    assert knob.value == knob.slider.value == 100
    assert knob.field.value == "100"
    assert "expected a whole number from 1 to 500" in knob.reason.value
    assert knob.reason.layout.display == ""
    assert "<b>" not in knob.reason.value
    assert not calls
    knob.field.value = " 250 "
    assert knob.value == knob.slider.value == 250
    assert knob.reason.layout.display == "none"
    assert calls == [1]


def test_a_slider_sets_its_field_but_does_not_round_what_was_typed():
    knob = Knob("learning rate", 3.0, 0.01, 100, True)
    knob.slider.value = 10**-0.5
    assert (knob.value, knob.field.value) == (0.32, "0.32")
    knob.field.value = "0.1234"
    knob.slider.value = 10**-0.91  # the next of its steps: a browser does so by itself
    assert (knob.value, knob.field.value) == (0.1234, "0.1234")
    knob.slider.value = 10**-0.89
    assert knob.value == 0.13


def test_knobs_begin_with_the_defaults_of_train_and_imagine(blots, net, canvas):
    knobs = TrainingPanel(blots, blots).knobs
    options = inspect.signature(NeuralNetwork.train).parameters
    for name in ("batch_size", "epochs"):
        assert knobs[name] == options[name].default
    assert options["rotations"].default == (knobs["rotation"], -knobs["rotation"])
    assert knobs["learning_rate"] == fitting_rate(NeuralNetwork(), knobs["batch_size"]) == 3.0
    assert knobs["momentum"] == 0
    assert (784, knobs["hidden_nodes"], 10) == NeuralNetwork().layers

    options = inspect.signature(imagine).parameters
    assert set(imagining.KNOBS) == set(options) - {"net", "targets", "canvas", "callback"}
    for name, knob in ImaginePanel(net, canvas).knobs.items():
        assert knob.value == options[name].default


# --- Train ----------------------------------------------------------------------------------------


def in_a_cell(blots, epochs=2, nodes=5, seed=0, **options):
    net = NeuralNetwork((784, nodes, 10), seed=seed)
    given = {"learning_rate": 3, "batch_size": 10, "rotations": (), "progress": False}
    net.train(*blots, epochs=epochs, **given | options)
    return net


def test_a_knob_that_moves_trains_anew_from_the_same_start(panel, blots):
    for rate in (2.0, 0.5, 2.0):
        move(panel, learning_rate=rate)
        assert_same_weights(panel.net, in_a_cell(blots, learning_rate=rate))
        assert panel.stage.shown["points"][-1][0] == 2
    assert list(panel.runs.learning_rate[-3:]) == [2.0, 0.5, 2.0]
    assert len(set(panel.runs.network)) == len(panel.runs)


def test_train_goes_on_as_a_plain_cell_does(panel, blots):
    train(panel)
    assert panel.net.epoch == 4
    assert_same_weights(panel.net, in_a_cell(blots, 4))
    assert panel.runs.network.iloc[-1] == panel.runs.network.iloc[-2]
    row = panel.runs.iloc[-1]
    assert row.accuracy == panel.net.accuracy(*blots)
    assert row.seconds >= 0
    assert (row.epochs, row.hidden_nodes, row.batch_size, row.learning_rate) == (2, 5, 10, 3)
    assert f"{100 * row.accuracy:.2f} %" in panel.stage.shown["says"]


def test_all_knobs_reach_the_network(panel, blots):
    move(panel, hidden_nodes=6, seed=3, learning_rate=2, rotation=15, momentum=0.5, epochs=1)
    train(panel)  # this one goes on with the velocities of the first
    options = {"learning_rate": 2, "rotations": (15, -15), "descend": nesterov(0.5)}
    assert_same_weights(panel.net, in_a_cell(blots, 2, 6, 3, **options))
    move(panel, digits=52, momentum=0)
    few = [part[:52] for part in blots]
    options["descend"] = plain
    assert_same_weights(panel.net, in_a_cell(few, 1, 6, 3, **options))


def test_a_line_of_python_repeats_each_run_exactly(panel, blots):
    tell(panel, "turn", knobs={"digits": 55, "momentum": 0.5, "rotation": 7, "epochs": 200})
    wait_until(lambda: panel.net.epoch > 0)
    tell(panel, "stop")  # somewhere in the middle
    wait_until(lambda: not panel.busy)
    assert 0 < panel.net.epoch < 200
    assert "Paused" in panel.says
    panel.knobs["epochs"] = 1
    train(panel)
    train(panel)
    names = {"NeuralNetwork": NeuralNetwork, "nesterov": nesterov, "pause": pause}
    names |= {"images": blots[0], "labels": blots[1]}
    line = panel.python.replace("epochs=", "progress=True, epochs=")  # as in a notebook
    exec(line, names)
    assert line.count("net.train") == 2, "whole epochs in a row are one call"
    assert_same_weights(names["net"], panel.net)
    assert names["net"].epoch == pytest.approx(panel.net.epoch)
    assert panel.runs.python.iloc[-1] == panel.stage.shown["python"] == panel.python
    exec(panel.runs.python.iloc[0], names)
    assert_same_weights(names["net"], in_a_cell(blots))


def test_a_short_text_restores_the_knobs(panel, blots):
    move(panel, learning_rate=0.1234, seed=7)
    text, weights = panel.settings, panel.net.weights[0].copy()
    other = TrainingPanel(blots, blots)
    tell(other, "settings", text=text)
    wait_until(lambda: not other.busy)
    assert other.knobs == panel.knobs
    np.testing.assert_array_equal(other.net.weights[0], weights)
    assert other.stage.shown["settings"] == text
    for wrong in ("learning_rate=3 nodes=5", "learning_rate", "seed=-1", "<b>"):
        tell(other, "settings", text=wrong)
        assert "expected" in other.stage.shown["warning"]
        assert other.settings == text
    other.close()


@pytest.mark.parametrize("typed", ["abc", "", "-5", "1e9", "12.5", "nan", "0", "501", None])
def test_a_knob_refuses_what_does_not_fit_and_its_training_goes_on(panel, typed):
    tell(panel, "turn", knobs={"epochs": 200, "batch_size": 1})
    tell(panel, "turn", knobs={"hidden_nodes": typed})
    assert panel.busy
    assert panel.stage.shown["knobs"]["hidden_nodes"] == 5
    assert "hidden nodes" in panel.stage.shown["warning"]
    assert "expected a whole number from 1 to 500" in panel.stage.shown["warning"]
    tell(panel, "turn", knobs={"hidden_nodes": " 6 ", "epochs": "1"})
    wait_until(lambda: not panel.busy)
    assert panel.net.layers == (784, 6, 10)
    assert "expected" not in panel.stage.shown["warning"]


def test_many_digits_wait_for_train(panel, monkeypatch):
    monkeypatch.setattr(recipe, "LIVE", 55)
    old = panel.net
    tell(panel, "turn", knobs={"seed": 2})
    assert not panel.busy
    assert panel.net is not old and panel.net.epoch == 0
    assert "Press Train" in panel.stage.shown["says"]
    train(panel)
    assert panel.net.epoch == 2


def test_stop_is_quick_keeps_the_weights_and_train_goes_on(panel):
    panel.validation = panel.examples = [np.repeat(part, 50, 0) for part in panel.examples]
    panel.ranges["digits"] = (*panel.ranges["digits"][:3], 3000, True)
    tell(panel, "turn", knobs={"hidden_nodes": 300, "batch_size": 1, "epochs": 50, "digits": 3000})
    assert panel.busy, "a knob does not wait for the training"
    wait_until(lambda: panel.net.epoch > 0)
    wait_until(lambda: panel.stage.shown["busy"])
    begun = time.monotonic()
    tell(panel, "stop")
    wait_until(lambda: not panel.busy)
    assert time.monotonic() - begun < 2, "a second, and one more for a busy machine"
    stopped, weights = panel.net.epoch, panel.net.weights[0].copy()
    assert 0 < stopped < 50
    assert "Paused" in panel.stage.shown["says"]
    assert not panel.stage.shown["busy"]
    time.sleep(0.05)
    np.testing.assert_array_equal(panel.net.weights[0], weights)
    tell(panel, "train")
    wait_until(lambda: panel.net.epoch > stopped)
    tell(panel, "stop")
    wait_until(lambda: not panel.busy)
    assert panel.runs.network.iloc[-1] == panel.runs.network.iloc[-2]


def test_many_clicks_at_once_start_one_training(panel):
    together, epoch, runs = threading.Barrier(8), panel.net.epoch, len(panel.runs)
    panel.knobs["epochs"] = 50

    def press():
        together.wait()
        panel.train()

    before = threading.active_count()
    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert threading.active_count() <= before + 1
    wait_until(lambda: not panel.busy)
    assert len(panel.runs) == runs + 1
    assert panel.net.epoch == epoch + 50


def test_knobs_that_move_all_the_time_leave_one_run(panel, blots):
    runs = len(panel.runs)
    panel.knobs["epochs"] = 100
    for rate in np.linspace(1, 2, 20):
        tell(panel, "turn", knobs={"learning_rate": float(rate)})
    wait_until(lambda: not panel.busy)
    assert len(panel.runs) == runs + 1
    assert_same_weights(panel.net, in_a_cell(blots, 100, learning_rate=2.0))


def test_a_training_ends_with_its_panel_and_when_another_begins(panel, blots):
    panel.knobs |= {"epochs": 200, "batch_size": 1}
    second = TrainingPanel(blots, blots)
    panel.train()
    second.train()
    assert not panel.busy
    assert panel.net.epoch < 200
    second.close()
    assert not second.thread.is_alive()
    panel.train()
    third = TrainingPanel(blots, blots)  # the cell was run again
    wait_until(lambda: not panel.busy)
    assert panel.net.epoch < 400
    third.close()


def test_where_no_thread_can_start_a_knob_waits_for_its_training(panel, blots, monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    tell(panel, "turn", knobs={"learning_rate": 1})
    assert not panel.busy
    assert_same_weights(panel.net, in_a_cell(blots, learning_rate=1))
    tell(panel, "stop")
    tell(panel, "train")
    assert panel.net.epoch == 4
    assert checks.listener.get() is None, "a cell hears its own warnings again"


def test_data_frames_and_labels_as_text_are_taken(panel, blots):
    images, labels = pd.DataFrame(blots[0]), pd.Series(blots[1]).astype(str)
    other = TrainingPanel((images, labels), (images, labels))
    move(other, **panel.knobs)
    assert_same_weights(other.net, panel.net)
    assert other.stage.shown["outputs"] == panel.stage.shown["outputs"]
    assert other.runs.accuracy.iloc[-1] == panel.runs.accuracy.iloc[-1]
    other.close()


def test_held_out_digits_that_do_not_fit_are_refused(blots):
    images, labels = blots
    for validation in ((images, labels[1:]), (images[:, 1:], labels), (images, labels + 5), 0.1):
        with pytest.raises(ValueError, match="expected"):
            TrainingPanel(blots, validation)


# Time that goes back


def numbers_of(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_each_moment_shows_the_network_as_it_was(panel, blots):
    move(panel, learning_rate=0.5, batch_size=30, epochs=3)
    points, last = panel.film.points, len(panel.film) - 1
    net = NeuralNetwork((784, 5, 10))
    for moment in range(last + 1):
        tell(panel, "moment", at=moment)
        shown = panel.stage.shown
        assert shown["moment"] == moment
        net = in_a_cell(blots, 3, learning_rate=0.5, batch_size=30) if moment == last else net
        past = panel.film.at(moment)
        loss, right = past.measure(*blots)
        assert points[moment][1:3] == pytest.approx([loss, right], rel=1e-4)
        says, matrix = past.predict(blots[0]), np.reshape(shown["confusion"], (10, 10))
        for digit in range(10):
            counted = np.bincount(says[blots[1] == digit], minlength=10)
            np.testing.assert_array_equal(matrix[digit], counted)
        np.testing.assert_allclose(shown["outputs"], past.outputs(blots[0][:10]), atol=1e-3)
        assert shown["read"] == list(says[:10])
        drawn = numbers_of(shown["imagined"], np.uint8).reshape(10, 784)
        imagined = imagine(past, range(10), panel.canvas, steps=film.STEPS)
        np.testing.assert_allclose(drawn / 255, imagined, atol=0.003)
        hidden = numbers_of(shown["hidden"], np.int8).reshape(5, 784)
        into = past.weights[0].T
        assert np.corrcoef(hidden.ravel(), into.ravel())[0, 1] > 0.95
        if moment in (0, last):
            assert_same_weights(past, net)
    assert points[0][0] == 0 and points[-1][0] == 3
    tell(panel, "moment", at=1)
    train(panel)
    assert panel.stage.shown["moment"] == len(panel.film) - 1, "who presses Train looks at now"


@pytest.mark.parametrize("pause", [0, 1000])  # between frames: each of them is a moment, too
def test_a_long_training_has_so_many_moments_and_no_more(blots, monkeypatch, pause):
    monkeypatch.setattr(film, "MOMENTS", 40)
    monkeypatch.setattr(training, "FRAME", pause)
    monkeypatch.setattr(training, "FIRST", pause)
    panel = TrainingPanel(blots, blots)
    monkeypatch.setattr(panel, "_show", lambda busy=None: None)
    move(panel, hidden_nodes=3, batch_size=10, epochs=100, rotation=0)
    epochs = [point[0] for point in panel.film.points]
    assert 20 < len(epochs) <= 40
    assert epochs == sorted(epochs)
    gaps = np.divide(epochs[2:], epochs[1:-1])
    assert gaps.max() < 2.5, "early moments stay, however slow the machine and many its frames"
    assert epochs[0] == 0 and epochs[-1] == 100
    assert len(panel.film.weights) == len(epochs)
    panel.close()


def test_the_digits_that_are_shown_are_held_out(blots):
    images, labels = blots
    panel = TrainingPanel((images[30:], labels[30:]), (images[:30], labels[:30]))
    shown = numbers_of(panel.stage.fixed["digits"], np.uint8).reshape(10, 784)
    np.testing.assert_allclose(shown, images[:10], atol=3)  # as 0.01..1 of white
    assert panel.stage.fixed["labels"] == list(range(10))
    panel.close()


def test_an_earlier_run_stays_until_the_next_and_a_kept_one_longer(panel):
    first = panel.film.points
    move(panel, learning_rate=2)
    before = panel.stage.shown["before"]
    assert before["points"] == first
    assert before["knobs"]["learning_rate"] == 3
    tell(panel, "keep")
    for rate in (1, 0.5):
        move(panel, learning_rate=rate)
        assert panel.stage.shown["before"]["knobs"]["learning_rate"] == 2
    tell(panel, "keep")
    tell(panel, "reset")
    assert panel.stage.shown["before"]["knobs"]["learning_rate"] == 0.5
    assert panel.net.epoch == 0
    assert len(panel.stage.shown["points"]) == 1


# What can go wrong, and what it says


def test_a_rate_too_large_is_called_that(digits):
    panel = TrainingPanel(digits, [part[:200] for part in digits])
    move(panel, learning_rate=60, digits=500, epochs=2)
    assert "a learning rate of 60" in panel.stage.shown["warning"]
    assert "Try 3" in panel.stage.shown["warning"]
    move(panel, learning_rate=3, epochs=5)
    assert panel.stage.shown["warning"] == ""
    assert panel.stage.shown["lowest"] is None
    panel.close()


def test_learning_by_heart_is_seen_and_said():
    epochs = np.linspace(0, 10, 50)
    falls, rises = np.exp(-epochs), 0.3 + 0.5 * np.exp(-epochs) + 0.02 * epochs
    by_heart = [[e, a, 1.0, b, 0.7] for e, a, b in zip(epochs, falls, rises, strict=True)]
    assert film.by_heart(by_heart) == pytest.approx(np.argmin(rises), abs=1)
    assert "it learns by heart" in film.verdict(by_heart, 3.0, 3.0)
    well = [[e, a, 1.0, a + 0.1, 0.7] for e, a in zip(epochs, falls, strict=True)]
    assert film.by_heart(well) is None
    assert film.verdict(well, 3.0, 3.0) == ""
    slow = [[e, 0.5, 0.1, 0.5, 0.1] for e in epochs]
    assert "tiny" in film.verdict(slow, 0.01, 3.0)


def test_an_error_in_the_thread_is_shown_and_does_not_end_the_panel(panel, blots):
    runs = len(panel.runs)
    panel.examples = blots[0], blots[1][:-1]
    train(panel)
    assert "expected one label an image" in panel.stage.shown["says"]

    def broken(*examples, **options):
        raise OSError("no <room> left")

    learn, panel.net.train = panel.net.train, broken
    train(panel)
    assert panel.stage.shown["says"] == "OSError: no <room> left"
    assert not panel.stage.shown["busy"]
    assert len(panel.runs) == runs

    panel.examples, panel.net.train = blots, learn
    train(panel)
    assert "Done" in panel.says


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of numbers that are too large
def test_a_loss_that_is_not_finite_is_said_and_what_was_learned_is_kept(panel, blots, monkeypatch):
    monkeypatch.setitem(checks.RANGES, "sigmoid", (0, np.inf))  # lets such targets in
    weights, points = panel.net.weights[0].copy(), list(panel.film.points)
    panel.examples, runs = (blots[0], np.full((60, 10), 1e30)), len(panel.runs)
    train(panel)
    assert "no finite number" in panel.stage.shown["says"]
    np.testing.assert_array_equal(panel.net.weights[0], weights)
    assert panel.film.points == points
    assert len(panel.runs) == runs
    panel.examples = blots
    train(panel)
    assert "Done at epoch 4" in panel.says


def test_a_warning_of_train_is_in_the_panel_until_the_next_training(panel, blots):
    panel.examples = blots[0] // 128, blots[1]  # bytes, all 0 or 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # none of it goes elsewhere
        train(panel)
    assert "all 0 or 1" in panel.stage.shown["warning"]
    with pytest.warns(UserWarning, match="all 0 or 1"):  # a cell still hears its own
        NeuralNetwork().train(*panel.examples, epochs=0, rotations=(), progress=False)
    panel.examples = blots
    train(panel)
    assert panel.stage.shown["warning"] == ""


# --- One thread, whoever trains -------------------------------------------------------------------


def limits():
    """How many threads each BLAS library may use now."""
    found = threadpool_info()
    return {lib["filepath"]: lib["num_threads"] for lib in found if lib["user_api"] == "blas"}


@pytest.fixture(scope="module")
def digits():
    train, _ = mnist.load_sample()
    return train.images[:2000], train.labels[:2000]


@pytest.fixture
def large(digits, monkeypatch):
    """A panel of 100 hidden nodes and 2,000 digits. It keeps no moments and draws no frames, which
    takes a while, too."""
    panel = TrainingPanel(digits, [part[:50] for part in digits])
    monkeypatch.setattr(panel, "_tell", lambda done: None)
    monkeypatch.setattr(panel, "_show", lambda busy=None: None)
    move(panel, epochs=1)
    tell(panel, "reset")
    yield panel
    panel.close()


def hundred_in_a_cell(digits):
    return in_a_cell(digits, 1, 100, batch_size=32, rotations=(10, -10))


def in_the_panel(panel):
    tell(panel, "reset")
    train(panel)
    assert "Done" in panel.says
    return panel.net


def clocked(train, *what):
    """The network, and the seconds of all cores: with threads that wait for each other, ten times
    as many."""
    begun = time.process_time()
    return train(*what), time.process_time() - begun


@pytest.mark.parametrize("first", ["cell", "panel"])
def test_panel_and_cell_train_equally_fast_and_to_the_same_bits(large, digits, first):
    before, seconds = limits(), {"cell": [], "panel": []}
    for _ in range(20):  # a busy machine makes either slow, now and then; a fault makes one of them
        for who in ("cell", "panel") if first == "cell" else ("panel", "cell"):
            train_there = (hundred_in_a_cell, digits) if who == "cell" else (in_the_panel, large)
            net, took = clocked(*train_there)
            seconds[who].append(took)
            if who == "cell":
                cell = net
        assert_same_weights(large.net, cell)
        assert limits() == before
        fastest, slowest = sorted(map(min, seconds.values()))
        if slowest < 2 * fastest:
            return
    raise AssertionError(seconds)


@pytest.mark.parametrize("first", ["cell", "panel"])
def test_panel_and_cell_at_the_same_time(large, digits, monkeypatch, first):
    """Whichever ends first: the other one goes on undisturbed."""
    before, alone, ended = limits(), hundred_in_a_cell(digits), threading.Event()

    def panel_waits(done):
        if done > 0.5 and first == "cell":
            ended.wait(PATIENCE)

    def cell_waits(done):
        if done == 0:
            tell(large, "train")
            wait_until(lambda: large.net.epoch > 0)
        elif done > 0.5 and first == "panel":
            wait_until(lambda: not large.busy)

    monkeypatch.setattr(large, "_tell", panel_waits)
    net = NeuralNetwork((784, 100, 10))
    net.train(*digits, epochs=1, learning_rate=3, each_step=cell_waits, progress=False)
    assert large.busy == (first == "cell")
    ended.set()
    wait_until(lambda: not large.busy)
    assert_same_weights(net, alone)
    assert_same_weights(large.net, alone)
    assert limits() == before


def test_a_training_that_is_stopped_or_fails_leaves_the_limits(large, monkeypatch):
    before = limits()
    tell(large, "turn", knobs={"epochs": 50})
    wait_until(lambda: large.net.epoch > 0)
    tell(large, "stop")
    wait_until(lambda: not large.busy)
    assert "Paused" in large.says
    assert limits() == before

    def fail(done):
        if done > 0.001:
            raise OSError("in the middle of it")

    monkeypatch.setattr(large, "_tell", fail)
    train(large)
    assert "in the middle of it" in large.says
    assert limits() == before


# --- Look inside ----------------------------------------------------------------------------------


def test_the_explorer_shows_the_node_that_was_picked(net, blots):
    explorer = NeuronExplorer(net, *blots)
    before = explorer.weights.value
    explorer.knob.slider.value = 13
    wait_until(lambda: "Node <b>13</b>" in explorer.says.value)
    assert explorer.weights.value != before
    assert f"loudest for the digit {net.weights[1][13].argmax()}" in explorer.says.value
    z = net.sums(net.as_input(blots[0]), 0)[:, 13]
    shown = explorer.digits.value.split("z):")[1:]
    for part, first in zip(shown, (z.argmax(), z.argmin()), strict=True):
        cell = digits_html(blots[0][[first]], [""]).split("<br>")[0]
        caption = f"<br>a {blots[1][first]}<br>{z[first]:+.1f}</div>"
        assert part.startswith(cell + caption)
        assert part.count("<img") == 10
    explorer.knob.field.value = "20"
    assert "expected a whole number from 0 to 19" in explorer.knob.reason.value


def test_the_explorer_needs_one_hidden_layer(blots):
    for layers in ((784, 10), (784, 9, 8, 10)):
        with pytest.raises(ValueError, match="one hidden layer"):
            NeuronExplorer(NeuralNetwork(layers), *blots)


def test_texts_that_are_put_into_a_panel_are_escaped(net, blots):
    images, evil = blots[0][:10], "<img src=x>"
    explorer = NeuronExplorer(net, images, [evil] * 10)
    shown = {
        "explorer": explorer.digits.value,
        "digits": digits_html(images, [evil] * 10),
        "answer": answer_html(evil, images[0], np.zeros(10), evil),
    }
    for name, text in shown.items():
        assert evil not in text, name
        assert "&lt;img src=x&gt;" in text, name


# --- Draw -----------------------------------------------------------------------------------------


SHEET = np.full((280, 280), 255, np.uint8)
SHEET[50:250, 100:120] = 0  # a stroke


def drawn(pad, sheet=SHEET):
    """As if it were drawn in the browser."""
    pad.box.set_state({"pixels": memoryview(sheet.tobytes())})


def test_an_empty_sheet_is_no_error(net):
    pad = DrawingPad(net)
    assert pad.picture.shape == (280, 280)
    assert (pad.picture == 255).all()
    np.testing.assert_array_equal(pad.image, np.zeros(784, np.uint8))


def test_what_is_drawn_comes_from_the_browser(net, tmp_path):
    pad = DrawingPad(net)
    drawn(pad)
    np.testing.assert_array_equal(pad.picture, SHEET)
    np.testing.assert_array_equal(pad.image, handwriting.prepare(SHEET))
    pad.save(tmp_path / "mine.png")
    np.testing.assert_array_equal(handwriting.from_picture(tmp_path / "mine.png"), pad.image)
    pad.clear()
    assert (pad.picture == 255).all()
    assert not pad.image.any()


def sent(pad):
    """The weights and biases that the browser has."""
    flat = np.frombuffer(pad.box.parameters, np.float32)
    ends = np.cumsum([p.size for p in pad.net.weights + pad.net.biases])
    assert len(flat) == ends[-1]
    parts = zip(np.split(flat, ends[:-1]), pad.net.weights + pad.net.biases, strict=True)
    return [part.reshape(parameter.shape) for part, parameter in parts]


def test_the_browser_gets_the_network_that_is_there():
    net = NeuralNetwork((784, 9, 8, 10), hidden="relu", output="softmax", biases=True)
    net.weights[0] = np.asfortranarray(net.weights[0])  # as after loading some .npz
    net.biases[1][:] = range(8)
    pad = DrawingPad(net)
    options = {"hidden": "relu", "output": "softmax", "loss": "squared error", "biases": True}
    assert pad.box.options == options | {"layers": [784, 9, 8, 10], "names": []}
    np.testing.assert_equal(sent(pad), net.weights + net.biases)

    pad.net = other = NeuralNetwork((784, 5, 10), dtype=np.float64)
    assert pad.box.options["layers"] == [784, 5, 10]
    np.testing.assert_equal(sent(pad), [weights.astype(np.float32) for weights in other.weights])


def test_a_network_that_goes_on_learning_is_sent_with_the_next_stroke(blots):
    net = NeuralNetwork((784, 20, 10))
    pad, news = DrawingPad(net), []
    pad.box.observe(lambda change: news.append(change.name), ["options", "parameters"])
    drawn(pad)
    assert not news, "what it has is not sent again"
    net.train(*blots, epochs=1, learning_rate=3, progress=False)
    drawn(pad, 255 - SHEET)
    assert news == ["parameters"]
    np.testing.assert_equal(sent(pad), net.weights)


def test_the_browser_looks_as_often_as_asked(net):
    assert not DrawingPad(net).box.maps
    maps = np.frombuffer(DrawingPad(net, 5).box.maps, np.float32).reshape(5, 6)
    matrices, shifts = ways(5)
    np.testing.assert_array_equal(maps[:, :4].reshape(5, 2, 2), matrices)
    np.testing.assert_array_equal(maps[:, 4:], shifts)
    for looks in (0, 2.5):
        with pytest.raises(ValueError, match="looks"):
            DrawingPad(net, looks)


@pytest.mark.parametrize("layers", [(64, 20, 10), (784, 20, 1)])
def test_a_network_that_cannot_read_a_drawing_is_refused(net, layers):
    pad = DrawingPad(net)
    with pytest.raises(ValueError, match="784 inputs and two or more outputs"):
        pad.net = NeuralNetwork(layers)
    assert pad.net is net


# --- Imagine --------------------------------------------------------------------------------------


def shows(panel, what, targets):
    """Whether the panel shows what the network makes of the targets, forwards and backwards."""
    net = panel.net
    knobs = {name: knob.value for name, knob in panel.knobs.items()}
    pictures = {
        "Backquery": (panel.backquery, net.backquery(targets)[0]),
        "Imagined": (panel.imagined, imagine(net, targets, panel.canvas, **knobs)[0]),
    }
    for name, (shown, image) in pictures.items():
        outputs = net.outputs(image)[0]
        verdict = f"The network says {outputs.argmax()}, with {outputs.max():.2f}."
        if shown.value != answer_html(f"{name}, {what}:", image, outputs, verdict):
            return False
    return True


def test_a_digit_two_digits_or_any_outputs(net, canvas):
    panel = ImaginePanel(net, canvas)
    assert shows(panel, "a 3", net.as_targets(3))
    panel.digit.value = 7
    wait_until(lambda: shows(panel, "a 7", net.as_targets(7)))
    assert [round(slider.value, 2) for slider in panel.sliders] == [0.01] * 7 + [0.99] + [0.01] * 2

    panel.blend[2].value = 0.75
    blend = 0.25 * net.as_targets(4) + 0.75 * net.as_targets(9)
    wait_until(lambda: shows(panel, "25% 4, 75% 9", blend))
    assert panel.digit.value is None

    panel.sliders[2].value = 0.5
    blend[0, 2] = 0.5
    targets = np.array([[slider.value for slider in panel.sliders]])
    np.testing.assert_allclose(targets, blend, atol=0.001)
    wait_until(lambda: shows(panel, "these outputs", targets))

    panel.digit.value = 7
    wait_until(lambda: shows(panel, "a 7", net.as_targets(7)))
    panel.sliders[7].value = 0.985  # the browser moved it to the next of its steps
    assert panel.digit.value == 7


def test_the_knobs_reach_imagine(net, canvas):
    panel = ImaginePanel(net, canvas)
    turn(panel, steps=30, learning_rate=0.02, distance=3, jiggle=1, seed=5)
    wait_until(lambda: panel.step.value == "step 30 of 30")
    wait_until(lambda: shows(panel, "a 3", net.as_targets(3)))


def test_a_picture_that_is_no_longer_wanted_is_left_unfinished(net, canvas, monkeypatch):
    panel, steps = ImaginePanel(net, canvas), []

    def imagine_slowly(net, targets, canvas, *, callback, **knobs):
        def slowly(step, images):
            time.sleep(0.01)
            steps.append((targets.argmax(), step))
            callback(step, images)

        return imagine(net, targets, canvas, callback=slowly, **knobs)

    monkeypatch.setattr(imagining, "imagine", imagine_slowly)
    panel.digit.value = 1
    wait_until(lambda: steps)
    panel.digit.value = 2
    wait_until(lambda: "Imagined, a 2:" in panel.imagined.value)
    assert steps[-1] == (2, 200)
    assert max(step for digit, step in steps if digit == 1) < 200


def test_the_film(net, canvas):
    panel, film = ImaginePanel(net, canvas), []
    imagine(net, 3, canvas, callback=lambda step, images: film.append(images[0]))
    assert panel.frame.value == panel.frame.max == panel.play.max == len(film)
    for step in (0, 10, 150):
        panel.frame.value = step
        assert panel.step.value == f"step {step} of {len(film)}"
        src = answer_html("", film[step], net.outputs(film[step])[0], "").split('"')
        assert next(part for part in src if part.startswith("data:")) in panel.imagined.value


def test_the_pen_writes_stroke_by_stroke(net, canvas, monkeypatch):
    def quickly(*what, **how):
        return write(*what, **how, starts=4, steps=8)

    monkeypatch.setattr(imagining, "write", quickly)
    panel = ImaginePanel(net, canvas)
    panel.tool.value = "pen"
    wait_until(lambda: panel.step.value == "piece 48 of 48")
    written = quickly(net, 3, canvas, seed=0)
    for pieces in (48, 20):
        panel.frame.value = pieces
        image = so_far(written, pieces)[0]
        answer = answer_html("Written, a 3:", image, net.outputs(image)[0], "").split("<b>")[0]
        assert panel.imagined.value.startswith(answer)
    idle = {name for name, knob in panel.knobs.items() if knob.slider.disabled}
    assert idle == set(panel.knobs) - {"seed"}
    panel.tool.value = "canvas"
    wait_until(lambda: shows(panel, "a 3", net.as_targets(3)))
    assert not any(knob.field.disabled for knob in panel.knobs.values())


def test_witnesses_name_the_nearest_known_picture_and_what_others_read(net, canvas, blots):
    images = blots[0][:50]
    witnesses = Witnesses(net, images)
    wanted = net.as_input(images)[7]
    nearest, away = witnesses.nearest(wanted)
    assert np.array_equal(nearest, wanted) and away == 0
    panel = ImaginePanel(net, canvas, images, {"<other>": net})
    image = panel.film[2][-1]
    wait_until(lambda: f"&lt;other&gt;: {net.predict(image)[0]}" in panel.others.value)
    distances = np.linalg.norm(net.as_input(images) - image, axis=1)
    assert f"{distances.min():.1f} away" in panel.others.value
    before = panel.others.value
    panel.frame.value = 0
    wait_until(lambda: panel.others.value != before)


def test_without_witnesses_nothing_is_said_of_others(net, canvas):
    shown = Witnesses(net).html(canvas.mean)
    assert "Nearest" not in shown and "Others" not in shown


def test_a_canvas_that_does_not_fit_says_so_in_its_place(net):
    small = canvas_of(np.random.default_rng(0).uniform(0.01, 1, (20, 64)))
    for canvas, reason in (
        (small, "a canvas of 64 pixels does not fit 784 inputs"),
        ("<b>", "got &#x27;&lt;b&gt;&#x27;"),
    ):
        panel = ImaginePanel(net, canvas)
        assert reason in panel.imagined.value
        assert "Backquery, a 3:" in panel.backquery.value
        panel.digit.value = 4
        wait_until(lambda panel=panel: "Backquery, a 4:" in panel.backquery.value)
        assert panel.step.value == ""


def test_softmax_outputs_add_up_to_one(blots, canvas):
    net = NeuralNetwork((784, 5, 10), output="softmax", loss="cross-entropy")
    net.train(*blots, epochs=2, learning_rate=0.1, rotations=(), progress=False)
    panel = ImaginePanel(net, canvas)
    panel.sliders[5].value = 1.0
    targets = np.full((1, 10), 0.0)
    targets[0, [3, 5]] = 0.5
    wait_until(lambda: shows(panel, "these outputs", targets))
    panel.sliders[3].value = panel.sliders[5].value = 0.0
    wait_until(lambda: shows(panel, "these outputs", np.full((1, 10), 0.1)))


# --- Around them ----------------------------------------------------------------------------------


def test_only_the_newest_job_counts():
    done, go = [], threading.Event()

    def work(job):
        go.wait(PATIENCE)
        latest.check()
        done.append(job)

    latest = Latest(work)
    for job in range(100):
        latest(job)
    go.set()
    wait_until(lambda: not latest.busy)
    assert done == [99]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_fails_does_not_end_the_next():
    done, before = [], threading.active_count()

    def work(job):
        done.append(1 / job)

    latest = Latest(work)
    latest(0)
    wait_until(lambda: threading.active_count() <= before)  # what it raised has been reported
    assert not latest.busy
    latest(1)
    wait_until(lambda: done == [1])


def test_each_panel_says_what_it_is_where_it_cannot_be_shown(net, blots, canvas, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    for panel in (NeuronExplorer(net, *blots), DrawingPad(net), ImaginePanel(net, canvas)):
        panel._ipython_display_()
        output = shown.pop()
        assert output[wire.VIEW]["model_id"] == panel.box.model_id
        assert output["text/plain"] == repr(panel)
        assert repr(panel).startswith(f"{type(panel).__name__}: to play with in JupyterLab")
        panel.close()


def test_the_training_panel_leaves_its_last_picture(panel, monkeypatch):
    """In the notebook, for who opens it without a kernel."""
    shown, updated = [], []

    class Handle:
        def update(self, data, raw, metadata):
            updated.append((data, metadata))

    def display(data, raw, display_id=None):
        shown.append(data)
        return Handle() if display_id else None

    monkeypatch.setattr("IPython.display.display", display)
    panel._ipython_display_()
    widget, still = shown
    assert widget[wire.VIEW]["model_id"] == panel.stage.model_id
    assert still["text/plain"] == repr(panel)
    tell(panel, "still", png="iVBOR", alt="in words")
    assert updated == [({"image/png": "iVBOR"} | still, {"image/png": {"alt": "in words"}})]


def test_no_thread_is_left(net, blots, canvas):
    before = threading.active_count()
    panel = ImaginePanel(net, canvas)
    for digit in (1, 2, 3, 4):
        panel.digit.value = digit
    explorer = NeuronExplorer(net, *blots)
    explorer.knob.slider.value = 3
    wait_until(lambda: threading.active_count() <= before)
