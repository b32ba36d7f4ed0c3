"""What nn.py must do. Each gradient is checked twice: by central differences and by PyTorch."""

import inspect
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse
from threadpoolctl import threadpool_info, threadpool_limits

import mnist
import nn
from nn import NeuralNetwork, affine, distort, random_affine, rotate, uniform

ROOT = Path(nn.__file__).parent
TOY = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
XOR = np.array([[0], [1], [1], [0]])


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The repository's 4,000 + 1,000 digits, also where the full MNIST has been fetched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_MIRRORS", "")
        return mnist.load(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="module")
def trained(sample):
    """The default recipe on the sample."""
    net = NeuralNetwork()
    net.train(sample[0].images, sample[0].labels, progress=False)
    return net


@pytest.fixture
def digits(sample):
    """200 images and labels: enough to see that something is learned."""
    return sample[0].images[:200].copy(), sample[0].labels[:200]


def small(seed=0, **options):
    return NeuralNetwork((784, 12, 10), seed=seed, **options)


def same(one, other):
    pairs = copied(one), copied(other)
    return len(pairs[0]) == len(pairs[1]) and all(map(np.array_equal, *pairs))


def copied(net):
    return [parameter.copy() for parameter in net.weights + net.biases]


# --- Gradients ------------------------------------------------------------------------------------

LAYERS = [(6, 3), (6, 5, 3), (6, 5, 4, 3)]
every_network = [
    pytest.mark.parametrize("loss, output", nn.LOSSES),
    pytest.mark.parametrize("hidden", nn.ACTIVATIONS),
    pytest.mark.parametrize("biases", [False, True]),
    pytest.mark.parametrize("layers", LAYERS, ids=["0 hidden", "1 hidden", "2 hidden"]),
]


def every(test):
    for mark in every_network:
        test = mark(test)
    return test


def network_x_targets(layers, hidden, output, loss, biases):
    """In float64, with every sum a little away from 0, where relu has no slope."""
    for seed in range(1000):
        net = NeuralNetwork(
            layers,
            hidden=hidden,
            output=output,
            loss=loss,
            biases=biases,
            seed=seed,
            dtype=np.float64,
        )
        rng = np.random.default_rng(seed)
        for bias in net.biases:
            bias += rng.normal(0, 0.5, bias.shape)
        x = rng.uniform(-1, 1, (4, layers[0]))
        targets = rng.uniform(0.1, 0.9, (4, layers[-1]))
        if output == "softmax":
            targets /= targets.sum(axis=1, keepdims=True)
        if clear_of_the_kink(net, x) and abs(net.input_gradient(x, targets)).max() > 1e-4:
            return net, x, targets
    raise AssertionError("no seed keeps clear of relu's kink")


def clear_of_the_kink(net, x):
    activations = net.forward(x)
    sums = [a @ w for a, w in zip(activations, net.weights, strict=False)]
    if net.biases:
        sums = [z + bias for z, bias in zip(sums, net.biases, strict=True)]
    return min(abs(z).min() for z in sums) > 1e-3


def slopes(loss, parameter, step=1e-5):
    """Central differences: how much loss() changes with each number in the array."""
    found = np.empty_like(parameter)
    for i in np.ndindex(parameter.shape):
        value = parameter[i]
        parameter[i] = value + step
        above = loss()
        parameter[i] = value - step
        below = loss()
        parameter[i] = value
        found[i] = (above - below) / (2 * step)
    return found


def relative_error(one, other):
    assert one.shape == other.shape
    sizes = np.linalg.norm(one) + np.linalg.norm(other)
    return np.linalg.norm(one - other) / max(sizes, np.finfo(float).tiny)


@every
def test_gradients_agree_with_central_differences(layers, hidden, output, loss, biases):
    net, x, targets = network_x_targets(layers, hidden, output, loss, biases)
    by_weights, by_biases = net.backprop(x, targets)
    assert len(by_weights) == len(layers) - 1
    assert len(by_biases) == biases * (len(layers) - 1)
    exact = [*by_weights, *by_biases, net.input_gradient(x, targets)]
    for gradient, parameter in zip(exact, [*net.weights, *net.biases, x], strict=True):
        numerical = slopes(lambda: net.loss(x, targets), parameter)
        assert relative_error(gradient, numerical) < 1e-6


@every
def test_gradients_agree_with_pytorch(layers, hidden, output, loss, biases):
    torch = pytest.importorskip("torch")
    net, x, targets = network_x_targets(layers, hidden, output, loss, biases)
    functions = {"sigmoid": torch.sigmoid, "relu": torch.relu, "softmax": torch.nn.Softmax(dim=1)}
    weights, offsets = (
        [torch.tensor(p, requires_grad=True) for p in parameters]
        for parameters in (net.weights, net.biases)
    )
    inputs = a = torch.tensor(x, requires_grad=True)
    for layer, w in enumerate(weights):
        z = a @ w + (offsets[layer] if biases else 0)
        a = functions[output if w is weights[-1] else hidden](z)
    t = torch.tensor(targets)
    if loss == "squared error":
        value = ((a - t) ** 2).sum(dim=1).mean() / 2
    elif output == "softmax":
        value = torch.nn.functional.cross_entropy(z, t)
    else:
        value = torch.nn.functional.binary_cross_entropy(a, t, reduction="sum") / len(x)
    value.backward()
    assert net.loss(x, targets) == pytest.approx(value.item(), rel=1e-12)
    by_weights, by_biases = net.backprop(x, targets)
    exact = [*by_weights, *by_biases, net.input_gradient(x, targets)]
    for gradient, peer in zip(exact, [*weights, *offsets, inputs], strict=True):
        assert relative_error(gradient, peer.grad.numpy()) < 1e-12


def test_backprop_multiplies_the_gradients_by_scale(digits):
    net = small(biases=True, dtype=np.float64)
    for plain, scaled in zip(net.backprop(*digits), net.backprop(*digits, scale=3), strict=True):
        for one, three in zip(plain, scaled, strict=True):
            assert np.allclose(3 * one, three, rtol=1e-12, atol=0)


def test_loss_is_the_mean_over_rows_of_half_the_summed_squares(digits):
    net = small(dtype=np.float64)
    outputs, targets = net.forward(digits[0])[-1], net.as_targets(digits[1])
    assert net.loss(*digits) == pytest.approx(((outputs - targets) ** 2).sum() / 2 / 200)


