"""What is said to a wrong input, and what to one that is allowed but will hardly learn."""

import inspect
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from conftest import TOY, WHOLE_BATCH, XOR, copied, same, small

import checks
from nn import NeuralNetwork, rotate, uniform
from optimisers import nesterov

ZEROS = np.zeros((4, 784), np.uint8)
LABELS = np.array([0, 1, 2, 3])
TEXTS = np.full((4, 784), "0")
OBJECTS = np.full((4, 784), None)

# --- Building -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        ({"layers": (784,)}, "layers: expected two or more whole numbers above 0"),
        ({"layers": (784, 0, 10)}, "layers: expected"),
        ({"layers": (784, 2.5, 10)}, "layers: expected"),
        ({"layers": (784, True, 10)}, "layers: expected"),
        ({"layers": 784}, "layers: expected"),
        ({"layers": "784"}, "layers: expected"),
        ({"layers": None}, "layers: expected"),
        ({"hidden": "tanh"}, r"hidden: expected one of \['sigmoid', 'relu', 'softmax'\]"),
        ({"hidden": None}, "hidden: expected one of"),
        ({"hidden": ["sigmoid"]}, "hidden: expected one of"),
        ({"output": "tanh"}, r"\(loss, output\): expected one of"),
        ({"loss": "hinge"}, r"\(loss, output\): expected one of"),
        ({"loss": "cross-entropy", "output": "relu"}, r"\(loss, output\): expected one of"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NeuralNetwork(**options)


@pytest.mark.parametrize("layers", [[784, 12, 10], np.array([784, 12, 10])], ids=["list", "array"])
def test_layers_may_be_a_list_or_an_array(layers):
    net = NeuralNetwork(layers)
    assert net.layers == (784, 12, 10)
    assert all(type(nodes) is int for nodes in net.layers)


# --- Images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["predict", "forward", "outputs"])
@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((2, 783)), r"images: expected rows of 784 inputs.*, got .*shape \(2, 783\)"),
        (np.zeros((2, 28, 28)), "expected rows of 784 inputs"),
        (np.full((2, 784), 255), "look like pixels: pass them as bytes"),
        (np.full((2, 784), 2, np.int8), "look like pixels: pass them as bytes"),
        (TEXTS, "images: expected rows of 784 inputs, numbers"),
        (OBJECTS, "images: expected rows of 784 inputs, numbers"),
        (np.zeros((2, 784), complex), "images: expected rows of 784 inputs, numbers"),
        (scipy.sparse.csr_array((2, 784)), "images: expected rows of 784 inputs, numbers"),
    ],
)
def test_images_that_do_not_fit_are_refused(verb, images, message):
    with pytest.raises(ValueError, match=message):
        getattr(small(), verb)(images)


@pytest.mark.parametrize("verb", ["train", "accuracy", "measure", "loss"])
@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((4, 783)), LABELS, "expected rows of 784 inputs"),
        (np.full((4, 784), np.nan), LABELS, "images: expected finite numbers"),
        (np.full((4, 784), np.inf), LABELS, "images: expected finite numbers"),
        (np.full((4, 784), 255), LABELS, "pass them as bytes"),
        (ZEROS[:0], LABELS[:0], "expected one label an image, got 0 images"),
        (TEXTS, LABELS, "images: expected rows of 784 inputs, numbers"),
        (OBJECTS, LABELS, "images: expected rows of 784 inputs, numbers"),
        (
            pd.DataFrame(ZEROS).assign(name="x"),
            LABELS,
            "images: expected rows of 784 inputs, numbers",
        ),
        (scipy.sparse.csr_array(ZEROS), LABELS, "images: expected rows of 784 inputs, numbers"),
    ],
)
def test_examples_that_do_not_fit_are_refused(verb, images, labels, message):
    net = small()
    with pytest.raises(ValueError, match=message):
        getattr(net, verb)(images, labels)
    assert same(net, small())


