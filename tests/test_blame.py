"""The panel that shows the blame, without a browser: its numbers, moments and lines of code."""

import base64
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import TOY, WHOLE_BATCH, XOR, same

import activations
import nn
import plots
from activations import ACTIVATIONS, LOSSES, Activation
from nn import NeuralNetwork
from panels import BlamePanel, blame
from panels.lines import line_of, lines_of

CHOICES = [
    (hidden, output, loss, biases)
    for hidden in ("sigmoid", "relu", "softmax")
    for loss, output in LOSSES
    for biases in (False, True)
]


@pytest.fixture(scope="module")
def digits(sample):
    return sample[0].images[:64], sample[0].labels[:64]


@pytest.fixture
def panel(digits):
    return BlamePanel(NeuralNetwork(), *digits, epochs=2)


def numbers_of(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def shown(panel):
    """What the browser is sent: weights and biases; activations, slopes by the inputs and by each
    z, slopes of the activations, targets, the loss; and the rest."""
    layers, state = panel.exact.layers, json.loads(panel.view.numbers)
    sizes = [*layers, *layers, *layers[1:], layers[-1], 1]
    parts = np.split(numbers_of(state.pop("data"), "<f8"), np.cumsum(sizes)[:-1])
    ways = [first * second for first, second in zip(layers[:-1], layers[1:], strict=True)]
    ways += layers[1:] if panel.exact.biases else []
    return np.split(numbers_of(panel.view.weights, "<f4"), np.cumsum(ways)[:-1]), parts, state


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", [0, -1])
def test_a_thousand_weights_agree_with_central_differences(panel, moment):
    panel.view.moment = moment % len(panel.moments)
    panel.step()
    _, (x, hidden, _, _, d1, d2, *_), _ = shown(panel)
    net, rng = panel.exact, np.random.default_rng(0)
    example, slopes = panel._example(), [np.outer(x, d1), np.outer(hidden, d2)]
    found, measured = [], []
    for place in rng.choice(784 * 100 + 100 * 10, 1000, replace=False):
        layer, place = (0, place) if place < 78_400 else (1, place - 78_400)
        matrix, losses = net.weights[layer], []
        value = matrix.flat[place]
        for push in (1e-4, -1e-4):
            matrix.flat[place] = value + push
            losses.append(net.loss(*example))
        matrix.flat[place] = value
        measured.append((losses[0] - losses[1]) / 2e-4)
        found.append(slopes[layer].flat[place])
    found, measured = np.array(found), np.array(measured)
    error = abs(found - measured).max() / abs(found).max()
    print(f"1,000 weights: the largest difference is {error:.0e} of the largest slope")
    assert error < 1e-6


@pytest.mark.filterwarnings("ignore:the network gives the same answer")
@pytest.mark.parametrize(("hidden", "output", "loss", "biases"), CHOICES)
def test_its_numbers_are_those_of_the_network(hidden, output, loss, biases):
    net = NeuralNetwork((3, 4, 3, 2), hidden=hidden, output=output, loss=loss, biases=biases)
    panel = BlamePanel(net, TOY, [0, 1, 1, 0], epochs=3, learning_rate=0.01)
    panel.view.moment, panel.view.example = 2, 1
    exact, (x, targets) = panel.exact, panel._example()
    weights, parts, state = shown(panel)
    for one, other in zip(weights, exact.weights + exact.biases, strict=True):
        np.testing.assert_array_equal(one, other.ravel().astype("<f4"))
    np.testing.assert_array_equal(np.concatenate(parts[:4]), np.concatenate(exact.forward(x), 1)[0])
    by_weights, by_biases = exact.backprop(x, targets)
    for a, delta, slopes in zip(parts[:3], parts[5:8], by_weights, strict=True):
        np.testing.assert_allclose(np.outer(a, delta), slopes, rtol=1e-12)
    for delta, slopes in zip(parts[5:8], by_biases, strict=False):
        np.testing.assert_array_equal(delta, slopes)
    np.testing.assert_array_equal(parts[4], exact.input_gradient(x, targets)[0])
    np.testing.assert_array_equal(parts[-2], targets[0])
    assert parts[-1] == [exact.loss(x, targets)]
    assert state == {"steps": 0, "undo": 0, "example": 1, "moment": 2}


def test_what_an_activation_bends(digits):
    """The factor between the slope by an activation and that by z, where each node has its own."""
    for name in ("sigmoid", "relu"):
        panel = BlamePanel(NeuralNetwork((784, 6, 10), hidden=name), *digits, epochs=0)
        _, (_, hidden, _, _, d1, d2, bent, *_), _ = shown(panel)
        np.testing.assert_allclose((panel.exact.weights[1] @ d2) * bent, d1, rtol=1e-12)
        expected = hidden * (1 - hidden) if name == "sigmoid" else hidden > 0
        np.testing.assert_allclose(bent, expected, rtol=1e-15)


# --- Buttons --------------------------------------------------------------------------------------


def test_a_step_goes_down_the_slopes_that_are_shown_and_back_undoes_it(panel):
    net, example = panel.exact, panel._example()
    before, slopes = [w.copy() for w in net.weights], net.backprop(*example)[0]
    losses = [net.loss(*example)]
    for steps in (1, 2):
        panel.step()
        losses.append(net.loss(*example))
        assert shown(panel)[2]["steps"] == steps
        if steps == 1:
            for weights, old, slope in zip(net.weights, before, slopes, strict=True):
                np.testing.assert_allclose(weights, old - panel.rate * slope, atol=1e-15)
    assert losses[0] > losses[1] > losses[2]
    for steps in (1, 0, 0):  # once more than there were steps
        panel.back()
        assert shown(panel)[2]["steps"] == steps
    for weights, old in zip(net.weights, before, strict=True):
        np.testing.assert_array_equal(weights, old)


def test_many_steps_take_no_more_memory_than_some(digits):
    panel = BlamePanel(NeuralNetwork((784, 2, 10)), *digits, epochs=0)
    for _ in range(blame.UNDO + 5):
        panel.step()
    assert shown(panel)[2]["steps"] == blame.UNDO + 5
    for _ in range(blame.UNDO + 5):
        panel.back()
    assert shown(panel)[2] == {"steps": 5, "undo": 0, "example": 0, "moment": 0}


@pytest.mark.parametrize(
    ("kind", "layer", "place"),
    [("weights", 0, [300, 4]), ("weights", 1, [4, 7]), ("biases", 0, [3]), ("inputs", 0, [350])],
)
def test_a_nudge_moves_the_loss_by_the_slope(digits, kind, layer, place):
    panel = BlamePanel(NeuralNetwork((784, 8, 10), biases=True), *digits, epochs=1)
    net, example = panel.exact, panel._example()
    by_weights, by_biases = net.backprop(*example)
    slopes = {"weights": by_weights, "biases": by_biases, "inputs": net.input_gradient(*example)}
    slope, state = slopes[kind][layer][tuple(place)], panel.view.numbers
    before, after = panel.nudge(kind, layer, place)
    assert before == net.loss(*example) != after
    assert (after - before) / blame.PUSH == pytest.approx(slope, rel=0.01)
    panel._show()
    assert panel.view.numbers == state, "it is moved back"


def test_what_the_browser_asks_for(panel):
    told = []
    panel.view.send = told.append
    panel._asked(do="step")
    assert len(panel.past) == 1
    panel._asked(do="back")
    assert not panel.past
    panel._asked(do="nudge", kind="weights", layer=0, place=[300, 4])
    assert told == [{"losses": panel.nudge("weights", 0, [300, 4])}]
    panel._asked(
        do="still", png="abc", alt=""
    )  # nothing is shown yet, so there is nothing to replace


# --- Moments --------------------------------------------------------------------------------------


def test_the_moments_are_those_of_a_training(digits):
    given, other = NeuralNetwork((784, 6, 10)), NeuralNetwork((784, 6, 10))
    panel = BlamePanel(given, *digits, epochs=2, batch_size=8, learning_rate=1.0)
    assert same(given, other), "it works on a copy"
    steps = [n for n, _ in panel.moments]
    assert (steps[0], steps[-1]) == (0, 2 * 64 // 8)
    assert len(steps) <= blame.MOMENTS + 1
    assert panel.view.about["moments"] == steps
    plain = {"batch_size": 8, "learning_rate": 1.0, "rotations": (), "progress": False}
    other.train(*digits, epochs=2, **plain)
    for kept, weights in zip(panel.moments[-1][1], other.weights, strict=True):
        np.testing.assert_array_equal(kept, weights)
    panel.view.moment = len(steps) - 1
    np.testing.assert_array_equal(panel.exact.weights[0], other.weights[0])
    panel.step()
    panel.view.moment = 0
    assert not panel.past, "steps begin anew"
    np.testing.assert_array_equal(panel.exact.weights[0], given.weights[0])


def test_steps_stay_when_another_digit_is_shown(panel):
    panel.step()
    stepped = panel.exact.weights[0].copy()
    panel.view.example = 5
    np.testing.assert_array_equal(panel.exact.weights[0], stepped)
    assert shown(panel)[2]["steps"] == 1


@pytest.mark.parametrize("options", [{"epochs": 0}, {"epochs": 500, "batch_size": None}])
def test_tiny_networks(options):
    net = NeuralNetwork((3, 4, 1), biases=True, dtype=np.float64)
    panel = BlamePanel(net, TOY, XOR, learning_rate=4, **options)
    panel.view.moment = len(panel.moments) - 1
    net.train(TOY, XOR, learning_rate=4, **(WHOLE_BATCH | options | {"progress": False}))
    assert same(panel.exact, net)
    panel.view.example = 3
    assert shown(panel)[1][-1] == [net.loss(TOY[3:], XOR[3:])]


def test_what_does_not_fit_is_said(digits):
    with pytest.raises(ValueError, match="784"):
        BlamePanel(NeuralNetwork(), np.zeros((3, 64)), [1, 2, 3])
    with pytest.raises(ValueError, match="epochs"):
        BlamePanel(NeuralNetwork(), *digits, epochs=-1)


# --- Lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hidden", "output", "loss", "biases"), CHOICES)
def test_each_line_stands_where_it_says(hidden, output, loss, biases):
    net = NeuralNetwork((784, 6, 10), hidden=hidden, output=output, loss=loss, biases=biases)
    for name, line in lines_of(net).items():
        file, number = re.fullmatch(r"(\w+\.py), line (\d+)", line["where"]).groups()
        source = {"nn.py": nn, "activations.py": activations}[file]
        standing = Path(inspect.getsourcefile(source)).read_text("utf-8").splitlines()
        assert line["code"] in standing[int(number) - 1], name
        assert line["code"] != ""


def test_a_function_without_source_is_named():
    assert line_of(np.tanh, ("return",)) == {"code": "tanh", "where": ""}


def test_an_activation_of_your_own(digits, monkeypatch):
    tanh = Activation(np.tanh, lambda a, slope: slope * (1 - a * a), np.arctanh)
    monkeypatch.setitem(ACTIVATIONS, "tanh", tanh)
    panel = BlamePanel(NeuralNetwork((784, 6, 10), hidden="tanh"), *digits, epochs=0)
    line = panel.view.about["lines"]["hidden bend"]
    assert "slope * (1 - a * a)" in line["code"]
    assert line["where"].startswith("test_blame.py, line ")


# --- The still picture ----------------------------------------------------------------------------


def displays(panel, monkeypatch):
    """What it displays, and what it puts in place of that later."""
    calls = []

    class Handle:
        def update(self, data, raw, metadata):
            calls.append(("update", data, metadata))

    def display(shown, raw=False, display_id=None, metadata=None):
        calls.append(("display", shown, metadata))
        return Handle()

    monkeypatch.setattr("IPython.display.display", display)
    panel._ipython_display_()
    panel._asked(do="still", png="abc", alt="in words")
    return calls


def test_a_still_picture_stands_before_it_and_is_kept_up_to_date(panel, monkeypatch):
    (_, still, said), (_, box, _), (_, last, then) = displays(panel, monkeypatch)
    assert still["image/png"].startswith(b"\x89PNG")
    loss = panel.exact.loss(*panel._example())
    assert f"loss {loss:.4f}" in said["image/png"]["alt"]
    assert box is panel.box
    assert last == {"image/png": "abc", "text/plain": repr(panel)}
    assert then == {"image/png": {"alt": "in words"}}


def test_a_tiny_network_has_a_sentence_in_its_place(monkeypatch):
    panel = BlamePanel(NeuralNetwork((3, 4, 1)), TOY, XOR, epochs=0)
    assert displays(panel, monkeypatch)[0] == ("display", {"text/plain": repr(panel)}, {})


def test_the_still_picture_shows_the_slopes(panel):
    net, (x, t) = panel.exact, panel._example()
    _, wall, bars = plots.blame(net, x, t).axes
    slopes = net.backprop(x, t)[0][0]  # (784, 100)
    tiles = np.asarray(wall.images[0].get_array()).reshape(10, 30, 10, 30)
    np.testing.assert_array_equal(tiles[4, 1:-1, 2, 1:-1].ravel(), slopes[:, 42])
    assert [bar.get_width() for bar in bars.patches] == list(net.forward(x)[-1][0])
