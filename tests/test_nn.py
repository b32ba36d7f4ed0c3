"""What nn.py must do. Each gradient is checked twice: by central differences and by PyTorch."""

import ast
import inspect
import io
import pickle
import subprocess
import sys
import tokenize

import numpy as np
import pandas as pd
import pytest
import scipy.ndimage
from conftest import (
    ROOT,
    TOY,
    WHOLE_BATCH,
    XOR,
    batches_of,
    copied,
    exact_slopes,
    measured_slopes,
    network_x_targets,
    relative_error,
    same,
    small,
)

import nn
from activations import ACTIVATIONS, LOSSES
from nn import NeuralNetwork, rotate, uniform
from optimisers import nesterov, plain

# --- Gradients ------------------------------------------------------------------------------------

ALL_NETWORKS = [
    pytest.param(layers, hidden, output, loss, biases)
    for layers in [(6, 3), (6, 5, 3), (6, 5, 4, 3)]
    for hidden in ACTIVATIONS
    for loss, output in LOSSES
    for biases in (False, True)
]


@pytest.mark.parametrize("layers, hidden, output, loss, biases", ALL_NETWORKS)
def test_gradients_agree_with_central_differences(layers, hidden, output, loss, biases):
    options = {"hidden": hidden, "output": output, "loss": loss, "biases": biases}
    found = network_x_targets(layers, **options)
    for exact, measured in zip(exact_slopes(*found), measured_slopes(*found), strict=True):
        assert relative_error(exact, measured) < 1e-6


@pytest.mark.parametrize("layers, hidden, output, loss, biases", ALL_NETWORKS)
def test_gradients_agree_with_pytorch(layers, hidden, output, loss, biases):
    torch = pytest.importorskip("torch")
    options = {"hidden": hidden, "output": output, "loss": loss, "biases": biases}
    net, x, targets = network_x_targets(layers, **options)
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
    for exact, peer in zip(
        exact_slopes(net, x, targets), [*weights, *offsets, inputs], strict=True
    ):
        assert relative_error(exact, peer.grad.numpy()) < 1e-12


def test_backprop_multiplies_the_gradients_by_scale(digits):
    net = small(biases=True, dtype=np.float64)
    for plain_ones, scaled in zip(
        net.backprop(*digits), net.backprop(*digits, scale=3), strict=True
    ):
        for one, three in zip(plain_ones, scaled, strict=True):
            assert np.allclose(3 * one, three, rtol=1e-12, atol=0)


def test_deltas_are_the_slopes_by_z(digits):
    """Moving a bias moves z of all rows: its slope is the sum of theirs."""
    net, x = small(biases=True, dtype=np.float64), digits[0][:5]
    deltas = net.deltas(net.forward(x), digits[1][:5])
    assert [delta.shape for delta in deltas] == [(5, 12), (5, 10)]
    _, by_biases = net.backprop(x, digits[1][:5])
    for delta, slope in zip(deltas, by_biases, strict=True):
        assert np.allclose(delta.sum(axis=0), slope, rtol=1e-12)


def test_forward_gives_the_activations_of_all_layers(digits):
    net = NeuralNetwork((784, 12, 11, 10), biases=True)
    activations = net.forward(digits[0][:7])
    assert [a.shape for a in activations] == [(7, 784), (7, 12), (7, 11), (7, 10)]
    assert np.array_equal(activations[0], net.as_input(digits[0][:7]))
    assert np.array_equal(activations[-1], net.outputs(digits[0][:7]))


# --- Figures that must come out -------------------------------------------------------------------


def legacy_weights(seed):
    """2 * random - 1 from NumPy's old generator, as the tutorials have it."""
    random = np.random.RandomState(seed)
    return lambda rng, shape: 2 * random.random_sample(shape) - 1


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


# --- Building -------------------------------------------------------------------------------------


def test_defaults_are_the_documented_recipe():
    net = NeuralNetwork()
    assert net.layers == (784, 100, 10)
    assert sum(w.size for w in net.weights) == 79_400
    assert net.biases == []
    assert (net.hidden, net.output, net.loss_name) == ("sigmoid", "sigmoid", "squared error")
    assert (net.history, net.epoch) == ([], 0)
    for weights, inputs in zip(net.weights, (784, 100), strict=True):
        assert weights.dtype == np.float32
        assert weights.mean() == pytest.approx(0, abs=4 * inputs**-0.5 / weights.size**0.5)
        assert weights.std() == pytest.approx(inputs**-0.5, rel=0.1)
    knobs = inspect.signature(net.train).parameters
    recipe = {"epochs": 10, "learning_rate": None, "batch_size": 32, "rotations": (10, -10)}
    recipe |= {"augment": None, "descend": plain, "progress": True}
    assert {name: knobs[name].default for name in recipe} == recipe


