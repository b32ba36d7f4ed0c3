"""How weights follow their slopes: plain, with momentum, shrinking, and in a way of one's own."""

import dataclasses

import numpy as np
import pytest
from conftest import WHOLE_BATCH, copied, same, small

from nn import NeuralNetwork
from optimisers import fitting_rate, nesterov, plain

KNOBS = {"learning_rate": 1.0, "rotations": (), "progress": False}


def zeros_like(net):
    return [np.zeros_like(parameter) for parameter in net.weights + net.biases]


# --- Plain ----------------------------------------------------------------------------------------


def test_a_step_goes_down_the_gradient_by_the_learning_rate(digits):
    net = small(biases=True, dtype=np.float64)
    by_weights, by_biases = net.backprop(*digits)
    before = copied(net)
    net.train(*digits, epochs=1, learning_rate=0.7, **WHOLE_BATCH)
    for old, gradient, new in zip(before, by_weights + by_biases, copied(net), strict=True):
        assert np.allclose(new, old - 0.7 * gradient, rtol=1e-12)


def test_plain_is_the_default(digits):
    default, named = small(), small()
    default.train(*digits, epochs=2, **KNOBS)
    named.train(*digits, epochs=2, descend=plain, **KNOBS)
    assert same(default, named)


@pytest.mark.parametrize(
    "descend", [plain, nesterov(0.9), nesterov(0.9, 0.01)], ids=["plain", "nesterov", "decay"]
)
def test_training_twice_for_5_epochs_is_training_once_for_10(digits, descend):
    knobs = KNOBS | {"rotations": (10, -10), "descend": descend}
    once, twice = small(biases=True), small(biases=True)
    once.train(*digits, epochs=10, **knobs)
    twice.train(*digits, epochs=5, **knobs)
    if descend is not plain:  # a new value, as long as its numbers are equal
        knobs["descend"] = dataclasses.replace(descend)
    twice.train(*digits, epochs=5, **knobs)
    assert same(once, twice)
    assert once.history == twice.history
    assert once.epoch == twice.epoch == 10


# --- Momentum and weight decay --------------------------------------------------------------------


def test_nesterov_is_sutskevers_way(digits):
    """The gradient taken ahead, at w + momentum * v; train's weights are those ahead."""
    rate, momentum, steps = 0.5, 0.8, 4
    net, ahead = (small(biases=True, dtype=np.float64) for _ in range(2))
    weights, velocities = copied(net), zeros_like(net)
    for _ in range(steps):
        for place, w, v in zip(ahead.weights + ahead.biases, weights, velocities, strict=True):
            place[...] = w + momentum * v
        by_weights, by_biases = ahead.backprop(*digits)
        for w, v, slope in zip(weights, velocities, by_weights + by_biases, strict=True):
            v[...] = momentum * v - rate * slope
            w += v
    for _ in range(2):
        net.train(*digits, epochs=2, learning_rate=rate, descend=nesterov(momentum), **WHOLE_BATCH)
    for own, w, v in zip(copied(net), weights, velocities, strict=True):
        assert np.allclose(own, w + momentum * v, rtol=1e-10)


def test_a_falling_rate_acts_on_new_slopes_only(digits):
    """The rate is inside the velocity."""
    rates, momentum = [0.5, 0.1, 0.02], 0.8
    net, other = (small(dtype=np.float64) for _ in range(2))
    velocities = zeros_like(other)
    for rate in rates:
        by_weights, _ = other.backprop(*digits)
        for w, v, slope in zip(other.weights, velocities, by_weights, strict=True):
            v[...] = momentum * v + rate * slope
            w -= rate * slope + momentum * v
    net.train(
        *digits,
        epochs=3,
        learning_rate=lambda done: rates[round(3 * done)],
        descend=nesterov(momentum),
        **WHOLE_BATCH,
    )
    for own, expected in zip(net.weights, other.weights, strict=True):
        assert np.allclose(own, expected, rtol=1e-10)


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_decay_shrinks_the_weights_and_leaves_the_biases(digits, momentum):
    net, other = (small(biases=True, dtype=np.float64) for _ in range(2))
    for each in (net, other):
        each.biases[0][:] = 0.1
    by_weights, by_biases = other.backprop(*digits)
    for w, slope in zip(other.weights, by_weights, strict=True):
        w -= 0.5 * ((1 + momentum) * slope + 0.01 * w)
    for b, slope in zip(other.biases, by_biases, strict=True):
        b -= 0.5 * (1 + momentum) * slope
    descend = nesterov(momentum, decay=0.01)
    net.train(*digits, epochs=1, learning_rate=0.5, descend=descend, **WHOLE_BATCH)
    for own, expected in zip(copied(net), copied(other), strict=True):
        assert np.allclose(own, expected, rtol=1e-10)