@pytest.mark.parametrize("name", nn.ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_stay_finite_and_silent_at_large_sums(name, dtype):
    z = np.array([[-1e4, -100, -1, 0, 1, 100, 1e4]], dtype)
    with np.errstate(all="raise", under="ignore"):
        a = nn.ACTIVATIONS[name].value(z)
    assert a.dtype == dtype
    assert np.isfinite(a).all()
    assert (np.diff(a) >= 0).all()


@pytest.mark.parametrize("loss, output", nn.LOSSES)
def test_loss_stays_finite_where_the_network_is_surely_wrong(loss, output):
    net = NeuralNetwork((2, 2), loss=loss, output=output, initial=lambda rng, shape: np.eye(2))
    net.weights[0] *= 1e4
    assert np.isfinite(net.loss([[1.0, -1.0]], [1]))
    assert np.isfinite(net.backprop([[1.0, -1.0]], [1])[0]).all()


# --- Figures that must come out -------------------------------------------------------------------


def legacy_weights(seed):
    """2 * random - 1 from NumPy's old generator, as the tutorials have it."""
    random = np.random.RandomState(seed)
    return lambda rng, shape: 2 * random.random_sample(shape) - 1


WHOLE_BATCH = {"batch_size": None, "rotations": (), "progress": False}


def test_two_layer_toy_ends_as_published():
    net = NeuralNetwork((3, 1), initial=legacy_weights(1), dtype=np.float64)
    # Rate 1 on the sum over four examples is rate 4 on our mean.
    # It prints what its last forward pass found, before the last step.
    net.train(TOY, [[0], [0], [1], [1]], epochs=9_999, learning_rate=4, **WHOLE_BATCH)
    outputs = [f"{output:.8f}" for output in net.outputs(TOY)[:, 0]]
    assert outputs == ["0.00966449", "0.00786506", "0.99358898", "0.99211957"]


def test_three_layer_toy_goes_as_published():
    net = NeuralNetwork((3, 4, 1), initial=legacy_weights(1), dtype=np.float64)
    errors = []
    for epochs in [0, 10_000, 10_000, 10_000, 10_000, 10_000]:
        net.train(TOY, XOR, epochs=epochs, learning_rate=4, **WHOLE_BATCH)
        errors.append(f"{abs(net.outputs(TOY) - XOR).mean():.12g}")
    assert errors == [
        "0.496410031903",
        "0.00858452565325",
        "0.00578945986251",
        "0.00462917677677",
        "0.00395876528027",
        "0.00351012256786",
    ]


@pytest.mark.parametrize("seed", range(5))
def test_toy_with_uniform_weights_falls_at_every_step(seed):
    net = NeuralNetwork((3, 4, 1), initial=uniform(0, 1), seed=seed, dtype=np.float64)
    # That tutorial descends the sum of squares at rate 1; ours is the mean of halves, an eighth.
    net.train(TOY, XOR, epochs=1500, learning_rate=8, **WHOLE_BATCH)
    losses = [m["loss"] for m in net.history]
    assert len(losses) == 1500
    assert (np.diff(losses) < 0).all()
    assert 2 * losses[-1] < 0.005  # the mean of the squares
    assert abs(net.outputs(TOY) - XOR).max() < 0.05


def test_neuron_whose_inputs_and_bias_add_up_to_5_gives_0_993307():
    net = NeuralNetwork(
        (2, 1),
        biases=True,
        initial=lambda rng, shape: np.array([[7.0], [3.0]]),
        dtype=np.float64,
    )
    net.biases[0][:] = 2.7
    assert f"{net.outputs([[0.2, 0.3]]).item():.6f}" == "0.993307"


def test_default_recipe_reaches_94_5_percent_on_the_sample(trained, sample):
    assert trained.accuracy(sample[1].images, sample[1].labels) >= 0.945


def test_untrained_network_guesses(sample):
    assert NeuralNetwork().accuracy(sample[1].images, sample[1].labels) < 0.3


# --- What goes in ---------------------------------------------------------------------------------


def test_bytes_become_0_01_to_1():
    x = NeuralNetwork((3, 1)).as_input(np.array([[0, 51, 255]], np.uint8))
    assert x.dtype == np.float32
    assert np.allclose(x, [[0.01, 0.208, 1.0]])


def test_other_numbers_stay_as_they_are():
    net = NeuralNetwork((3, 1), dtype=np.float64)
    assert net.as_input([0.5, -7.0, 300.0]).tolist() == [[0.5, -7.0, 300.0]]
    assert net.as_input([[0, 1, 1]]).tolist() == [[0, 1, 1]]
    assert net.as_input([[True, False, True]]).dtype == np.float64


def test_as_input_leaves_the_images_unchanged(digits):
    images = digits[0].copy()
    small().forward(images)
    assert np.array_equal(images, digits[0])


@pytest.mark.parametrize(
    "output, low, high", [("sigmoid", 0.01, 0.99), ("relu", 0.01, 0.99), ("softmax", 0, 1)]
)
def test_labels_become_rows(output, low, high):
    net = NeuralNetwork((2, 3), output=output)
    expected = np.float32([[low, low, high], [high, low, low]])
    assert np.array_equal(net.as_targets([2, 0]), expected)
    assert np.array_equal(net.as_targets(np.uint8(2)), expected[:1])
    assert np.array_equal(net.as_targets(expected), expected)


def test_one_output_stands_for_labels_0_and_1():
    net = NeuralNetwork((2, 1))
    assert np.allclose(net.as_targets([0, 1]), [[0.01], [0.99]])
    net.weights[0][:] = [[9], [-9]]
    assert net.predict([[1.0, 0.0], [0.0, 1.0]]).tolist() == [1, 0]
    assert net.accuracy([[1.0, 0.0], [0.0, 1.0]], [1, 1]) == 0.5


def test_predict_is_the_largest_output_for_any_number_of_images(trained, sample):
    images = sample[0].images  # more than are worked on at a time
    assert len(images) > nn.CHUNK
    assert np.array_equal(trained.predict(images), trained.forward(images)[-1].argmax(axis=1))
    assert trained.predict(images[0]).shape == (1,)
    assert trained.predict(images[:0]).shape == (0,)


def test_accuracy_is_the_fraction_of_right_predictions(trained, sample):
    images, labels = sample[1].images, sample[1].labels
    assert trained.accuracy(images, labels) == (trained.predict(images) == labels).mean()
    assert trained.accuracy(images, trained.predict(images)) == 1
    loss, accuracy = trained.measure(images, labels)
    assert loss == pytest.approx(trained.loss(images, labels), rel=1e-5)
    assert accuracy == trained.accuracy(images, labels)


ZEROS = np.zeros((4, 784), np.uint8)
LABELS = np.array([0, 1, 2, 3])


@pytest.mark.parametrize("verb", ["predict", "forward", "outputs"])
@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 783)), r"expected rows of 784 inputs, got shape \(2, 783\)"),
        (np.zeros((2, 28, 28)), "expected rows of 784 inputs"),
        (np.full((2, 784), 255), "look like pixels: pass them as bytes"),
        (np.full((2, 784), 2, np.int8), "look like pixels: pass them as bytes"),
    ],
)
def test_images_that_do_not_fit_are_refused(verb, images, message):
    with pytest.raises(ValueError, match=message):
        getattr(small(), verb)(images)


@pytest.mark.parametrize(
    "labels, message",
    [
        ([0, 1, 2, 10], "labels: expected 0 to 9, got 0 to 10"),
        ([-1, 1, 2, 3], "labels: expected 0 to 9, got -1 to 3"),
        (np.zeros((4, 9)), r"expected labels or rows of 10 targets, got \(4, 9\)"),
        ([0.5, 1.0], "expected labels or rows of 10 targets"),
        (np.zeros((4, 2, 10)), "expected labels or rows of 10 targets"),
        ([0, 1, 2], "expected one label an image, got 4 images and 3 labels"),
    ],
)
@pytest.mark.parametrize("verb", ["train", "accuracy", "measure"])
def test_labels_that_do_not_fit_are_refused(verb, labels, message):
    net = small()
    before = copied(net)
    with pytest.raises(ValueError, match=message):
        getattr(net, verb)(ZEROS, labels)
    assert all(map(np.array_equal, before, copied(net)))


