"""What activations and losses must do, and that a new one needs a row in its table and no more."""

import numpy as np
import pytest
from conftest import (
    exact_slopes,
    measured_slopes,
    network_x_targets,
    relative_error,
    same,
    small,
)

from activations import ACTIVATIONS, LOSSES, SQUARED_ERROR, Activation, Loss, sigmoid
from imagine import canvas_of, imagine
from nn import NeuralNetwork
from storage import load, save


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_stay_finite_and_silent_at_large_sums(name, dtype):
    z = np.array([[-1e4, -100, -1, 0, 1, 100, 1e4]], dtype)
    with np.errstate(all="raise", under="ignore"):
        a = ACTIVATIONS[name].value(z)
    assert a.dtype == dtype
    assert np.isfinite(a).all()
    assert (np.diff(a) >= 0).all()


def test_activations_as_published():
    z = np.array([[-1.0, 0.0, 2.0]])
    assert np.allclose(sigmoid(z), [[0.26894142, 0.5, 0.88079708]])
    assert np.allclose(ACTIVATIONS["sigmoid"].value(z), sigmoid(z))
    assert np.allclose(ACTIVATIONS["relu"].value(z), [[0, 0, 2]])
    assert np.allclose(ACTIVATIONS["softmax"].value(z), [[0.04201007, 0.1141952, 0.84379473]])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_inverses_undo_activations(name):
    a = np.array([[0.2, 0.3, 0.5]])  # softmax: of many z the one that is the logarithm
    assert np.allclose(ACTIVATIONS[name].value(ACTIVATIONS[name].inverse(a)), a)


@pytest.mark.parametrize("loss, output", LOSSES)
def test_loss_stays_finite_where_the_network_is_surely_wrong(loss, output):
    net = NeuralNetwork((2, 2), loss=loss, output=output, initial=lambda rng, shape: np.eye(2))
    net.weights[0] *= 1e4
    assert np.isfinite(net.loss([[1.0, -1.0]], [1]))
    assert np.isfinite(net.backprop([[1.0, -1.0]], [1])[0]).all()


def test_loss_is_the_mean_over_rows_of_half_the_summed_squares(digits):
    net = small(dtype=np.float64)
    outputs, targets = net.forward(digits[0])[-1], net.as_targets(digits[1])
    assert net.loss(*digits) == pytest.approx(((outputs - targets) ** 2).sum() / 2 / 200)


def test_cross_entropy_of_softmax_is_the_mean_of_minus_the_logarithm_at_the_digit(digits):
    net = small(output="softmax", loss="cross-entropy", dtype=np.float64)
    outputs = net.outputs(digits[0])
    assert net.loss(*digits) == pytest.approx(-np.log(outputs[range(200), digits[1]]).mean())


def test_cross_entropy_of_sigmoids_is_that_of_ten_choices_between_yes_and_no(digits):
    net = small(loss="cross-entropy", dtype=np.float64)
    o, t = net.outputs(digits[0]), net.as_targets(digits[1])
    by_hand = -(t * np.log(o) + (1 - t) * np.log(1 - o)).sum(axis=1).mean()
    assert net.loss(*digits) == pytest.approx(by_hand)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("z", [-800.0, -90, -37, -17, 0, 17, 37, 90, 800])
def test_cross_entropy_grows_evenly_where_an_output_rounds_to_0_or_1(z, dtype):
    options = {"loss": "cross-entropy", "initial": lambda rng, shape: np.eye(2), "dtype": dtype}
    with np.errstate(all="raise", under="ignore"):
        yes_or_no = NeuralNetwork((2, 2), output="sigmoid", **options)
        found = yes_or_no.loss([[z, 0.0]], [[0.0, 0.5]])  # log(1 + e^z), and log 2 of the other
        assert found == pytest.approx(np.logaddexp(0, z) + np.log(2), rel=1e-6)
        one_of_two = NeuralNetwork((2, 2), output="softmax", **options)
        found = one_of_two.loss([[z, 0.0]], [[0.0, 1.0]])  # of two, softmax is sigmoid
        assert found == pytest.approx(np.logaddexp(0, z), rel=1e-6, abs=1e-6)


