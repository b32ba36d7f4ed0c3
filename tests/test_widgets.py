"""The panels without a browser: their controls set and their buttons clicked from here."""

import inspect
import threading
import time

import numpy as np
import pytest

import mnist
import plots
import widgets
from nn import NeuralNetwork
from widgets import DrawingPad, ImaginePanel, Knob, Latest, NeuronExplorer, TrainingPanel


def wait_until(true, seconds=20):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def digits():
    """60 images of ten blots, each in a place of its own; (images, labels)."""
    labels = np.arange(60) % 10
    images = np.random.default_rng(0).integers(0, 50, (60, 784), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * 75 : label * 75 + 60] = 250
    return images, labels


@pytest.fixture(scope="module")
def net(digits):
    net = NeuralNetwork((784, 20, 10))
    net.train(*digits, epochs=30, batch_size=5, rotations=(), progress=False)
    return net


@pytest.fixture
def panel(digits):
    panel = TrainingPanel(digits, digits)
    for name, value in (("hidden_nodes", 5), ("batch_size", 10), ("epochs", 2), ("rotation", 0)):
        panel.knobs[name].field.value = str(value)
    yield panel
    panel.close()


def click(panel, name):
    next(button for button in panel.buttons if button.description == name).click()


def train(panel):
    click(panel, "Train")
    wait_until(lambda: not panel.busy)


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


def test_knobs_begin_with_the_defaults_of_nn(panel, net):
    options = inspect.signature(NeuralNetwork.train).parameters
    fresh = TrainingPanel(panel.examples, panel.validation)
    for name in widgets.TRAIN:
        assert fresh.knobs[name].value == options[name].default
    assert options["rotations"].default == (10, -10)
    assert fresh.net.layers == NeuralNetwork().layers
    options = inspect.signature(NeuralNetwork.imagine).parameters
    assert set(widgets.IMAGINE) == set(options) - {"self", "targets", "callback"}


# --- Train ----------------------------------------------------------------------------------------