@pytest.mark.parametrize("verb", ["train", "accuracy"])
@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((4, 783)), LABELS, "expected rows of 784 inputs"),
        (np.full((4, 784), np.nan), LABELS, "must be finite"),
        (np.full((4, 784), np.inf), LABELS, "must be finite"),
        (np.full((4, 784), 255), LABELS, "pass them as bytes"),
        (ZEROS[:0], LABELS[:0], "expected one label an image, got 0 images"),
    ],
)
def test_examples_that_do_not_fit_are_refused(verb, images, labels, message):
    with pytest.raises(ValueError, match=message):
        getattr(small(), verb)(images, labels)


def test_validation_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected one label an image"):
        small().train(ZEROS, LABELS, validation=(ZEROS, LABELS[:2]), progress=False)


def test_softmax_targets_must_add_up_to_1():
    net = NeuralNetwork((2, 2), output="softmax", loss="cross-entropy")
    for targets in ([[0.01, 0.9]], [[0, 0]], [[np.nan, 1]]):
        with pytest.raises(ValueError, match="softmax outputs add up to 1"):
            net.as_targets(targets)
    assert net.as_targets([[0.25, 0.75]]).tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize(
    "knob",
    [
        {"epochs": -1},
        {"learning_rate": 0},
        {"learning_rate": -1},
        {"learning_rate": np.nan},
        {"batch_size": -1},
        {"batch_size": 0},
        {"momentum": 1},
        {"momentum": -0.1},
        {"weight_decay": 1},
        {"weight_decay": -0.1},
    ],
    ids=str,
)
def test_knobs_out_of_range_are_refused(knob):
    with pytest.raises(ValueError, match="expected epochs from 0, a learning_rate above 0"):
        small().train(ZEROS, LABELS, **knob)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"layers": (784,)}, "layers: expected two or more whole numbers above 0"),
        ({"layers": (784, 0, 10)}, "layers: expected"),
        ({"layers": (784, 2.5, 10)}, "layers: expected"),
        ({"hidden": "tanh"}, r"hidden: expected one of \['sigmoid', 'relu', 'softmax'\]"),
        ({"output": "tanh"}, r"\(loss, output\): expected one of"),
        ({"loss": "hinge"}, r"\(loss, output\): expected one of"),
        ({"loss": "cross-entropy", "output": "relu"}, r"\(loss, output\): expected one of"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NeuralNetwork(**options)


def test_turning_rows_that_are_no_pictures_is_refused():
    with pytest.raises(ValueError, match="expected square pictures.*rotations=()"):
        NeuralNetwork((3, 1)).train(TOY, XOR)
    with pytest.raises(ValueError, match="expected square pictures"):
        rotate(np.zeros((2, 783)), 10)


# --- Training -------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_weights_bit_for_bit(digits):
    nets = [small(seed, biases=True) for seed in (7, 7, 8)]
    for net in nets:
        net.train(*digits, epochs=2, progress=False)
    assert same(nets[0], nets[1])
    assert nets[0].history == nets[1].history
    assert not same(nets[0], nets[2])


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_training_twice_for_5_epochs_is_training_once_for_10(digits, momentum):
    knobs = {"learning_rate": 1.0, "momentum": momentum, "progress": False}
    once, twice = small(biases=True), small(biases=True)
    once.train(*digits, epochs=10, **knobs)
    twice.train(*digits, epochs=5, **knobs)
    twice.train(*digits, epochs=5, **knobs)
    assert same(once, twice)
    assert once.history == twice.history
    assert once.epoch == twice.epoch == 10


def test_a_step_goes_down_the_gradient_by_the_learning_rate(digits):
    net, images = small(biases=True, dtype=np.float64), digits[0]
    before, gradients = copied(net), net.backprop(*digits)
    net.train(images, digits[1], epochs=1, learning_rate=0.7, **WHOLE_BATCH)
    for old, gradient, new in zip(before, sum(gradients, []), copied(net), strict=True):
        assert np.allclose(new, old - 0.7 * gradient, rtol=1e-12)


def test_a_rate_from_numpy_does_not_make_the_slopes_64_bit(digits):
    nets, seen = [small(), small()], []
    backprop = nets[1].backprop
    nets[1].backprop = lambda *batch, scale: seen.append(backprop(*batch, scale)) or seen[-1]
    for net, number in zip(nets, (float, np.float64), strict=True):
        rate = lambda done, number=number: number(0.5) * (1 - done)  # noqa: E731
        net.train(*digits, epochs=1, learning_rate=rate, progress=False)
    assert {slopes.dtype for by_weights, _ in seen for slopes in by_weights} == {np.dtype("f4")}
    assert same(*nets)


def test_weight_decay_shrinks_the_weights_and_leaves_the_biases(digits):
    net, other = (small(biases=True, dtype=np.float64) for _ in range(2))
    for each in (net, other):
        each.biases[0][:] = 0.1
    by_weights, by_biases = other.backprop(*digits)
    for w, slope in zip(other.weights, by_weights, strict=True):
        w -= 0.5 * (slope + 0.01 * w)
    for b, slope in zip(other.biases, by_biases, strict=True):
        b -= 0.5 * slope
    net.train(*digits, epochs=1, learning_rate=0.5, weight_decay=0.01, **WHOLE_BATCH)
    for own, expected in zip(copied(net), copied(other), strict=True):
        assert np.allclose(own, expected, rtol=1e-10)


def test_momentum_is_nesterovs(digits):
    """Sutskever's way, the gradient taken ahead at w + m v; train's weights are those ahead."""
    rate, momentum, steps = 0.5, 0.8, 4
    net, ahead = (small(biases=True, dtype=np.float64) for _ in range(2))
    weights = copied(net)
    velocities = [np.zeros_like(w) for w in weights]
    for _ in range(steps):
        for place, w, v in zip(ahead.weights + ahead.biases, weights, velocities, strict=True):
            place[...] = w + momentum * v
        for w, v, slope in zip(weights, velocities, sum(ahead.backprop(*digits), []), strict=True):
            v[...] = momentum * v - rate * slope
            w += v
    net.train(*digits, epochs=2, learning_rate=rate, momentum=momentum, **WHOLE_BATCH)
    net.train(*digits, epochs=2, learning_rate=rate, momentum=momentum, **WHOLE_BATCH)
    for own, w, v in zip(copied(net), weights, velocities, strict=True):
        assert np.allclose(own, w + momentum * v, rtol=1e-10)


def test_learning_rate_can_be_a_function_of_the_fraction_done(digits):
    asked = []

    def rate(done):
        asked.append(done)
        return 1 - done

    small().train(
        *digits, epochs=3, batch_size=64, rotations=(), learning_rate=rate, progress=False
    )
    assert np.allclose(np.unique(asked), np.arange(12) / 12)  # 3 epochs of 4 steps
    assert asked == sorted(asked)


def test_learning_rate_function_is_used_at_its_step(digits):
    at_once, constant = small(), small()
    rate = {"learning_rate": lambda done: 1.0 if done < 0.5 else 1e-12}
    at_once.train(*digits, epochs=2, **rate, **WHOLE_BATCH)
    constant.train(*digits, epochs=1, learning_rate=1.0, **WHOLE_BATCH)
    assert np.allclose(at_once.weights[0], constant.weights[0], rtol=0, atol=1e-7)


def batches_of(net):
    """The batches that train hands to backprop from now on."""
    seen, backprop = [], net.backprop

    def watched(x, targets, scale=1.0):
        seen.append((np.array(x), np.array(targets)))
        return backprop(x, targets, scale=scale)

    net.backprop = watched
    return seen


@pytest.mark.parametrize(
    "batch_size, sizes", [(4, [4, 4, 2]), (5, [5, 5]), (1, [1] * 10), (99, [10]), (None, [10])]
)
def test_every_example_is_used_once_an_epoch(batch_size, sizes):
    net = NeuralNetwork((1, 10), dtype=np.float64)
    seen = batches_of(net)
    net.train(
        np.arange(10.0)[:, None],
        np.arange(10),
        epochs=2,
        batch_size=batch_size,
        rotations=(),
        progress=False,
    )
    assert [len(x) for x, _ in seen] == sizes * 2
    for epoch in (seen[: len(sizes)], seen[len(sizes) :]):
        x = np.concatenate([x for x, _ in epoch])[:, 0]
        targets = np.concatenate([targets for _, targets in epoch])
        assert sorted(x) == list(range(10))
        assert np.array_equal(targets.argmax(axis=1), x)  # each with its own target


def test_every_epoch_has_an_order_of_its_own(digits):
    net = small()
    seen = batches_of(net)
    net.train(*digits, epochs=2, batch_size=100, rotations=(), progress=False)
    assert not np.array_equal(seen[0][0], digits[0][:100])
    assert not np.array_equal(seen[0][0], seen[2][0])


def test_rotations_show_each_digit_as_it_is_and_turned(digits):
    net = small()
    seen = batches_of(net)
    net.train(*digits, epochs=1, batch_size=None, rotations=(10, -10), progress=False)
    (x, targets), images = seen[0], digits[0]
    expected = np.concatenate([images, rotate(images, 10), rotate(images, -10)])
    assert np.array_equal(x, net.as_input(expected))
    assert np.array_equal(targets, net.as_targets(np.tile(digits[1], 3)))


def test_a_batch_larger_than_the_data_is_the_whole_batch(digits):
    larger, whole = small(), small()
    larger.train(*digits, epochs=2, batch_size=10_000, progress=False)
    whole.train(*digits, epochs=2, batch_size=None, progress=False)
    assert same(larger, whole)


def test_labels_and_targets_train_the_same_network(digits):
    by_labels, by_targets = small(), small()
    images, labels = digits
    by_labels.train(images, labels, epochs=2, progress=False)
    by_targets.train(images, by_targets.as_targets(labels), epochs=2, progress=False)
    assert same(by_labels, by_targets)


def test_lists_are_as_good_as_arrays():
    one, other = (NeuralNetwork((3, 4, 1)) for _ in range(2))
    knobs = {"epochs": 3, "rotations": (), "progress": False}
    one.train(TOY, XOR, **knobs)
    other.train(TOY.tolist(), XOR.tolist(), **knobs)
    assert same(one, other)


def test_validation_and_callback_never_change_the_weights(digits):
    plain, watched = small(), small()
    plain.train(*digits, epochs=2, progress=False)
    history = watched.train(
        *digits, epochs=2, validation=digits, callback=lambda m: None, progress=False
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


def test_training_leaves_the_examples_unchanged(digits):
    images, labels = digits[0].copy(), digits[1].copy()
    small().train(images, labels, epochs=1, progress=False)
    assert np.array_equal(images, digits[0])
    assert np.array_equal(labels, digits[1])


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


@pytest.mark.parametrize("batch_size, measurements", [(None, 1), (100, 2), (70, 3), (40, 5)])
def test_an_epoch_of_few_steps_has_fewer_measurements(digits, batch_size, measurements):
    history = small().train(*digits, epochs=1, batch_size=batch_size, rotations=(), progress=False)
    assert len(history) == measurements


def test_no_epochs_change_nothing(digits):
    net = small()
    assert net.train(*digits, epochs=0, progress=False) == []
    assert same(net, small())


@pytest.mark.parametrize("batch_size", [32, None])
def test_training_gives_the_threads_back(digits, batch_size):
    def threads():
        return [pool["num_threads"] for pool in threadpool_info()]

    with threadpool_limits(2):
        before = threads()
        small().train(*digits, epochs=1, batch_size=batch_size, progress=False)
        assert threads() == before


# --- Progress -------------------------------------------------------------------------------------


def test_progress_false_prints_nothing_at_all(digits, capfd):
    def stop(measurement):
        raise KeyboardInterrupt

    small().train(*digits, epochs=2, progress=False)
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
    assert all(line.endswith("% of the digits held out") for line in lines)


# --- Interrupts -----------------------------------------------------------------------------------


def interrupted_in_callback(train):
    def callback(measurement):
        if measurement["epoch"] > 1:
            raise KeyboardInterrupt

    train(callback=callback)


def interrupted_by_signal_in_callback(train):
    def callback(measurement):
        if measurement["epoch"] > 1:
            signal.raise_signal(signal.SIGINT)

    train(callback=callback)


def interrupted_in_the_middle(train):
    """A Ctrl-C from outside, shortly after the first epoch, whatever train is doing then."""
    timers = []

    def callback(measurement):
        if measurement["epoch"] > 1 and not timers:
            timers.append(threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)))
            timers[0].start()

    train(callback=callback)
    timers[0].join()