def test_uniform_weights_fill_their_range():
    weights = small(initial=uniform(-0.5, 0.25)).weights[0]
    assert weights.min() == pytest.approx(-0.5, abs=0.01)
    assert weights.max() == pytest.approx(0.25, abs=0.01)


# --- What goes in and what should come out --------------------------------------------------------


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


# --- Asking ---------------------------------------------------------------------------------------


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


# --- Training -------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_weights_bit_for_bit(digits):
    nets = [small(seed, biases=True) for seed in (7, 7, 8)]
    for net in nets:
        net.train(*digits, epochs=2, progress=False)
    assert same(nets[0], nets[1])
    assert nets[0].history == nets[1].history
    assert not same(nets[0], nets[2])


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
        learning_rate=3.0,
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


def test_augment_makes_the_images_of_each_epoch_anew(digits):
    made = []

    def augment(images, rng):
        assert rng is net.rng
        made.append(rng.permuted(images, axis=1))
        return made[-1]

    net = small()
    seen = batches_of(net)
    history = net.train(*digits, epochs=2, augment=augment, **WHOLE_BATCH)
    assert len(made) == 2 and not np.array_equal(*made)
    for (x, _), images in zip(seen, made, strict=True):
        assert np.array_equal(x, net.as_input(images))
    assert history[-1]["accuracy"] == net.accuracy(*digits)  # of the digits as they are


@pytest.mark.parametrize("made", ["too few", "no longer bytes", "a list", "forgot to return them"])
def test_augment_must_keep_the_shape_and_type_of_the_images(digits, made):
    def augment(images, rng):
        return {
            "too few": images[:9],
            "no longer bytes": images / 255,
            "a list": images.tolist(),
            "forgot to return them": None,
        }[made]

    with pytest.raises(ValueError, match=r"augment: expected \(200, 784\) of uint8 back, got"):
        small().train(*digits, rotations=(), augment=augment, progress=False)


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


def test_validation_may_have_a_third(digits):
    """Images, labels and where they are from, as mnist.load hands them out."""
    net = small()
    net.train(*digits, epochs=1, validation=(*digits, "source"), progress=False)
    assert net.history[-1]["validation_accuracy"] == net.accuracy(*digits)


def test_training_leaves_the_examples_unchanged(digits):
    images, labels = digits[0].copy(), digits[1].copy()
    small().train(images, labels, epochs=1, progress=False)
    assert np.array_equal(images, digits[0])
    assert np.array_equal(labels, digits[1])


def test_no_epochs_change_nothing(digits):
    net = small()
    assert net.train(*digits, epochs=0, progress=False) == []
    assert same(net, small())


def test_training_keeps_no_pictures(digits):
    net = small()
    net.train(*digits, epochs=1, validation=digits, descend=nesterov(0.9), progress=False)
    weights = sum(w.nbytes for w in net.weights)
    assert len(pickle.dumps(vars(net))) < 2 * weights + 10_000  # weights, velocities, history


# --- Columns first, as a table of pandas keeps them -----------------------------------------------


def tables(images, labels):
    """The same images as they come from elsewhere, by how."""
    table = pd.DataFrame(np.column_stack([labels, images]))
    return {
        "asfortranarray": np.asfortranarray(images),
        "transposed": np.ascontiguousarray(images.T).T,
        "of a csv": table.iloc[:, 1:].to_numpy().astype(np.uint8),
        "every second of twice": np.repeat(images, 2, axis=0)[::2],
        "a DataFrame": pd.DataFrame(images),
        "columns of a DataFrame": table.astype(np.uint8).iloc[:, 1:],
    }


