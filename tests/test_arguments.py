"""Whatever stands in for one argument is taken, or refused in a sentence that names it."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from distortions import affine, distort, look, random_affine
from imagine import canvas_of, imagine
from nn import NeuralNetwork, rotate
from optimisers import nesterov
from pen import write
from storage import load, save

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 64)).astype(np.uint8)
LABELS = np.arange(6) % 3
NET = NeuralNetwork((64, 4, 3))
CANVAS = canvas_of(IMAGES)


def train(images, labels, **knobs):
    net = NeuralNetwork((64, 4, 3))
    defaults = {"epochs": 1, "rotations": (), "progress": False}
    net.train(images, labels, **(defaults | knobs))
    assert all(np.isfinite(weights).all() for weights in net.weights)


GENERATOR = np.random.default_rng(0)
TRAIN = {"images": IMAGES, "labels": LABELS}
CALLS = {  # function, valid arguments by name, and those of them that are tried with anything
    "NeuralNetwork": (NeuralNetwork, {"layers": (4, 3, 2)}, "layers biases initial seed dtype"),
    "activations": (NeuralNetwork, {"layers": (4, 3, 2)}, "hidden"),
    "train": (
        train,
        TRAIN,
        "images labels epochs learning_rate batch_size rotations augment descend validation "
        "callback each_step",
    ),
    "predict": (NET.predict, {"images": IMAGES}, "images"),
    "outputs": (NET.outputs, {"images": IMAGES}, "images"),
    "accuracy": (NET.accuracy, TRAIN, "images labels"),
    "backquery": (lambda labels: NET.backquery(labels), {}, "labels"),
    "rotate": (rotate, {"images": IMAGES, "degrees": 10}, "images degrees"),
    "affine": (
        affine,
        {"images": IMAGES, "matrices": np.eye(2), "shifts": (0, 0)},
        "images matrices shifts",
    ),
    "random_affine": (
        random_affine,
        {"rng": GENERATOR, "count": 2},
        "rng degrees scale shear shift",
    ),
    "distort": (distort, {"images": IMAGES, "rng": GENERATOR}, "images rng shift"),
    "look": (look, {"net": NET, "images": IMAGES, "looks": 2}, "images looks"),
    "canvas_of": (canvas_of, {"images": IMAGES}, "images"),
    "imagine": (
        imagine,
        {"net": NET, "targets": 1, "canvas": CANVAS, "steps": 1},
        "canvas steps learning_rate distance jiggle seed callback",
    ),
    "write": (
        write,
        {"net": NET, "targets": 1, "canvas": CANVAS, "starts": 1, "steps": 1},
        "canvas starts steps seed",
    ),
    "nesterov": (nesterov, {"momentum": 0.9}, "momentum decay"),
    "save": (save, {"net": NET, "path": "never.npz"}, "net"),
    "load": (load, {}, "path"),
}
NAMED = [(name, argument) for name, call in CALLS.items() for argument in call[2].split()]
SENTENCES = (  # that name it in another way
    "whole numbers beyond -1..1 look like pixels",
    "expected one label an image",
    "expected square pictures",
    "there is a NUL in its name",
    "the learning rate is too large",
)

few = st.integers(-3, 12)
reals = few | st.sampled_from([0.0, 0.5, 1e-9, 1e30, 1e300, np.nan, np.inf, -np.inf])
plain = st.none() | st.booleans() | reals | st.text(max_size=8) | st.binary(max_size=4)
kinds = st.sampled_from([bool, np.uint8, np.int8, int, np.float16, float, complex, "U2", "M8[s]"])
shapes = st.sampled_from([(), (0,), (2,), (6,), (64,), (2, 2), (6, 3), (6, 64), (6, 2, 2)])
odd = st.sampled_from(
    [
        object(),
        len,
        {},
        {"a": 1},
        np.ma.masked_array(IMAGES, IMAGES > 9),
        np.ma.masked_array(LABELS, LABELS > 1),
        np.matrix([[1.0, 2.0]]),
        scipy.sparse.csr_array(IMAGES),
        pd.DataFrame({"a": ["x", "y"]}),
        [[1], [1, 2]],
        [object()],
        IMAGES.astype(object),
    ]
)
anything = (
    plain
    | st.lists(plain, max_size=4)
    | st.lists(few, max_size=4).map(tuple)
    | st.builds(lambda kind, shape: np.ones(shape).astype(kind), kinds, shapes)
    | arrays(float, (6, 3), elements=st.sampled_from([0, 1, -1, 255, np.nan]))
    | odd
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, argument", NAMED, ids=map("-".join, NAMED))
@settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(value=anything)
def test_an_argument_is_taken_or_named(name, argument, value):
    function, valid, _ = CALLS[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(**(valid | {argument: value}))
    except FileNotFoundError:
        assert argument == "path"
    except (ValueError, TypeError, IsADirectoryError) as error:
        said = str(error)
        assert len(said) < 300 and said.isprintable()
        if callable(value) and argument != "path":
            return  # a function of another kind: what it says itself
        named = f"{argument}: expected" in said or "cannot be read" in said
        if argument == "validation":
            named |= said.startswith(("images: expected", "labels: expected"))
        assert named or any(sentence in said for sentence in SENTENCES), said