@pytest.mark.parametrize(
    "interrupted",
    [interrupted_in_callback, interrupted_by_signal_in_callback, interrupted_in_the_middle],
)
@pytest.mark.parametrize("progress", [False, True])
def test_an_interrupt_ends_training_and_the_next_goes_on(digits, capfd, interrupted, progress):
    net, knobs = small(), {"rotations": (), "progress": progress}
    before = copied(net)
    interrupted(lambda callback: net.train(*digits, epochs=100_000, callback=callback, **knobs))
    reached, after, history = net.epoch, copied(net), list(net.history)
    assert 1 < reached < 99_999
    assert 1 < history[-1]["epoch"] <= reached
    assert all(np.isfinite(new).all() for new in after)
    assert not any(np.array_equal(old, new) for old, new in zip(before, after, strict=True))
    assert ("Stopped after" in capfd.readouterr().out) == progress

    net.train(*digits, epochs=2, **knobs)
    assert net.epoch == reached + 2
    assert net.history[: len(history)] == history
    assert net.history[-1]["epoch"] == reached + 2
    assert not np.array_equal(net.weights[0], after[0])


def test_other_exceptions_of_a_callback_come_through(digits):
    def callback(measurement):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        small().train(*digits, callback=callback, progress=False)


# --- Rotations ------------------------------------------------------------------------------------


def turned_by_scipy(images, degrees):
    pictures = images.reshape(-1, 28, 28)
    turned = [scipy.ndimage.rotate(p, degrees, order=1, reshape=False) for p in pictures]
    return np.reshape(turned, images.shape)