def test_without_momentum_and_decay_it_is_plain(digits):
    one, other = small(biases=True), small(biases=True)
    one.train(*digits, epochs=2, descend=nesterov(0), **KNOBS)
    other.train(*digits, epochs=2, descend=plain, **KNOBS)
    assert same(one, other)


@pytest.mark.parametrize(
    "numbers", [{"momentum": 1}, {"momentum": -0.1}, {"decay": 1}, {"decay": -0.1}], ids=str
)
def test_numbers_out_of_range_are_refused(numbers):
    (name,) = numbers
    with pytest.raises(ValueError, match=f"{name}: expected a number from 0 to below 1"):
        nesterov(**({"momentum": 0.9} | numbers))


# --- What it remembers ----------------------------------------------------------------------------


def test_memory_lives_in_the_network_and_plain_clears_it(digits):
    net, descend = small(), nesterov(0.9)
    assert net.memory == {}
    net.train(*digits, epochs=1, descend=descend, **KNOBS)
    assert any(velocity.any() for velocity in net.memory[descend])
    net.train(*digits, epochs=1, **KNOBS)
    assert net.memory == {}


def test_after_plain_it_begins_without_velocities(digits):
    net, fresh = small(), small()
    net.train(*digits, epochs=1, descend=nesterov(0.9), **WHOLE_BATCH)
    net.train(*digits, epochs=1, descend=plain, **WHOLE_BATCH)
    for own, other in zip(fresh.weights, net.weights, strict=True):
        own[...] = other
    for each in (net, fresh):
        each.train(*digits, epochs=2, descend=nesterov(0.9), **WHOLE_BATCH)
    assert same(net, fresh)


def test_other_numbers_begin_without_velocities(digits):
    net, fresh = small(), small()
    net.train(*digits, epochs=1, descend=nesterov(0.9), **WHOLE_BATCH)
    for own, other in zip(fresh.weights, net.weights, strict=True):
        own[...] = other
    for each in (net, fresh):
        each.train(*digits, epochs=2, descend=nesterov(0.5), **WHOLE_BATCH)
    assert same(net, fresh)


def test_two_networks_that_share_an_optimiser_do_not_mix(digits):
    shared, alone = [small(1), small(2)], [small(1), small(2)]
    descend = nesterov(0.9)
    for _ in range(2):  # in turns
        for net in shared:
            net.train(*digits, epochs=1, descend=descend, **KNOBS)
    for net in alone:
        net.train(*digits, epochs=2, descend=nesterov(0.9), **KNOBS)
    assert same(shared[0], alone[0])
    assert same(shared[1], alone[1])


# --- One's own ------------------------------------------------------------------------------------


def adam(net, steps, rate, *, first=0.9, second=0.999):
    """D. Kingma, J. Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1."""
    memory = net.memory.setdefault(adam, {"count": 0, "m": zeros_like(net), "v": zeros_like(net)})
    memory["count"] += 1
    for parameter, step, m, v in zip(
        net.weights + net.biases, steps, memory["m"], memory["v"], strict=True
    ):
        slope = step / rate
        m[...] = first * m + (1 - first) * slope
        v[...] = second * v + (1 - second) * slope**2
        mean = m / (1 - first ** memory["count"])
        square = v / (1 - second ** memory["count"])
        parameter -= rate * mean / (np.sqrt(square) + 1e-8)


def test_an_optimiser_of_ones_own_learns(digits):
    net = small(biases=True, output="softmax", loss="cross-entropy")
    history = net.train(
        *digits, epochs=20, learning_rate=0.01, descend=adam, rotations=(), progress=False
    )
    assert history[-1]["accuracy"] > 0.95
    assert net.memory[adam]["count"] == 20 * 7  # 200 digits, 32 at a time