def test_it_trains_as_a_plain_cell_does_and_goes_on(panel, digits):
    plain = NeuralNetwork((784, 5, 10), seed=0)
    for epochs in (2, 4):
        train(panel)
        plain.train(*digits, epochs=2, batch_size=10, rotations=(), progress=False)
        assert panel.net.epoch == epochs
        for mine, theirs in zip(panel.net.weights, plain.weights, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    assert list(panel.runs.network) == [2, 2]  # the first had 100 hidden nodes
    assert list(panel.runs.epochs) == [2, 2]
    row = panel.runs.iloc[-1]
    assert row.accuracy == panel.net.accuracy(*digits)
    assert row.seconds >= 0
    assert (row.hidden_nodes, row.batch_size, row.learning_rate, row.seed) == (5, 10, 3, 0)
    assert f"{row.accuracy:.2%}" in panel.says.value
    assert f"{row.accuracy:.2%}" in panel.table.value


def test_the_curve_and_the_answers_follow(panel, digits):
    click(panel, "Reset")
    before = bytes(panel.curve.value)
    assert before.startswith(b"\x89PNG")
    panel.knobs["learning_rate"].field.value = "0.1"  # so that some answers are wrong
    train(panel)
    assert bytes(panel.curve.value) != before
    images, labels = (part[:10] for part in digits)  # one of each digit
    outputs = panel.net.outputs(images)
    answers, wrong = outputs.argmax(axis=1), np.flatnonzero(outputs.argmax(axis=1) != labels)
    assert 0 < len(wrong) < 10
    captions = [f"says {n}\n{output.max():.2f}" for n, output in zip(answers, outputs, strict=True)]
    assert panel.digits.value == plots.digits_html(images, captions, wrong)
    assert panel.digits.value.count(plots.ORANGE) == len(wrong)


def test_rotation_and_momentum_reach_the_network(panel, digits):
    plain = NeuralNetwork((784, 5, 10), seed=0)
    panel.knobs["rotation"].field.value, panel.knobs["momentum"].field.value = "15", "0.5"
    train(panel)
    options = {"rotations": (15, -15), "momentum": 0.5, "progress": False}
    plain.train(*digits, epochs=2, batch_size=10, **options)
    np.testing.assert_array_equal(panel.net.weights[0], plain.weights[0])


def test_other_nodes_or_another_seed_make_a_new_network(panel):
    train(panel)
    old = panel.net
    panel.knobs["seed"].field.value = "7"
    assert "new network" in panel.says.value
    panel.knobs["seed"].field.value = "0"
    assert "new network" not in panel.says.value
    panel.knobs["hidden_nodes"].field.value = "6"
    train(panel)
    assert panel.net is not old
    assert panel.net.layers == (784, 6, 10)
    assert list(panel.runs.network) == [2, 3]
    click(panel, "Reset")
    assert panel.net.epoch == 0
    assert len(panel.runs) == 2


@pytest.mark.parametrize("nodes", [5, 500])
def test_stop_is_quick_keeps_the_weights_and_train_goes_on(panel, nodes):
    panel.validation = panel.examples = tuple(np.repeat(part, 50, 0) for part in panel.examples)
    for name, value in (("hidden_nodes", nodes), ("batch_size", 1), ("epochs", 50)):
        panel.knobs[name].field.value = str(value)
    click(panel, "Train")
    assert panel.busy, "a click does not wait for the training"
    assert [button.disabled for button in panel.buttons] == [True, False, True]
    wait_until(lambda: panel.net.epoch > 0)
    begun = time.monotonic()
    click(panel, "Stop")
    wait_until(lambda: not panel.busy)
    assert time.monotonic() - begun < 2, "a second, and one more for a busy machine"
    assert [button.disabled for button in panel.buttons] == [False, True, False]
    stopped, weights = panel.net.epoch, panel.net.weights[0].copy()
    assert 0 < stopped < 50
    assert "Stopped" in panel.says.value
    time.sleep(0.05)
    np.testing.assert_array_equal(panel.net.weights[0], weights)
    click(panel, "Train")
    wait_until(lambda: panel.net.epoch > stopped)
    click(panel, "Stop")
    wait_until(lambda: not panel.busy)
    assert list(panel.runs.network) == [2, 2]


def test_many_clicks_at_once_start_one_training(panel):
    together = threading.Barrier(8)

    def press():
        together.wait()
        panel.train()

    panel.knobs["epochs"].field.value = "50"
    before = threading.active_count()
    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert threading.active_count() <= before + 1
    wait_until(lambda: not panel.busy)
    assert len(panel.runs) == 1
    assert panel.net.epoch == 50


def test_a_training_ends_with_its_panel_and_when_another_begins(panel, digits):
    panel.knobs["epochs"].field.value = panel.knobs["hidden_nodes"].field.value = "50"
    panel.knobs["batch_size"].field.value = "1"
    second = TrainingPanel(digits, digits)
    panel.train()
    second.train()
    assert not panel.busy
    assert panel.net.epoch < 50
    second.close()
    assert not second.thread.is_alive()
    panel.train()
    third = TrainingPanel(digits, digits)  # the cell was run again
    wait_until(lambda: not panel.busy)
    assert panel.net.epoch < 100
    third.close()


def test_an_error_in_the_thread_is_shown(panel, digits):
    panel.examples = digits[0], digits[1][:-1]
    train(panel)
    assert "ValueError" in panel.says.value
    assert len(panel.runs) == 0
    panel.examples = digits
    train(panel)
    assert "Done" in panel.says.value


# --- Look inside ----------------------------------------------------------------------------------


def test_the_explorer_shows_the_node_that_was_picked(net, digits):
    explorer = NeuronExplorer(net, *digits)
    before = explorer.weights.value
    explorer.knob.slider.value = 13
    wait_until(lambda: "Node <b>13</b>" in explorer.says.value)
    assert explorer.weights.value != before
    assert f"loudest for the digit {net.weights[1][13].argmax()}" in explorer.says.value
    excited = net.forward(digits[0])[1][:, 13]
    shown = explorer.digits.value.split("most:")[1].split("least:")
    for part, first in zip(shown, (excited.argmax(), excited.argmin()), strict=True):
        cell = plots.digits_html(digits[0][[first]], [""]).split("<br>")[0]
        caption = f"<br>a {digits[1][first]}<br>{excited[first]:.2f}</div>"
        assert part.startswith(cell + caption)
        assert part.count("<img") == 10
    explorer.knob.field.value = "20"
    assert "expected a whole number from 0 to 19" in explorer.knob.reason.value


def test_the_explorer_needs_one_hidden_layer(digits):
    for layers in ((784, 10), (784, 9, 8, 10)):
        with pytest.raises(ValueError, match="one hidden layer"):
            NeuronExplorer(NeuralNetwork(layers), *digits)


# --- Draw -----------------------------------------------------------------------------------------


def test_an_empty_sheet_is_no_error(net):
    pad = DrawingPad(net)
    assert pad.picture.shape == (280, 280)
    assert (pad.picture == 255).all()
    np.testing.assert_array_equal(pad.image, np.zeros(784, np.uint8))
    assert pad.shows.value.count("height:0.0px") == 10
    assert "Draw a digit" in pad.shows.value


@pytest.mark.parametrize("looks", [1, 5])
def test_the_bars_follow_the_drawing(net, tmp_path, looks):
    pad, sheet = DrawingPad(net, looks), np.full((280, 280), 255, np.uint8)
    sheet[150:250, 200:215] = 0
    pad.canvas.pixels = sheet.tobytes()
    np.testing.assert_array_equal(pad.picture, sheet)
    np.testing.assert_array_equal(pad.image, mnist.prepare(sheet))
    outputs = net.outputs(pad.image, looks)[0]
    assert f"It says {outputs.argmax()}, with {outputs.max():.2f}." in pad.shows.value
    assert pad.shows.value.count(plots.ORANGE) == 1
    for n, output in enumerate(outputs):
        assert f'title="{n}: {output:.2f}"' in pad.shows.value

    pad.save(tmp_path / "mine.png")
    np.testing.assert_array_equal(mnist.from_picture(tmp_path / "mine.png"), pad.image)
    pad.clear()
    assert "Draw a digit" in pad.shows.value
    assert not pad.image.any()


def test_pixels_come_from_the_browser_as_bytes(net):
    pad = DrawingPad(net)
    sheet = np.full((280, 280), 255, np.uint8)
    sheet[50:250, 100:120] = 0
    pad.canvas.set_state({"pixels": memoryview(sheet.tobytes())})
    np.testing.assert_array_equal(pad.picture, sheet)
    assert "It says" in pad.shows.value


# --- Imagine --------------------------------------------------------------------------------------


def shows(panel, what, targets):
    """Whether the panel shows what the network makes of the targets, forwards and backwards."""
    net = panel.net
    knobs = {name: knob.value for name, knob in panel.knobs.items()}
    pictures = {
        "Backquery": (panel.backquery, net.backquery(targets)[0]),
        "Imagined": (panel.imagined, net.imagine(targets, **knobs)[0]),
    }
    for name, (shown, image) in pictures.items():
        outputs = net.outputs(image)[0]
        verdict = f"The network says {outputs.argmax()}, with {outputs.max():.2f}."
        if shown.value != plots.answer_html(f"{name}, {what}:", image, outputs, verdict):
            return False
    return True


def test_a_digit_two_digits_or_any_outputs(net):
    panel = ImaginePanel(net)
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


def test_the_knobs_reach_imagine(net):
    panel = ImaginePanel(net)
    for name, value in (("steps", 30), ("learning_rate", 0.02), ("distance", 3), ("jiggle", 0)):
        panel.knobs[name].field.value = str(value)
    wait_until(lambda: panel.step.value == "step 30 of 30")
    wait_until(lambda: shows(panel, "a 3", net.as_targets(3)))


def test_a_picture_that_is_no_longer_wanted_is_left_unfinished(net):
    panel, steps = ImaginePanel(net), []

    class Slow:
        output, as_targets = net.output, net.as_targets
        backquery, outputs = net.backquery, net.outputs

        def imagine(self, targets, *, callback, **knobs):
            def slowly(step, images):
                time.sleep(0.01)
                steps.append((targets.argmax(), step))
                callback(step, images)

            return net.imagine(targets, callback=slowly, **knobs)

    panel.net = Slow()
    panel.digit.value = 1
    wait_until(lambda: steps)
    panel.digit.value = 2
    wait_until(lambda: "Imagined, a 2:" in panel.imagined.value)
    assert steps[-1] == (2, 200)
    assert max(step for digit, step in steps if digit == 1) < 200


def test_the_film(net):
    panel, film = ImaginePanel(net), []
    net.imagine(3, callback=lambda step, images: film.append(images[0]))
    assert panel.frame.value == panel.frame.max == panel.play.max == len(film)
    for step in (0, 10, 150):
        panel.frame.value = step
        assert panel.step.value == f"step {step} of {len(film)}"
        src = plots.answer_html("", film[step], net.outputs(film[step])[0], "").split('"')
        assert next(part for part in src if part.startswith("data:")) in panel.imagined.value


def test_a_network_that_cannot_imagine_says_why():
    panel = ImaginePanel(NeuralNetwork((784, 5, 10)))
    assert "cannot imagine" in panel.imagined.value
    assert "Backquery, a 3:" in panel.backquery.value
    panel.digit.value = 4
    wait_until(lambda: "Backquery, a 4:" in panel.backquery.value)


def test_softmax_outputs_add_up_to_one(digits):
    net = NeuralNetwork((784, 5, 10), output="softmax", loss="cross-entropy")
    net.train(*digits, epochs=2, learning_rate=0.1, rotations=(), progress=False)
    panel = ImaginePanel(net)
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
        go.wait(5)
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
    done = []

    def work(job):
        done.append(1 / job)

    latest = Latest(work)
    latest(0)
    wait_until(lambda: not latest.busy)
    latest(1)
    wait_until(lambda: done == [1])


def test_each_panel_says_what_it_is_where_it_cannot_be_shown(net, digits, capsys):
    panels = TrainingPanel(digits, digits), NeuronExplorer(net, *digits)
    for panel in (*panels, DrawingPad(net), ImaginePanel(net)):
        panel._ipython_display_()
        line = capsys.readouterr().out.splitlines()[0]
        assert line == repr(panel)
        assert line.startswith(f"{type(panel).__name__}: ")
        assert "plain cells" in line
        panel.close()


def test_no_thread_is_left(net, digits):
    before = threading.active_count()
    panel = ImaginePanel(net)
    for digit in (1, 2, 3, 4):
        panel.digit.value = digit
    explorer = NeuronExplorer(net, *digits)
    explorer.knob.slider.value = 3
    wait_until(lambda: threading.active_count() <= before)