@pytest.mark.parametrize("degrees", [10, -10, 0, 3.7, 45, 90, -135, 180])
def test_rotate_agrees_with_scipy(digits, degrees):
    images = digits[0]
    grey_levels = rotate(images, degrees).astype(int) - turned_by_scipy(images, degrees)
    assert abs(grey_levels).max() <= 1
    exact = rotate(images.astype(float), degrees)
    assert abs(rotate(images, degrees) - exact).max() <= 0.501  # rounded, not cut off
    for dtype in (np.float32, np.float64):
        scaled = (images / 255).astype(dtype)
        expected = turned_by_scipy(scaled, degrees)
        assert np.allclose(rotate(scaled, degrees), expected, rtol=0, atol=1e-4)


def test_positive_angles_turn_anticlockwise():
    picture = np.zeros((28, 28), np.uint8)
    picture[13:15, 14:] = 255  # a bar from the middle to the right; row 0 is the top
    for degrees, expected in [(10, "up"), (-10, "down")]:
        turned = rotate(picture.reshape(1, -1), degrees).reshape(28, 28)
        right_end = turned[:, 24].astype(float)
        row = (right_end * np.arange(28)).sum() / right_end.sum()
        assert 1 < abs(row - 13.5) < 3  # 10.5 columns from the middle, times tan(10 degrees): 1.9
        assert ("up" if row < 13.5 else "down") == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 2, 2001])
def test_rotate_keeps_shape_type_and_what_comes_in(digits, dtype, count):
    images = np.tile(digits[0], (11, 1))[:count].astype(dtype)
    before = images.copy()
    turned = rotate(images, 10)
    assert turned.shape == images.shape
    assert turned.dtype == dtype
    assert np.array_equal(images, before)
    if count > 200:  # every image is turned, whatever stands beside it
        assert np.array_equal(turned[200:400], turned[:200])
        assert np.array_equal(turned[-1:], rotate(images[-1:], 10))


# --- Distortions ----------------------------------------------------------------------------------

STRONG = {"degrees": 60, "scale": 0.5, "shear": 0.5, "shift": 9}  # far over the edges


def mapped_by_scipy(images, matrices, shifts):
    centre = np.array([13.5, 13.5])
    pictures = [
        scipy.ndimage.affine_transform(
            image.reshape(28, 28).astype(float),
            matrix,
            offset=centre - matrix @ centre + shift,
            order=1,
            mode="grid-constant",
        )
        for image, matrix, shift in zip(images, matrices, shifts, strict=True)
    ]
    return np.reshape(pictures, images.shape)


@pytest.mark.parametrize("limits", [{}, nn.LOOK, STRONG])
def test_affine_agrees_with_scipy(digits, limits):
    images, maps = digits[0], random_affine(np.random.default_rng(1), 200, **limits)
    expected = mapped_by_scipy(images, *maps)
    assert abs(expected - images).max() > 100  # something happened
    assert abs(affine(images, *maps) - expected).max() <= 0.51  # rounded, not cut off
    for dtype in (np.float32, np.float64):
        found = affine((images / 255).astype(dtype), *maps)
        assert found.dtype == dtype
        assert np.allclose(found, expected / 255, rtol=0, atol=1e-4)


def test_one_map_serves_all_images(digits):
    matrices, shifts = random_affine(np.random.default_rng(1), 1)
    one = affine(digits[0], matrices[0], shifts[0])
    each = affine(digits[0], np.repeat(matrices, 200, axis=0), np.repeat(shifts, 200, axis=0))
    assert np.array_equal(one, each)


def test_affine_looks_up_where_each_pixel_comes_from():
    picture = np.zeros((28, 28), np.uint8)
    picture[10, 20] = 200
    moved = affine(picture.reshape(1, -1), np.eye(2), (3, -2)).reshape(28, 28)
    assert moved[7, 22] == 200 and moved.sum() == 200  # what is there was 3 down, 2 to the left
    with pytest.raises(ValueError, match="expected square pictures"):
        affine(np.zeros((2, 783)), np.eye(2), (0, 0))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("count", [0, 1, 2, 200, 201])
def test_affine_keeps_shape_type_and_what_comes_in(digits, dtype, count):
    images = np.tile(digits[0], (2, 1))[:count].astype(dtype)
    before, maps = images.copy(), random_affine(np.random.default_rng(1), 201)
    found = affine(images, maps[0][:count], maps[1][:count])
    assert found.shape == images.shape and found.dtype == dtype
    assert np.array_equal(images, before)
    for i in range(0, count, 50):  # each image is mapped, whatever stands beside it
        assert np.array_equal(found[i], affine(images[i], maps[0][i], maps[1][i])[0])


def test_random_maps_keep_to_their_limits_and_reach_them():
    none = {"degrees": 0, "scale": 0, "shear": 0, "shift": 0}

    def maps(**limits):
        return random_affine(np.random.default_rng(0), 2000, **none | limits)

    matrices, shifts = maps()
    assert np.array_equal(matrices, np.broadcast_to(np.eye(2), (2000, 2, 2)))
    assert not shifts.any()
    spans = {
        "degrees": (12, lambda m, t: np.rad2deg(np.arctan2(m[:, 1, 0], m[:, 0, 0]))),
        "scale": (0.12, lambda m, t: m[:, [0, 1], [0, 1]] - 1),
        "shear": (0.15, lambda m, t: m[:, 1, 0]),
        "shift": (1.2, lambda m, t: t),
    }
    for name, (limit, amounts) in spans.items():
        found = amounts(*maps(**{name: limit}))
        assert -limit <= found.min() < -0.98 * limit and 0.98 * limit < found.max() <= limit
        assert abs(found.mean()) < 0.05 * limit
    assert np.allclose(np.linalg.det(maps(degrees=12)[0]), 1, atol=1e-6)  # turned, not grown


def test_distort_changes_each_digit_in_a_way_of_its_own(digits):
    same_digit = np.repeat(digits[0][:1], 50, axis=0)
    distorted = distort(same_digit, np.random.default_rng(0))
    assert len(np.unique(distorted, axis=0)) == 50
    assert np.array_equal(distorted, distort(same_digit, np.random.default_rng(0)))
    assert not np.array_equal(distorted, distort(same_digit, np.random.default_rng(1)))
    ink = distorted.sum(axis=1) / same_digit.sum(axis=1)
    assert ink.min() > 0.7 and ink.max() < 1.4  # still the digit, (1 +- 0.12)^2 of its area
    assert distort(digits[0][0], np.random.default_rng(0)).shape == (1, 784)
    none = {"degrees": 0, "scale": 0, "shear": 0, "shift": 0}
    assert np.array_equal(distort(digits[0], np.random.default_rng(0), **none), digits[0])


def test_training_shows_what_augment_makes_anew_in_each_epoch(digits):
    made = []

    def augment(images, rng):
        made.append(distort(images, rng))
        return made[-1]

    net = small()
    seen = batches_of(net)
    history = net.train(
        *digits, epochs=2, batch_size=None, rotations=(), augment=augment, progress=False
    )
    assert len(made) == 2 and not np.array_equal(*made)
    for (x, _), images in zip(seen, made, strict=True):
        assert np.array_equal(x, net.as_input(images))
    assert history[-1]["accuracy"] == net.accuracy(*digits)  # of the digits as they are
    again = small()
    again.train(*digits, epochs=2, batch_size=None, rotations=(), augment=distort, progress=False)
    assert same(net, again)


