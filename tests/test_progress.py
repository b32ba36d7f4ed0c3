"""What one sees of a training: lines, measurements; and how it ends before its end."""

import os
import signal
import threading
import warnings

import numpy as np
import pytest
from conftest import TOY, WHOLE_BATCH, XOR, copied, same, small

from nn import NeuralNetwork
from optimisers import nesterov

# --- Lines ----------------------------------------------------------------------------------------


def test_progress_false_prints_nothing_at_all(digits, capfd):
    def stop(measurement):
        raise KeyboardInterrupt

    small().train(*digits, epochs=2, progress=False)
    with pytest.raises(KeyboardInterrupt):
        small().train(*digits, epochs=2, callback=stop, progress=False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("epochs", [1, 3, 10])
def test_progress_prints_a_bar_and_a_line_an_epoch(digits, capfd, epochs):
    net = small()
    net.train(*digits, epochs=epochs, rotations=(), progress=True)
    out, err = capfd.readouterr()
    lines = out.split("\n")[:-1]
    assert len(lines) == epochs
    for number, line in enumerate(lines, 1):
        assert line.split()[:3] == ["epoch", f"{number}:", "loss"]
        assert line.endswith("% of the digits in training")
    assert f"accuracy {net.history[-1]['accuracy']:.2%}" in lines[-1]
    assert "examples" in err


@pytest.mark.parametrize("epochs", [11, 95, 200])
def test_many_epochs_print_some_ten_lines(capfd, epochs):
    NeuralNetwork((3, 1)).train(TOY, XOR, epochs=epochs, rotations=(), validation=(TOY, XOR))
    lines = capfd.readouterr().out.split("\n")[:-1]
    assert 5 <= len(lines) <= 10
    assert lines[-1].startswith(f"epoch {epochs}:")
    assert all(line.endswith("% of the digits held out") for line in lines)


# --- Measurements ---------------------------------------------------------------------------------


def test_five_measurements_an_epoch_go_to_history_and_callback(digits):
    net, received = small(), []
    history = net.train(*digits, epochs=2, callback=received.append, progress=False)
    assert history is net.history
    assert history == received
    assert all(set(m) == {"epoch", "loss", "accuracy"} for m in history)
    epochs = [m["epoch"] for m in history]
    assert len(epochs) == 10
    assert np.allclose(epochs, np.arange(1, 11) / 5, atol=1 / 19)  # 19 steps an epoch
    assert epochs[4::5] == [1, 2]
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["loss"] == pytest.approx(net.loss(*digits))
    assert history[-1]["accuracy"] == net.accuracy(*digits)


def test_of_many_examples_some_thousand_are_measured(sample):
    images, labels = sample[0].images[:2500], sample[0].labels[:2500]
    net = small()
    history = net.train(images, labels, epochs=1, rotations=(), progress=False)
    assert history[-1]["loss"] == pytest.approx(net.loss(images[::3], labels[::3]), rel=1e-5)
    assert history[-1]["accuracy"] == net.accuracy(images[::3], labels[::3])


@pytest.mark.parametrize("batch_size, measurements", [(None, 1), (100, 2), (70, 3), (40, 5)])
def test_an_epoch_of_few_steps_has_fewer_measurements(digits, batch_size, measurements):
    history = small().train(*digits, epochs=1, batch_size=batch_size, rotations=(), progress=False)
    assert len(history) == measurements


def test_validation_and_callback_never_change_the_weights(digits):
    plain, watched = small(), small()
    plain.train(*digits, epochs=2, progress=False)
    history = watched.train(
        *digits,
        epochs=2,
        validation=digits,
        callback=lambda measurement: None,
        each_step=lambda done: None,
        progress=False,
    )
    assert same(plain, watched)
    assert set(history[0]) == {
        "epoch",
        "loss",
        "accuracy",
        "validation_loss",
        "validation_accuracy",
    }
    assert history[-1]["validation_loss"] == pytest.approx(watched.loss(*digits))
    assert history[-1]["validation_accuracy"] == watched.accuracy(*digits)


def test_neither_does_a_bar(digits, capfd):
    plain, shown = small(), small()
    plain.train(*digits, epochs=2, progress=False)
    shown.train(*digits, epochs=2, progress=True)
    assert same(plain, shown)
    assert plain.history == shown.history


# --- Interrupts -----------------------------------------------------------------------------------


def raise_interrupt():
    raise KeyboardInterrupt


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def press_ctrl_c_from_outside():
    """A moment later, whatever train is doing then."""
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()


def train_until_interrupted(net, digits, interrupt, hook, progress):
    """The interrupt comes once, soon after the first epoch of very many."""
    came = []

    def callback(measurement):
        if measurement["epoch"] > 1 and not came:
            came.append(True)
            interrupt()

    def each_step(done):
        if done > 1 / 3_000 and not came:
            came.append(True)
            interrupt()

    hooks = {"callback": callback, "each_step": each_step}
    knobs = {"epochs": 3_000, "rotations": (), "progress": progress, hook: hooks[hook]}
    if progress:
        net.train(*digits, **knobs)  # where a person is watching it ends quietly
    else:
        with pytest.raises(KeyboardInterrupt):
            net.train(*digits, **knobs)


@pytest.mark.parametrize("interrupt", [raise_interrupt, press_ctrl_c, press_ctrl_c_from_outside])
@pytest.mark.parametrize("hook", ["callback", "each_step"])
@pytest.mark.parametrize("progress", [False, True])
def test_an_interrupt_ends_training_and_the_next_goes_on(digits, capfd, interrupt, hook, progress):
    net = small()
    before = copied(net)
    train_until_interrupted(net, digits, interrupt, hook, progress)
    reached, after, history = net.epoch, copied(net), list(net.history)
    assert 1 <= reached < 2_999
    assert 1 <= history[-1]["epoch"] <= reached
    assert all(np.isfinite(new).all() for new in after)
    assert not any(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    assert (f"Stopped after {reached:.4g} epochs" in capfd.readouterr().out) == progress

    net.train(*digits, epochs=2, rotations=(), progress=progress)
    assert net.epoch == reached + 2
    assert net.history[: len(history)] == history
    assert net.history[-1]["epoch"] == reached + 2
    assert not np.array_equal(net.weights[0], after[0])


@pytest.mark.parametrize("hook", ["callback", "each_step", "augment", "learning_rate", "descend"])
@pytest.mark.parametrize("progress", [False, True])
def test_other_exceptions_come_through(digits, capfd, hook, progress):
    def fail(*args):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        small().train(*digits, **{hook: fail}, progress=progress)


# --- Before each step -----------------------------------------------------------------------------


def test_each_step_is_told_the_fraction_done(digits):
    told, asked = [], []

    def rate(done):
        asked.append(done)
        return 1.0

    small().train(
        *digits,
        epochs=3,
        batch_size=64,
        rotations=(),
        learning_rate=rate,
        each_step=told.append,
        progress=False,
    )
    assert np.allclose(told, np.arange(12) / 12)  # 3 epochs of 4 steps
    assert asked == told


def test_each_step_comes_before_the_step(digits):
    net, steps, weights = small(), [], []
    before = net.weights[0].copy()

    def each_step(done):
        steps.append(net.epoch)
        weights.append(net.weights[0].copy())

    net.train(*digits, epochs=1, batch_size=50, rotations=(), each_step=each_step, progress=False)
    assert steps == [0, 0.25, 0.5, 0.75]
    assert np.array_equal(weights[0], before)
    assert not np.array_equal(weights[1], before)
    assert not np.array_equal(weights[3], net.weights[0])


@pytest.mark.parametrize("progress", [False, True])
def test_an_exception_of_each_step_ends_training_before_the_step(digits, capfd, progress):
    """How a Stop button does it."""

    class Stop(Exception):
        pass

    def stop(done):
        if done >= 0.5:
            raise Stop

    stopped, half = small(), small()
    with pytest.raises(Stop):
        stopped.train(*digits, epochs=4, learning_rate=1.0, each_step=stop, progress=progress)
    half.train(*digits, epochs=2, learning_rate=1.0, progress=False)
    assert stopped.epoch == 2
    assert same(stopped, half)
    assert stopped.history == half.history


# --- A loss that is no number any more ------------------------------------------------------------


def steep(**options):
    """Nothing keeps its outputs small."""
    return small(hidden="relu", output="relu", biases=True, **options)


def too_fast_from(fraction):
    return lambda done: 0.01 if done < fraction else 1e30


@pytest.mark.parametrize("batch_size, fraction", [(32, 0.6), (None, 0.5)])
@pytest.mark.parametrize("descend", [None, nesterov(0.9, 5e-5)], ids=["plain", "nesterov"])
def test_the_network_is_again_as_after_the_last_good_epoch(digits, batch_size, fraction, descend):
    net, good = steep(), steep()
    knobs = {"batch_size": batch_size, "rotations": (), "progress": False}
    knobs |= {"descend": descend} if descend else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the sentence says it; NumPy need not
        with pytest.raises(ValueError, match="loss was no finite number.*try a third"):
            net.train(*digits, epochs=4, learning_rate=too_fast_from(fraction), **knobs)
    good.train(*digits, epochs=2, learning_rate=0.01, **knobs)
    assert same(net, good)
    assert net.history == good.history
    assert net.epoch == 2

    before = net.loss(*digits)
    net.train(*digits, epochs=5, learning_rate=0.01, **knobs)  # on with a smaller rate
    assert net.epoch == 7
    assert len(net.history) == 7 / 2 * len(good.history)
    assert net.loss(*digits) < before


def test_the_sentence_says_where(digits):
    net = steep()
    net.train(*digits, epochs=3, learning_rate=0.01, progress=False)
    with pytest.raises(ValueError, match=r"at epoch 3\.\d+ .* it was after 3 epochs"):
        net.train(*digits, epochs=3, learning_rate=1e30, progress=False)
    assert net.epoch == 3


@pytest.mark.parametrize("progress", [False, True])
def test_in_the_first_epoch_it_is_again_as_it_was(digits, capfd, progress):
    net, told = steep(seed=3), []
    with pytest.raises(ValueError, match="learning rate is too large"):
        net.train(*digits, learning_rate=1e30, callback=told.append, progress=progress)
    assert same(net, steep(seed=3))
    assert (net.history, net.epoch, told) == ([], 0, [])


def test_weights_that_are_no_numbers_are_found_though_the_loss_is_one(digits):
    net = small(dtype=np.float64)

    def each_step(done):
        net.weights[0][:, 0] = np.inf  # sigmoid(inf) is 1

    before = copied(net)
    with pytest.raises(ValueError, match="loss was no finite number"):
        net.train(*digits, epochs=1, each_step=each_step, progress=False)
    assert all(map(np.array_equal, before, copied(net)))


def test_a_large_loss_is_a_number(digits):
    net = steep(dtype=np.float64)
    net.train(*digits, epochs=1, learning_rate=1e6, **WHOLE_BATCH)
    assert net.history[-1]["loss"] > 1e6