def test_turning_rows_that_are_no_pictures_is_refused():
    with pytest.raises(ValueError, match="expected square pictures.*rotations=()"):
        NeuralNetwork((3, 1)).train(TOY, XOR)
    with pytest.raises(ValueError, match="expected square pictures"):
        rotate(np.zeros((2, 783)), 10)


# --- Labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["train", "accuracy", "measure", "loss"])
@pytest.mark.parametrize(
    "labels, message",
    [
        ([0, 1, 2, 10], "labels: expected 0 to 9, got 0 to 10"),
        ([-1, 1, 2, 3], "labels: expected 0 to 9, got -1 to 3"),
        (["0", "1", "2", "10"], "labels: expected 0 to 9, got 0 to 10"),
        (
            np.zeros((4, 9)),
            r"labels: expected whole numbers or rows of 10 targets.* shape \(4, 9\)",
        ),
        ([0.5, 1.0], "labels: expected whole numbers or rows of 10 targets"),
        (np.zeros((4, 2, 10)), "labels: expected whole numbers or rows of 10 targets"),
        ([0, 1, 2], "expected one label an image, got 4 images and 3 labels"),
        ([0, 1, 2, np.nan], "labels: expected whole numbers or rows of 10 targets"),
        ([0, 1, 2, np.inf], "labels: expected whole numbers or rows of 10 targets"),
        (["0", "1", "2", "nan"], "labels: expected whole numbers or rows of 10 targets"),
        (
            np.array([0, 1, 2, np.nan], object),
            "labels: expected whole numbers or rows of 10 targets",
        ),
        (np.full((4, 10), np.nan), "labels: expected whole numbers or rows of 10 targets"),
        ([0, 1, 2, None], "labels: expected whole numbers or rows of 10 targets"),
        (["cat", "dog", "2", "3"], "labels: expected whole numbers or rows of 10 targets"),
        (
            pd.Series([0, 1, 2, pd.NA], dtype="Int64"),
            "labels",
        ),
        (["0.5", "1", "2", "3"], "labels: expected whole numbers or rows of 10 targets"),
        (np.zeros(4, complex), "labels: expected whole numbers or rows of 10 targets"),
        (np.zeros(4, "datetime64[s]"), "labels: expected whole numbers or rows of 10 targets"),
        (None, "labels: expected whole numbers or rows of 10 targets"),
    ],
)
def test_labels_that_do_not_fit_are_refused(verb, labels, message):
    net = small()
    before = copied(net)
    with pytest.raises(ValueError, match=message):
        getattr(net, verb)(ZEROS, labels)
    assert all(map(np.array_equal, before, copied(net)))


@pytest.mark.parametrize(
    "labels",
    [
        ["7", "0", "3"],
        np.array(["7", "0", "3"]),
        np.array([b"7", b"0", b"3"]),
        np.array(["7", "0", "3"], object),
        np.array([7, 0, 3], object),
        ["7.0", "0", " 3"],
        [7.0, 0.0, 3.0],
        pd.Series(["7", "0", "3"]),
        pd.Series(["7", "0", "3"], dtype="category"),
        pd.Categorical(["7", "0", "3"]),
        pd.Series([7, 0, 3], dtype="category"),
        pd.Series([7, 0, 3], dtype="Int64"),
        pd.Series([7, 0, 3], index=[5, 5, 9]),
    ],
    ids=lambda labels: f"{type(labels).__name__} {getattr(labels, 'dtype', '')}",
)
def test_labels_as_text_and_as_pandas_has_them_are_taken(labels):
    net = NeuralNetwork((784, 10))
    assert np.array_equal(net.as_targets(labels), net.as_targets([7, 0, 3]))
    other = NeuralNetwork((784, 10))
    images = np.random.default_rng(0).integers(0, 256, (3, 784)).astype(np.uint8)
    knobs = {"epochs": 1, "rotations": (), "progress": False}
    net.train(images, labels, validation=(images, labels), **knobs)
    other.train(images, [7, 0, 3], **knobs)
    assert same(net, other)
    assert net.accuracy(images, labels) == net.accuracy(images, [7, 0, 3])