def test_augment_must_keep_the_shape_of_the_images(digits):
    for augment in (
        lambda images, rng: images[:9],
        lambda images, rng: images / 255,  # no longer bytes
        lambda images, rng: None,  # forgot to return them
    ):
        with pytest.raises(ValueError, match=r"augment: expected \(200, 784\) of uint8 back, got"):
            small().train(*digits, rotations=(), augment=augment, progress=False)


def test_more_looks_average_what_reaches_the_outputs(trained, digits):
    images, labels = digits
    maps = random_affine(np.random.default_rng(0), 3, **nn.LOOK)
    copies = [affine(images, matrix, shift) for matrix, shift in zip(*maps, strict=True)]
    logits = [np.log(a / (1 - a)) for a in map(trained.outputs, copies)]
    assert np.allclose(
        trained.outputs(images, looks=3), nn.sigmoid(np.mean(logits, axis=0)), atol=1e-5
    )
    assert np.array_equal(trained.outputs(images, looks=1), trained.outputs(images))
    predicted = trained.predict(images, looks=3)
    assert np.array_equal(predicted, trained.outputs(images, looks=3).argmax(axis=1))
    assert trained.accuracy(images, labels, looks=3) == (predicted == labels).mean()


def test_looks_at_one_image_do_not_depend_on_the_others(digits):
    net = small(output="softmax", loss="cross-entropy", biases=True)
    net.train(*digits, rotations=(), learning_rate=0.3, progress=False)
    together = net.outputs(digits[0], looks=8)
    assert np.allclose(together.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(net.outputs(digits[0][77], looks=8), together[77], atol=1e-6)
    assert np.array_equal(net.outputs(digits[0], looks=8), together)


def test_looks_average_the_logarithms_of_a_softmax(digits):
    net, images = small(output="softmax", loss="cross-entropy", biases=True), digits[0]
    net.biases[1][:] = np.arange(10)
    maps = random_affine(np.random.default_rng(0), 3, **nn.LOOK)
    copies = [affine(images, matrix, shift) for matrix, shift in zip(*maps, strict=True)]
    expected = np.exp(np.mean([np.log(net.forward(copy)[-1]) for copy in copies], axis=0))
    expected /= expected.sum(axis=1, keepdims=True)
    found = net.outputs(images, looks=np.int64(3))
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)


def test_sparse_rows_are_no_pictures_to_look_at_twice():
    rows = scipy.sparse.csr_array(np.eye(3, 784))
    with pytest.raises(ValueError, match="sparse rows are no pictures"):
        small().predict(rows, looks=2)
    with pytest.raises(ValueError, match="sparse rows are no pictures"):
        distort(rows, np.random.default_rng(0))


@pytest.mark.parametrize("looks", [0, -1, 1.5, "3"])
def test_looks_are_counted_in_whole_numbers(looks):
    with pytest.raises(ValueError, match="looks: expected a whole number from 1"):
        small().predict(ZEROS, looks=looks)


# --- Running backwards ----------------------------------------------------------------------------


def test_backquery_goes_the_books_steps(trained):
    def logit(a):
        return np.log(a / (1 - a))

    def rescaled(signals):  # each image by itself
        signals = signals - signals.min()
        return signals / signals.max() * 0.98 + 0.01

    for digit in range(10):
        targets = np.full(10, 0.01)
        targets[digit] = 0.99
        hidden = rescaled(np.dot(trained.weights[1].astype(float), logit(targets)))  # (100,)
        image = rescaled(np.dot(trained.weights[0].astype(float), logit(hidden)))  # (784,)
        assert np.allclose(trained.backquery(digit), [image], atol=1e-4)


def test_backquery_takes_biases_away():
    """With as many nodes as inputs and weights that only pass on, it is the inverse, rescaled."""
    net = NeuralNetwork((3, 3), biases=True, initial=lambda rng, shape: np.eye(3), dtype=np.float64)
    net.biases[0][:] = [3, -2, 1]
    image = np.array([[0.3, -0.4, 0.8]])
    expected = 0.01 + 0.98 * (image + 0.4) / 1.2
    assert np.allclose(net.backquery(net.outputs(image)), expected)


def test_backquery_takes_a_digit_several_and_targets(trained):
    all_ten = trained.backquery(np.arange(10))
    assert all_ten.shape == (10, 784)
    assert all_ten.min(axis=1) == pytest.approx(np.full(10, 0.01))
    assert all_ten.max(axis=1) == pytest.approx(np.full(10, 0.99))
    assert np.allclose(trained.backquery(3), all_ten[3:4], atol=1e-5)
    assert np.allclose(trained.backquery(trained.as_targets([3, 5])), all_ten[[3, 5]], atol=1e-5)
    half = np.full((1, 10), 0.01)
    half[0, [4, 9]] = 0.5
    assert trained.backquery(half).shape == (1, 784)


@pytest.mark.parametrize("loss, output", nn.LOSSES)
@pytest.mark.parametrize("hidden", nn.ACTIVATIONS)
@pytest.mark.parametrize("biases", [False, True])
def test_backquery_stays_finite_for_every_network(loss, output, hidden, biases):
    net = small(loss=loss, output=output, hidden=hidden, biases=biases)
    images = net.backquery(np.arange(10))
    assert images.shape == (10, 784)
    assert images.min() >= 0.0099
    assert images.max() <= 0.9901


def test_imagined_digits_are_recognised(trained):
    images = trained.imagine(np.arange(10))
    assert images.shape == (10, 784)
    assert images.dtype == np.float32
    assert images.min() >= np.float32(0.01)
    assert images.max() <= np.float32(0.99)
    assert (trained.predict(images) == np.arange(10)).all()


def test_imagine_shows_every_step_and_is_deterministic(trained):
    film = []
    image = trained.imagine(3, steps=7, callback=lambda *frame: film.append(frame))
    assert [step for step, _ in film] == list(range(1, 8))
    assert all(images.shape == (1, 784) for _, images in film)
    assert not np.array_equal(film[0][1], film[-1][1])
    assert np.array_equal(image, trained.imagine(3, steps=7))


def test_imagined_digits_stand_at_the_distance_asked_for(trained):
    directions = trained.canvas()[1:]
    for distance in (3, 7):
        film = {}
        trained.imagine(
            [0, 3], distance=distance, callback=lambda k, x, film=film: film.update({k: x})
        )
        amounts = np.linalg.lstsq(directions.T, (film[200] - trained.canvas()[0]).T, rcond=None)[0]
        assert np.linalg.norm(amounts, axis=0) == pytest.approx(
            distance, rel=0.25
        )  # but for clipping


@pytest.mark.parametrize(
    "knob", [{"steps": -1}, {"jiggle": -1}, {"distance": -1}, {"learning_rate": 0}]
)
def test_imagine_refuses_knobs_out_of_range(trained, knob):
    with pytest.raises(ValueError, match="expected a learning_rate above 0"):
        trained.imagine(3, **knob)