def test_an_optimiser_of_ones_own_is_told_slopes_times_rate(digits):
    net, told = small(biases=True, dtype=np.float64), []
    by_weights, by_biases = net.backprop(*digits)
    net.train(
        *digits,
        epochs=1,
        learning_rate=0.3,
        descend=lambda *what: told.append(what),
        **WHOLE_BATCH,
    )
    ((trained, steps, rate),) = told
    assert trained is net and rate == 0.3
    for step, slope in zip(steps, by_weights + by_biases, strict=True):
        assert np.allclose(step, 0.3 * slope, rtol=1e-12)


# --- The learning rate ----------------------------------------------------------------------------


def test_learning_rate_function_is_used_at_its_step(digits):
    def only_the_first_half(done):
        return 1.0 if done < 0.5 else 1e-12

    at_once, constant = small(), small()
    at_once.train(*digits, epochs=2, learning_rate=only_the_first_half, **WHOLE_BATCH)
    constant.train(*digits, epochs=1, learning_rate=1.0, **WHOLE_BATCH)
    assert np.allclose(at_once.weights[0], constant.weights[0], rtol=0, atol=1e-7)


def test_a_rate_of_0_changes_nothing(digits):
    net = small(biases=True)
    net.train(*digits, epochs=1, learning_rate=lambda done: 0, **WHOLE_BATCH)
    assert same(net, small(biases=True))


@pytest.mark.parametrize("rate", [-1, np.nan, np.inf])
def test_a_function_that_returns_no_rate_is_refused(digits, rate):
    net = small()
    with pytest.raises(ValueError, match="learning_rate: expected 0 or more of the function"):
        net.train(*digits, learning_rate=lambda done: rate, progress=False)
    assert same(net, small())


@pytest.mark.parametrize("descend", [plain, nesterov(0.9, 5e-5)], ids=["plain", "nesterov"])
def test_a_rate_from_numpy_does_not_make_the_slopes_64_bit(digits, descend):
    nets, dtypes = [small(), small()], set()

    def watched(net, steps, rate):
        dtypes.update(step.dtype for step in steps)
        descend(net, steps, rate)

    for net, number in zip(nets, (float, np.float64), strict=True):

        def rate(done, number=number):
            return number(0.5) * (1 - done)

        net.train(*digits, epochs=1, learning_rate=rate, descend=watched, progress=False)
    assert dtypes == {np.dtype(np.float32)}
    assert same(*nets)
    one, other = small(), small()
    one.train(*digits, epochs=1, learning_rate=0.5, descend=watched, progress=False)
    other.train(*digits, epochs=1, learning_rate=np.float64(0.5), descend=watched, progress=False)
    assert dtypes == {np.dtype(np.float32)}
    assert same(one, other)


def test_none_is_the_rate_that_fits(digits):
    assert fitting_rate(NeuralNetwork(), 32) == 3.0
    for options in ({}, {"hidden": "relu", "output": "softmax", "loss": "cross-entropy"}):
        by_default, by_hand = small(**options), small(**options)
        rate = fitting_rate(by_hand, 32)
        assert 0 < rate <= 3
        by_default.train(*digits, epochs=2, progress=False)
        by_hand.train(*digits, epochs=2, learning_rate=rate, progress=False)
        assert same(by_default, by_hand)


class Learned(Exception):
    pass


@pytest.mark.parametrize(
    "options, batch_size",
    [
        ({}, 32),
        ({}, 1),
        ({"hidden": "relu", "output": "softmax", "loss": "cross-entropy"}, 32),
        ({"hidden": "relu", "output": "softmax", "loss": "cross-entropy", "biases": True}, 1000),
        ({"layers": (784, 300, 10)}, 32),
        ({"layers": (784, 10), "output": "softmax", "loss": "cross-entropy"}, 32),
        ({"layers": (784, 200, 200, 200, 10), "hidden": "relu", "loss": "cross-entropy"}, 32),
    ],
    ids=str,
)
def test_with_the_default_rate_it_learns(sample, options, batch_size):
    """90 % of the held-out digits within ten epochs. benchmarks/defaults.py tries many more."""
    train, test = sample

    def stop_at_90_percent(measurement):
        if measurement["validation_accuracy"] >= 0.9:
            raise Learned

    with pytest.raises(Learned):
        NeuralNetwork(**options).train(
            train.images,
            train.labels,
            batch_size=batch_size,
            rotations=() if batch_size == 1 else (10, -10),
            validation=(test.images, test.labels),
            callback=stop_at_90_percent,
            progress=False,
        )