def test_softmax_targets_must_add_up_to_1():
    net = NeuralNetwork((2, 2), output="softmax", loss="cross-entropy")
    for targets in ([[0.01, 0.9]], [[0, 0]], [[2, 0]]):
        with pytest.raises(ValueError, match="softmax outputs add up to 1"):
            net.as_targets(targets)
    with pytest.raises(ValueError, match="all finite"):
        net.as_targets([[np.nan, 1]])
    assert net.as_targets([[0.25, 0.75]]).tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize("verb", ["loss", "backprop", "input_gradient"])
def test_labels_that_are_not_one_a_row_are_refused(verb, digits):
    ask, (images, labels) = getattr(small(), verb), digits
    expected = "expected one label an image" if verb == "loss" else "expected 5 labels, one a row"
    with pytest.raises(ValueError, match=expected):
        ask(images[:5], 3)
    with pytest.raises(ValueError, match=expected):
        ask(images[:5], labels[:4])
    with pytest.raises(ValueError, match="labels: expected whole numbers or rows of 10 targets"):
        ask(images[:1], np.full(10, 0.01))


def test_whole_numbers_may_be_floats(digits):
    net, (images, labels) = small(), digits
    assert net.loss(images[:5], labels[:5].astype(float)) == net.loss(images[:5], labels[:5])


# --- Knobs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "knob, message",
    [
        ({"epochs": -1}, "epochs: expected a whole number from 0, got -1"),
        ({"epochs": 2.5}, "epochs: expected a whole number from 0, got 2.5"),
        ({"epochs": True}, "epochs: expected a whole number from 0, got True"),
        ({"learning_rate": 0}, "learning_rate: expected a number above 0, a function or None"),
        ({"learning_rate": -1}, "learning_rate: expected a number above 0"),
        ({"learning_rate": np.nan}, "learning_rate: expected a number above 0"),
        ({"learning_rate": np.inf}, "learning_rate: expected a number above 0"),
        ({"learning_rate": "0.1"}, "learning_rate: expected a number above 0"),
        ({"batch_size": -1}, "batch_size: expected a whole number from 1, or None, got -1"),
        ({"batch_size": 0}, "batch_size: expected a whole number from 1"),
        ({"batch_size": 2.5}, "batch_size: expected a whole number from 1"),
        ({"rotations": (np.nan,)}, "rotations: expected degrees such as"),
        ({"rotations": (np.inf, 10)}, "rotations: expected degrees such as"),
        ({"rotations": "10"}, "rotations: expected degrees such as"),
        ({"augment": 3}, "augment: expected a function or None, got 3"),
        ({"descend": "adam"}, "descend: expected a function, got 'adam'"),
        ({"descend": None}, "descend: expected a function, got None"),
        ({"callback": []}, "callback: expected a function or None"),
        ({"each_step": "x"}, "each_step: expected a function or None"),
    ],
    ids=str,
)
def test_knobs_out_of_range_are_refused(knob, message):
    net = small()
    with pytest.raises(ValueError, match=message):
        net.train(ZEROS, LABELS, **knob)
    assert same(net, small())


@pytest.mark.parametrize(
    "knob, message",
    [
        ({"rotations": 10}, r"rotations: expected degrees such as \(10, -10\), got 10"),
        ({"validation": 0.1}, r"validation: expected \(images, labels\), got 0.1"),
        ({"validation": (ZEROS,)}, r"validation: expected \(images, labels\)"),
        ({"validation": (ZEROS, LABELS[:2])}, "expected one label an image"),
        ({"validation": (ZEROS, ["cat"] * 4)}, "labels: expected whole numbers"),
        ({"validation": (ZEROS[:, :9], LABELS)}, "expected rows of 784 inputs"),
    ],
    ids=lambda value: f"{value!r:.30}",
)
def test_knobs_of_another_kind_are_refused(knob, message):
    net = small()
    with pytest.raises(ValueError, match=message):
        net.train(ZEROS, LABELS, progress=False, **knob)
    assert same(net, small())


