"""signs.py: a trained network learns what one draws for it, and does not forget the rest."""

import copy

import numpy as np
import pytest
from conftest import copied, same

import mnist
import signs
from nn import NeuralNetwork
from nonsense import by_hand
from storage import load, save

FLAGGED = "02-20-24"  # a 1 with a long flag
STAR, HEART = "04-20-44-01-41-04", "24-02-00-10-21-30-40-42-24"


@pytest.fixture(scope="module")
def known(sample):
    return sample[0].images, sample[0].labels


def drawn(seed, *shapes, each=10):
    return by_hand(np.random.default_rng(seed), np.repeat(shapes, each))


@pytest.fixture(scope="module")
def starred(trained, known):
    """The sample's network with two signs of ten drawings each."""
    return signs.teach(trained, drawn(0, STAR, HEART), np.repeat([10, 11], 10), known)


def test_a_flagged_1_is_learned_from_a_few_drawings(trained, known, sample):
    further = drawn(1, FLAGGED, each=200)
    assert np.mean(trained.predict(further) == 1) < 0.1, "most are a 7 to it"
    taught = signs.teach(trained, drawn(0, FLAGGED, each=3), [1] * 3, known)
    assert np.mean(taught.predict(further) == 1) > 0.75
    accuracy = [net.accuracy(*sample[1][:2]) for net in (trained, taught)]
    assert accuracy[1] > accuracy[0] - 0.01
    assert taught.layers == trained.layers


def test_two_new_signs_of_ten_drawings_each(trained, starred, sample):
    assert starred.layers == (784, 100, 12)
    right = starred.predict(drawn(1, STAR, HEART, each=100)) == np.repeat([10, 11], 100)
    assert right.mean() >= 0.95
    accuracy = [net.accuracy(*sample[1][:2]) for net in (trained, starred)]
    assert accuracy[1] > accuracy[0] - 0.01


def test_without_known_digits_it_forgets(trained, sample):
    """What the share of known digits is for."""
    only = drawn(0, STAR, HEART), np.repeat([10, 11], 10)
    taught = signs.teach(trained, *only, only)
    assert taught.accuracy(*sample[1][:2]) < 0.7


def test_the_network_stays_as_it_is_and_the_same_again_is_the_same(trained, known):
    before = copied(trained), trained.layers, list(trained.history)
    state = copy.deepcopy(trained.rng.bit_generator.state)
    both = [signs.teach(trained, drawn(0, STAR), [10] * 10, known, seed=3) for _ in range(2)]
    assert same(*both)
    assert all(map(np.array_equal, before[0], copied(trained)))
    assert before[1:] == (trained.layers, trained.history)
    assert state == trained.rng.bit_generator.state


@pytest.mark.parametrize(
    "options",
    [
        {"hidden": "relu", "output": "softmax", "loss": "cross-entropy", "biases": True},
        {"output": "relu", "dtype": np.float64},
    ],
)
def test_other_networks_grow_too(known, options):
    net = NeuralNetwork((784, 30, 10), **options)
    net.train(*known, epochs=1, progress=False)
    taught = signs.teach(net, drawn(0, STAR, each=2), [10, 10], known)
    assert taught.weights[-1].shape == (30, 11) and taught.weights[-1].dtype == net.dtype
    assert [len(biases) for biases in taught.biases] == ([30, 11] if net.biases else [])


def test_it_can_be_watched_and_ended(trained, known):
    class Enough(Exception):
        pass

    def watch(net):
        shapes.append(net.weights[-1].shape)
        if len(shapes) == 3:
            raise Enough

    shapes = []
    with pytest.raises(Enough):
        signs.teach(trained, drawn(0, STAR), [10] * 10, known, each_step=watch)
    assert shapes == [(100, 11)] * 3


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([11] * 10, "0 to 9, and new signs from 10, none left out"),
        ([10] * 5 + [12] * 5, "none left out"),
        ([-1] * 10, "labels: expected 0 to"),
        ([1] * 9, "one label an image"),
        (["star"] * 10, "whole numbers"),
        (np.eye(10), "whole numbers"),
    ],
)
def test_labels_that_name_no_output_are_refused(trained, known, labels, said):
    with pytest.raises(ValueError, match=said):
        signs.teach(trained, drawn(0, STAR), labels, known)


@pytest.mark.parametrize(
    "wrong",
    [{"seed": 1.5}, {"seed": "x"}, {"each_step": 3}, {"known": 7}, {"images": "star"}],
)
def test_what_cannot_be_is_named(trained, known, wrong):
    right = {"images": drawn(0, STAR, each=2), "labels": [10, 10], "known": known}
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: expected"):
        signs.teach(trained, **(right | wrong))


def test_drawings_are_kept_in_mnists_format(starred, tmp_path):
    path = tmp_path / "mine.csv"
    images, labels = drawn(2, FLAGGED, STAR, HEART, each=2), np.repeat([1, 10, 11], 2)
    names = ["a star, mine", "♥ 50 %"]
    signs.keep(path, images, labels, names)
    found = signs.load(path)
    assert np.array_equal(found[0], images) and np.array_equal(found[1], labels)
    assert found[2] == names
    read = mnist.read(path)
    assert np.array_equal(read.images, images) and np.array_equal(read.labels, labels)
    save(starred, tmp_path / "net.npz")
    assert load(tmp_path / "net.npz").layers == (784, 100, 12)


def test_names_that_a_file_lacks_are_numbers(tmp_path):
    path = tmp_path / "mine.csv"
    signs.keep(path, drawn(0, STAR, each=2), [10, 12], ["star"])
    assert signs.load(path)[2] == ["star", "11", "12"]
    signs.keep(path, drawn(0, FLAGGED, each=2), [1, 1])
    assert signs.load(path)[2] == []


def test_only_signs_may_have_labels_above_9(tmp_path):
    path = tmp_path / "mine.csv"
    signs.keep(path, drawn(0, STAR, each=2), [10, 10])
    path.write_text(path.read_text().replace("sign", "label", 1))
    with pytest.raises(ValueError, match="line 2: the label is 10"):
        signs.load(path)