def test_imagine_does_not_mix_its_pictures(trained):
    together = trained.imagine([3, 8], steps=10)
    assert np.allclose(together[:1], trained.imagine(3, steps=10), atol=1e-3)
    assert np.allclose(together[1:], trained.imagine(8, steps=10), atol=1e-3)


def test_running_backwards_leaves_the_network_as_it_was(digits):
    net = small(loss="squared error")
    net.train(*digits, epochs=1, progress=False)
    before = copied(net)
    net.imagine(3, steps=2)
    net.backquery(3)
    assert all(map(np.array_equal, before, copied(net)))
    assert net.loss_name == "squared error"


@pytest.mark.parametrize("loss, output", nn.LOSSES)
def test_imagine_works_for_every_output(loss, output, digits):
    net = small(loss=loss, output=output, biases=True)
    net.train(*digits, epochs=1, learning_rate=0.1, progress=False)
    images = net.imagine([0, 9], steps=3)
    assert images.shape == (2, 784)
    assert np.isfinite(images).all()


def test_running_backwards_refuses_what_has_no_node(trained):
    for verb in (trained.backquery, trained.imagine):
        with pytest.raises(ValueError, match="labels: expected 0 to 9, got 10 to 10"):
            verb(10)
    with pytest.raises(ValueError, match="train it on pictures first"):
        small().imagine(1)


def test_the_canvas_is_the_mean_and_the_principal_components_of_the_pixels(trained, sample):
    x = trained.as_input(sample[0].images[::4]).astype(np.float64)  # the 1,000 that train looks at
    mean, directions = trained.canvas()[0], trained.canvas()[1:]
    assert directions.shape == (80, 784)
    assert np.allclose(mean, x.mean(axis=0), atol=1e-5)
    lengths = np.linalg.norm(directions, axis=1)
    assert np.allclose(lengths**2, np.linalg.eigvalsh(np.cov(x.T))[::-1][:80], rtol=1e-3)
    assert np.allclose(
        ((x - x.mean(axis=0)) @ directions[:5].T).std(axis=0, ddof=1), lengths[:5] ** 2, rtol=1e-3
    )


def test_digits_imagined_from_a_saved_network_are_the_same(trained, tmp_path):
    trained.save(tmp_path / "digits.npz")
    loaded = NeuralNetwork.load(tmp_path / "digits.npz")
    assert np.array_equal(loaded.imagine(3, steps=5), trained.imagine(3, steps=5))


def test_the_canvas_is_that_of_the_last_training(digits):
    images, labels = digits
    net = small()
    net.train(images, labels, epochs=1, progress=False)
    before = net.canvas()
    images[:] = 255 - images  # the network keeps a copy: what its user does later is his own
    assert np.array_equal(net.canvas(), before)
    net.train(images, labels, epochs=1, progress=False)
    assert not np.allclose(net.canvas()[0], before[0])


def test_a_network_trained_on_one_picture_can_be_saved(digits, tmp_path):
    net = small()
    net.train(digits[0][:1], digits[1][:1], epochs=1, progress=False)
    net.save(tmp_path / "one.npz")
    assert NeuralNetwork.load(tmp_path / "one.npz").canvas() is None


def test_labels_that_do_not_fit_the_rows_are_refused(digits):
    net, (images, labels) = small(), digits
    for ask in (net.loss, net.backprop, net.input_gradient):
        with pytest.raises(ValueError, match="expected 5 labels, one a row, got 1"):
            ask(images[:5], 3)
        with pytest.raises(ValueError, match="expected labels or rows of 10 targets"):
            ask(images[:1], np.full(10, 0.01))
    assert net.loss(images[:5], labels[:5].astype(float)) == net.loss(images[:5], labels[:5])