# --- New ones -------------------------------------------------------------------------------------


@pytest.fixture
def tanh(monkeypatch):
    """The row that the module's own text shows."""
    row = Activation(np.tanh, lambda a, slope: slope * (1 - a * a), np.arctanh)
    monkeypatch.setitem(ACTIVATIONS, "tanh", row)
    monkeypatch.setitem(LOSSES, ("squared error", "tanh"), SQUARED_ERROR)


def quartic(z, targets, activation):
    return ((activation.value(z) - targets) ** 4).sum(axis=1) / 4


def quartic_delta(outputs, targets, scale, activation):
    return activation.backward(outputs, (outputs - targets) ** 3 * scale)


@pytest.fixture
def fourth_powers(monkeypatch):
    for output in ("sigmoid", "softmax"):
        monkeypatch.setitem(LOSSES, ("fourth powers", output), Loss(quartic, quartic_delta))


@pytest.mark.parametrize("layers", [(6, 3), (6, 5, 3), (6, 5, 4, 3)])
@pytest.mark.parametrize("biases", [False, True])
def test_gradients_of_a_new_activation_are_exact(tanh, layers, biases):
    for hidden, output in (("tanh", "sigmoid"), ("sigmoid", "tanh"), ("tanh", "tanh")):
        options = {"hidden": hidden, "output": output, "biases": biases}
        found = network_x_targets(layers, **options)
        for exact, measured in zip(exact_slopes(*found), measured_slopes(*found), strict=True):
            assert relative_error(exact, measured) < 1e-6


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("layers", [(6, 3), (6, 5, 3)])
def test_gradients_of_a_new_loss_are_exact(fourth_powers, output, layers):
    found = network_x_targets(layers, loss="fourth powers", output=output, biases=True)
    for exact, measured in zip(exact_slopes(*found), measured_slopes(*found), strict=True):
        assert relative_error(exact, measured) < 1e-6


def test_a_new_activation_works_in_every_place(tanh, digits, tmp_path):
    net = small(hidden="tanh", output="tanh", biases=True)
    history = net.train(*digits, epochs=20, progress=False)
    assert history[-1]["accuracy"] > 0.9
    assert net.accuracy(*digits) == (net.predict(digits[0]) == digits[1]).mean()
    backwards = net.backquery(range(10))
    assert backwards.shape == (10, 784) and np.isfinite(backwards).all()
    pictures = imagine(net, range(10), canvas_of(digits[0]), steps=5)
    assert pictures.shape == (10, 784) and np.isfinite(pictures).all()
    save(net, tmp_path / "tanh.npz")
    assert same(load(tmp_path / "tanh.npz"), net)
    assert np.array_equal(load(tmp_path / "tanh.npz").outputs(digits[0]), net.outputs(digits[0]))


def test_a_new_loss_works_in_every_place(fourth_powers, digits, tmp_path):
    net = small(loss="fourth powers")
    history = net.train(*digits, validation=digits, epochs=20, progress=False)
    assert history[-1]["accuracy"] > 0.7
    errors = net.outputs(digits[0]) - net.as_targets(digits[1])
    assert net.loss(*digits) == pytest.approx((errors**4).sum(axis=1).mean() / 4, rel=1e-5)
    assert history[-1]["validation_loss"] == pytest.approx(net.loss(*digits), rel=1e-5)
    pictures = imagine(net, 3, canvas_of(digits[0]), steps=5)
    assert pictures.shape == (1, 784) and np.isfinite(pictures).all()
    save(net, tmp_path / "net.npz")
    assert load(tmp_path / "net.npz").loss_name == "fourth powers"