@pytest.mark.parametrize("rotations", [None, (), [], (5,), [5, -5]], ids=str)
def test_rotations_may_be_none_or_any_number(digits, rotations):
    seen = []

    def augment(images, rng):
        seen.append(len(images))
        return images

    small().train(*digits, epochs=1, rotations=rotations, augment=augment, progress=False)
    assert seen == [200 * (1 + len(rotations or ()))]


# --- Warnings -------------------------------------------------------------------------------------


def told(train, *args, **knobs):
    """What is said during a training, and that it names the line that called train."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        here = inspect.currentframe().f_lineno + 1
        train(*args, progress=False, **knobs)
    assert {(warning.filename, warning.lineno) for warning in caught} <= {(__file__, here)}
    return [str(warning.message) for warning in caught]


def test_float_pixels_beyond_1_are_warned_of(digits):
    images, labels = digits
    for pixels in (images.astype(float), images.astype(np.float32), images / 100):
        (said,) = told(small().train, pixels, labels, epochs=2, learning_rate=1e-6)
        assert "learns well from 0.01 to 1.00" in said
        assert "astype(np.uint8)" in said and "scale them" in said
        assert f"up to {pixels.max():g}" in said


def test_bytes_that_are_all_0_or_1_are_warned_of(digits):
    images, labels = digits
    for pixels in ((images > 127).astype(np.uint8), np.ones((200, 784), np.uint8)):
        (said,) = told(small().train, pixels, labels, epochs=2, learning_rate=1e-6)[:1]
        assert "all 0 or 1" in said and "images * 255" in said


def test_one_answer_to_all_images_is_warned_of_once(digits):
    net = small(hidden="relu", output="softmax", loss="cross-entropy")
    (said,) = told(net.train, *digits, epochs=5, learning_rate=100)
    assert "same answer to all images" in said and "rate a third as large" in said
    assert len(np.unique(net.predict(digits[0]))) == 1


def test_images_that_are_all_alike_are_warned_of(digits):
    (said,) = told(small().train, np.tile(digits[0][:1], (200, 1)), digits[1], epochs=2)
    assert "look whether the images are all alike" in said


def test_each_of_two_faults_is_named_once(digits):
    net = small(hidden="relu", output="softmax", loss="cross-entropy")
    pixels, answers = told(net.train, digits[0].astype(float), digits[1], learning_rate=10)
    assert "pixels up to" in pixels
    assert "same answer" in answers


def test_nothing_is_said_where_nothing_is_wrong(digits, sample):
    images, labels = digits
    standardised = (images - images.mean()) / images.std()  # beyond 1, but also below 0
    for pixels in (
        images,
        (images > 127).astype(float),
        images > 127,
        (images > 127).astype(int),
        images / 255,
        images / 255 * 0.99 + 0.01,
        standardised,
    ):
        assert told(small().train, pixels, labels, epochs=2, learning_rate=0.5) == []
    assert told(small().train, images, labels) == []
    assert told(NeuralNetwork().train, sample[0].images, sample[0].labels, epochs=1) == []


def test_nothing_is_said_of_toys():
    for layers in ((3, 1), (3, 4, 1)):
        for seed in range(5):
            for initial in (uniform(0, 1), uniform(-1, 1)):
                net = NeuralNetwork(layers, initial=initial, seed=seed, dtype=np.float64)
                assert told(net.train, TOY, XOR, epochs=3, batch_size=None, rotations=()) == []
    rows = np.array([[3.0, 200.0], [1.0, 100.0], [9.0, 20.0]])  # no picture: a table of measures
    assert (
        told(NeuralNetwork((2, 2)).train, rows, [0, 1, 1], rotations=(), learning_rate=0.01) == []
    )


def all_zeros(rng, shape):
    """Initial weights with which all images get the same answer."""
    return np.zeros(shape)


def test_nothing_is_said_where_one_answer_is_right(digits):
    images, knobs = digits[0], {"epochs": 2, "learning_rate": 1e-6}
    assert told(small(initial=all_zeros).train, images, np.full(200, 3), **knobs) == []
    assert told(small(initial=all_zeros).train, images[:1], [3], **knobs) == []
    assert len(told(small(initial=all_zeros).train, *digits, **knobs)) == 1


def test_nothing_is_said_before_the_first_epoch_is_over(digits):
    net = NeuralNetwork((784, 10), initial=all_zeros)
    rates = {"learning_rate": lambda done: 0.5 if done > 0.5 else 0, "epochs": 1}
    assert told(net.train, *digits, **rates) == []


def test_who_listens_hears_it_instead(digits):
    """As a panel, whose training is in a thread of its own."""
    heard = []

    def train():
        checks.listener.set(heard.append)
        small().train(digits[0].astype(float), digits[1], epochs=1, progress=False)

    with warnings.catch_warnings(record=True) as elsewhere:
        warnings.simplefilter("always")
        thread = threading.Thread(target=train)
        thread.start()
        thread.join()
    assert [message for message in heard if "pixels up to 255" in message]
    assert elsewhere == []
    assert checks.listener.get() is None  # nobody listens in another thread
    assert told(small().train, digits[0].astype(float), digits[1], epochs=1)


def test_whole_batches_are_watched_too(digits):
    with pytest.warns(UserWarning, match="same answer"):
        small(hidden="relu").train(*digits, epochs=2, learning_rate=1e4, **WHOLE_BATCH)


def test_bytes_that_are_hardly_above_0_are_warned_of(digits):
    """As scikit-learn's digits have them, 0 to 16."""
    (said,) = told(small().train, digits[0] // 16, digits[1], epochs=1, learning_rate=1e-6)[:1]
    assert "all from 0 to 15" in said and "images * 17" in said


def test_numbers_far_from_1_are_warned_of(digits):
    rows = (digits[0] - 33.0) * 1000
    (said,) = told(small().train, rows, digits[1], epochs=1, learning_rate=1e-9)[:1]
    assert "numbers from -33000 to" in said and "Scale them" in said


@pytest.mark.parametrize(
    "size, rotations, warned", [(201, (), 1), (600, (9, -9), 0), (601, (9, -9), 1)]
)
def test_batches_larger_than_the_data_are_warned_of(digits, size, rotations, warned):
    said = told(small().train, *digits, epochs=1, batch_size=size, rotations=rotations)
    assert len([text for text in said if "batch_size" in text]) == warned
    assert "batch_size" not in str(told(small().train, digits[0][:5], digits[1][:5], epochs=1))


def test_a_large_decay_is_warned_of():
    with pytest.warns(UserWarning, match="a decay of 0.5 shrinks weights") as caught:
        nesterov(0.9, 0.5)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nesterov(0.9, 0.01)


@pytest.mark.parametrize(
    "output, low, high", [("sigmoid", -1, 1), ("sigmoid", 0, 255), ("relu", -1, 1)]
)
def test_targets_that_no_output_reaches_are_refused(digits, output, low, high):
    targets = low + (high - low) * np.eye(10)[digits[1]]
    with pytest.raises(ValueError, match=f"targets from 0 .* {output} are, got {low} to {high}"):
        small(output=output).train(digits[0], targets, progress=False)


def test_numbers_in_which_sums_overflow_are_refused(digits):
    for images in (digits[0] * 1e30, -digits[0] * 1e300, digits[0] * np.nan):
        for verb in ("predict", "outputs"):
            with pytest.raises(ValueError, match="images: expected finite numbers"):
                getattr(small(), verb)(images)
    with pytest.raises(ValueError, match="whole numbers beyond -1..1"):
        small().predict(np.full((1, 784), -2))