def test_trainings_in_two_threads_give_back_all_threads_to_blas(digits):
    before = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    knobs = {"rotations": (), "progress": False}
    threads = [
        threading.Thread(target=small().train, args=digits, kwargs={"epochs": n} | knobs)
        for n in (3, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert after == before


def test_data_other_than_pictures_gets_no_canvas():
    net = NeuralNetwork((784, 2))
    net.train(
        np.random.default_rng(0).random((20, 784)), np.arange(20) % 2, progress=False, rotations=()
    )
    assert net.canvas() is None


# --- Save and load --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layers, options",
    [
        ((784, 12, 10), {}),
        ((784, 12, 10), {"biases": True, "dtype": np.float64}),
        ((784, 10), {"output": "softmax", "loss": "cross-entropy"}),
        ((784, 9, 8, 10), {"hidden": "relu", "loss": "cross-entropy", "biases": True}),
    ],
)
def test_load_gives_back_what_was_saved(tmp_path, digits, layers, options):
    net, path = NeuralNetwork(layers, **options), tmp_path / "digits.npz"
    net.train(*digits, epochs=2, learning_rate=0.1, progress=False)
    net.save(path)
    loaded = NeuralNetwork.load(path)
    assert same(net, loaded)
    names = ("layers", "hidden", "output", "loss_name", "dtype", "epoch")
    assert all(getattr(loaded, name) == getattr(net, name) for name in names)
    assert all(w.dtype == net.dtype for w in loaded.weights + loaded.biases)
    assert np.array_equal(loaded.outputs(digits[0]), net.outputs(digits[0]))
    loaded.train(*digits, epochs=1, progress=False)
    assert loaded.epoch == 3
    assert [file.name for file in tmp_path.iterdir()] == ["digits.npz"]


def test_save_and_load_take_a_string_and_replace(tmp_path):
    path = str(tmp_path / "net")
    for seed in (1, 2):
        small(seed).save(path)
        assert same(NeuralNetwork.load(path), small(seed))
    assert os.listdir(tmp_path) == ["net"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("function", ["np.savez", "os.replace", "os.fsync"])
def test_an_exception_while_saving_leaves_the_old_file(tmp_path, monkeypatch, error, function):
    path = tmp_path / "digits.npz"
    small(1).save(path)

    def failing(*args, **arrays):
        if function == "np.savez":
            args[0].write(b"half a file")
        raise error

    monkeypatch.setattr(f"nn.{function}", failing)
    with pytest.raises(type(error)):
        small(2).save(path)
    assert same(NeuralNetwork.load(path), small(1))
    assert os.listdir(tmp_path) == ["digits.npz"]


KILLED = """
import os, signal, sys
import nn

def half(file, **arrays):
    file.write(b"PK half a file")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

nn.np.savez = half
nn.NeuralNetwork((784, 12, 10), seed=2).save(sys.argv[1])
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_process_killed_while_saving_leaves_the_old_file(tmp_path):
    path = tmp_path / "digits.npz"
    small(1).save(path)
    before = path.read_bytes()
    child = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert same(NeuralNetwork.load(path), small(1))


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        NeuralNetwork.load(tmp_path / "nothing.npz")


def refused(path, match="is no network that NeuralNetwork.save wrote"):
    """load says so and names the file."""
    with pytest.raises(ValueError, match=match) as caught:
        NeuralNetwork.load(path)
    assert str(path) in str(caught.value)
    return True


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "digits.npz"
    NeuralNetwork((4, 3, 2), biases=True).save(path)
    return path


def test_a_truncated_file_is_refused(saved):
    content = saved.read_bytes()
    for length in [*range(0, len(content), 37), *range(len(content) - 40, len(content))]:
        saved.write_bytes(content[:length])
        assert refused(saved)


def test_a_file_with_a_changed_byte_is_refused_or_the_same_network(saved):
    content, net = saved.read_bytes(), NeuralNetwork.load(saved)
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 0xFF
        saved.write_bytes(changed)
        try:
            loaded = NeuralNetwork.load(saved)
        except ValueError as error:
            assert str(saved) in str(error)
        else:
            assert same(loaded, net)


@pytest.mark.parametrize(
    "content",
    [b"", b"label,1x1,1x2\n5,0,0\n", np.random.default_rng(0).bytes(5000), b"PK\x03\x04" * 50],
    ids=["empty", "text", "random", "almost zip"],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, content):
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    assert refused(path)


class Hostile:
    """Unpickling it makes a file."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def test_code_in_a_file_is_never_run(tmp_path, saved):
    mark, path = tmp_path / "code was run", tmp_path / "hostile.npz"
    hostile = np.array([Hostile(mark)], dtype=object)
    path.write_bytes(pickle.dumps(Hostile(mark)))
    assert refused(path)
    with open(path, "wb") as file:
        np.save(file, hostile, allow_pickle=True)
    assert refused(path)
    for name in ("options", "weights_0", "biases_1", "extra"):
        np.savez(path, **(parts(saved) | {name: hostile}))
        assert refused(path)
    assert not mark.exists()
    np.load(path, allow_pickle=True)["extra"]  # whereas this runs it: the file is hostile
    assert mark.exists()


def parts(path):
    with np.load(path) as archive:
        return dict(archive)


def options(path):
    return json.loads(str(parts(path)["options"]))


def matrix(*shape, dtype=np.float32, fill=0.5):
    return np.full(shape, fill, dtype)


@pytest.mark.parametrize(
    "changes",
    [
        {"extra": matrix(2)},
        {"weights_2": matrix(2, 2)},
        {"weights_x": matrix(2, 2)},
        {"weights_0": matrix(4, 4)},
        {"weights_0": matrix(4)},
        {"weights_0": matrix(4, 3, 1)},
        {"weights_0": matrix(0, 3)},
        {"weights_0": matrix()},
        {"weights_1": matrix(2, 3)},
        {"biases_0": matrix(4)},
        {"biases_0": matrix(1, 3)},
        {"biases_0": matrix(1)},
        {"weights_0": matrix(4, 3, dtype=np.int64)},
        {"weights_0": matrix(4, 3, dtype=np.float64)},
        {"weights_0": matrix(4, 3, dtype=np.float16)},
        {"weights_0": matrix(4, 3, dtype=complex)},
        {"weights_0": matrix(4, 3, dtype=">f4")},
        {"weights_0": np.full((4, 3), "code")},
        {"biases_0": matrix(3, dtype=bool)},
        {"weights_0": matrix(4, 3, fill=np.nan)},
        {"weights_1": matrix(3, 2, fill=np.inf)},
        {"biases_1": matrix(2, fill=-np.inf)},
        {"options": "{}"},
        {"options": "[]"},
        {"options": "5"},
        {"options": "{'hidden'"},
        {"options": "[" * 100_000},
        {"options": matrix(3)},
        {"options": np.array(["{}", "{}"])},
    ],
    ids=str,
)
def test_a_file_with_anything_unexpected_is_refused(saved, changes):
    np.savez(saved, **(parts(saved) | changes))
    assert refused(saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": "__import__('os')"},
        {"hidden": None},
        {"hidden": ["sigmoid"]},
        {"hidden": {"sigmoid": 1}},
        {"output": 7},
        {"output": "relu", "loss": "cross-entropy"},
        {"loss": "hinge"},
        {"epoch": "many"},
        {"epoch": None},
        {"epoch": [1]},
        {"epoch": float("nan")},
        {"epoch": float("inf")},
    ],
    ids=str,
)
def test_a_file_with_an_unknown_option_is_refused(saved, changes):
    np.savez(saved, **(parts(saved) | {"options": json.dumps(options(saved) | changes)}))
    assert refused(saved)


@pytest.mark.parametrize("missing", ["options", "weights_0", "weights_1", "biases_0", "biases_1"])
def test_a_file_in_which_something_is_missing_is_refused(saved, missing):
    arrays = parts(saved)
    del arrays[missing]
    np.savez(saved, **arrays)
    assert refused(saved)


def test_a_file_in_which_an_option_is_missing_is_refused(saved):
    arrays, found = parts(saved), options(saved)
    for missing in found:
        fewer = {name: value for name, value in found.items() if name != missing}
        np.savez(saved, **(arrays | {"options": json.dumps(fewer)}))
        assert refused(saved, missing)


def npy_header(shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return header.getvalue()


@pytest.mark.parametrize("shape", [(10**7, 10**7), (10**5, 10**5), (2**63, 2**63), (-1, 3)])
def test_an_array_that_claims_to_be_huge_is_refused(saved, shape):
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("weights_2.npy", npy_header(shape) + b"\0" * 100)
    assert refused(saved)


def test_a_file_that_would_unpack_to_gigabytes_is_refused_at_once(saved):
    content = bytearray(saved.read_bytes())
    entry = content.index(b"PK\x01\x02")  # in the zip's directory; its field 24 is the size
    content[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
    saved.write_bytes(content)
    assert refused(saved, "unpacks to more than 1,000,000,000 bytes")


def test_a_small_file_cannot_ask_for_a_large_network(saved):
    arrays = {"weights_0": matrix(1, 3000), "weights_1": matrix(1, 3000)}  # no (3000, 3000)
    asked = json.dumps(options(saved) | {"layers": [1, 3000, 3000], "biases": False})
    np.savez(saved, options=asked, **arrays)
    tracemalloc.start()
    assert refused(saved, "shape")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


# --- The module -----------------------------------------------------------------------------------


def test_importing_nn_is_light():
    heavy = "{'pandas', 'matplotlib', 'sklearn', 'torch', 'mnist'}"
    code = f"import sys, nn; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_defaults_are_the_documented_recipe():
    net = NeuralNetwork()
    assert net.layers == (784, 100, 10)
    assert sum(w.size for w in net.weights) == 79_400
    assert net.biases == []
    assert (net.hidden, net.output, net.loss_name) == ("sigmoid", "sigmoid", "squared error")
    for weights, inputs in zip(net.weights, (784, 100), strict=True):
        assert weights.dtype == np.float32
        assert weights.mean() == pytest.approx(0, abs=4 * inputs**-0.5 / weights.size**0.5)
        assert weights.std() == pytest.approx(inputs**-0.5, rel=0.1)
    knobs = inspect.signature(net.train).parameters
    recipe = {"epochs": 10, "rotations": (10, -10), "batch_size": 32, "momentum": 0}
    assert {name: knobs[name].default for name in recipe} == recipe


def test_uniform_weights_fill_their_range():
    weights = small(initial=uniform(-0.5, 0.25)).weights[0]
    assert weights.min() == pytest.approx(-0.5, abs=0.01)
    assert weights.max() == pytest.approx(0.25, abs=0.01)