@pytest.mark.parametrize("how", tables(np.zeros((2, 2)), np.zeros(2)))
@pytest.mark.parametrize("rotations", [(), (10, -10)], ids=str)
def test_columns_first_trains_the_same_network(digits, how, rotations):
    images, labels = tables(*digits)[how], digits[1]
    by_rows, by_columns = small(biases=True), small(biases=True)
    knobs = {"epochs": 2, "rotations": rotations, "progress": False}
    by_rows.train(*digits, validation=digits, **knobs)
    by_columns.train(images, labels, validation=(images, labels), **knobs)
    assert same(by_rows, by_columns)
    assert by_rows.history == by_columns.history
    assert np.array_equal(by_rows.predict(digits[0]), by_rows.predict(images))
    assert np.allclose(by_rows.outputs(digits[0]), by_rows.outputs(images), atol=1e-6)
    assert by_rows.accuracy(*digits) == by_rows.accuracy(images, labels)


@pytest.mark.parametrize("how", tables(np.zeros((2, 2)), np.zeros(2)))
@pytest.mark.parametrize("rotations", [(), (10, -10)], ids=str)
def test_batches_are_taken_from_whole_rows(digits, how, rotations):
    """Gathered from columns, a batch takes twenty times as long."""
    seen = []

    def augment(images, rng):
        seen.append(images)
        return images

    images = tables(*digits)[how]
    small().train(images, digits[1], epochs=1, rotations=rotations, augment=augment, progress=False)
    assert seen[0].flags.c_contiguous


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


# --- The backward query ---------------------------------------------------------------------------


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


@pytest.mark.parametrize("loss, output", LOSSES)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
@pytest.mark.parametrize("biases", [False, True])
def test_backquery_stays_finite_for_every_network(loss, output, hidden, biases):
    net = small(loss=loss, output=output, hidden=hidden, biases=biases)
    images = net.backquery(np.arange(10))
    assert images.shape == (10, 784)
    assert images.min() >= 0.0099
    assert images.max() <= 0.9901


def test_backquery_leaves_the_network_as_it_was_and_refuses_what_has_no_node(digits):
    net = small(biases=True)
    net.train(*digits, epochs=1, progress=False)
    before = copied(net)
    net.backquery(3)
    assert all(map(np.array_equal, before, copied(net)))
    with pytest.raises(ValueError, match="labels: expected 0 to 9, got 10 to 10"):
        net.backquery(10)


# --- The file -------------------------------------------------------------------------------------

SOURCE = (ROOT / "nn.py").read_text(encoding="utf-8")


def docstrings(tree):
    """The lines of all docstrings."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            yield from range(node.body[0].lineno, node.body[0].end_lineno + 1)


def code_lines(source):
    """The lines that are more than blanks, comments and docstrings."""
    nothing = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in nothing | {tokenize.ENDMARKER}:
            found.update(range(token.start[0], token.end[0] + 1))
    return found - set(docstrings(ast.parse(source)))


SIX_LINES = '''"""Of a module,

on three lines."""

x = 1  # counts

# does not
def f():
    """Of a function."""
    return (
        """no
        docstring"""
    )
'''


def test_code_lines_are_counted_right():
    assert code_lines(SIX_LINES) == {5, 8, 10, 11, 12, 13}


def test_nn_is_short_enough_to_be_read_in_one_sitting():
    assert len(SOURCE.splitlines()) <= 300
    assert len(code_lines(SOURCE)) <= 175
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno + 1 <= 60, node.name
        assert not isinstance(node, ast.Raise), "what is said to a wrong input stands in checks.py"


ROOMS = {path.stem for path in ROOT.glob("*.py")} | {"panels", "lessons", "benchmarks"}
BESIDE_NN = {"activations": set(), "checks": set(), "machine": set()}
BESIDE_NN |= {"optimisers": {"checks"}, "progress": {"checks"}}
ON_NN = {"imagine": set(), "distortions": set(), "storage": {"files"}}
ON_NN["pen"] = {"imagine", "distortions"}


def imported_rooms(room):
    """Those of the repository's own modules that one of them imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / f"{room}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found & ROOMS


def test_arrows_point_one_way():
    assert {"nn", "mnist", "plots", *BESIDE_NN, *ON_NN} < ROOMS
    assert imported_rooms("nn") <= set(BESIDE_NN)
    for room, allowed in BESIDE_NN.items():
        assert imported_rooms(room) <= allowed, room
    for room, allowed in ON_NN.items():
        assert imported_rooms(room) <= {"nn", *BESIDE_NN, *allowed}, room
    assert not imported_rooms("files")


def test_importing_nn_is_light():
    heavy = {"pandas", "matplotlib", "sklearn", "torch", "IPython", "ipywidgets", "pooch"}
    heavy |= {"mnist", "plots", "panels", "classifier", "handwriting", "files", *ON_NN}
    code = f"import sys, nn; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
