"""Dreams: many digits, no two alike, and what a newborn learns from them."""

import numpy as np
import pytest
from conftest import central_differences, copied, relative_error, small
from scipy.spatial.distance import pdist

import dreams
from dreams import as_bytes, dream, surest, taught_with
from imagine import canvas_of, imagine
from nn import NeuralNetwork


def test_dreams_are_what_they_are_asked_for_and_no_two_alike(trained):
    digits = np.repeat(np.arange(10), 6)
    written = dream(trained, digits, steps=25)
    assert written.images.shape == (60, 784)
    assert written.places.shape == written.moves.shape == (60, 48, 2)
    assert written.images.min() >= 0.01 and written.images.max() <= 1
    begun = dream(trained, digits, steps=1)
    assert (trained.predict(written.images) == digits).mean() > 0.8
    assert sure(trained, written.images, digits) > sure(trained, begun.images, digits) + 0.1
    assert pdist(written.images).min() > 0.5


def test_on_a_canvas_they_are_drawn_towards_what_is_imagined(trained, sample, monkeypatch):
    canvas, digits = canvas_of(sample[0].images), np.repeat(np.arange(10), 3)
    imagined = imagine(trained, digits, canvas, jiggle=3)
    monkeypatch.setattr(dreams, "PULL", 3)
    monkeypatch.setattr(dreams, "distort", lambda images, rng: images)
    free, drawn = (dream(trained, digits, on).images for on in (None, canvas))
    near, far = (np.linalg.norm(x - imagined, axis=1).mean() for x in (drawn, free))
    assert near < 0.95 * far
    with pytest.raises(ValueError, match="a canvas of 784 pixels does not fit 400 inputs"):
        dream(NeuralNetwork((400, 5, 10)), [1], canvas)


def test_the_slope_of_the_likeness_is_exact():
    rng = np.random.default_rng(0)
    curve = dreams.pen.Curve(*(np.stack([part]).astype(float) for part in dreams.pen.spline((12,))))
    points, like = rng.uniform(8, 20, (1, 12, 2)), rng.random((1, 28, 28))

    def loss():
        places, moves = curve.along @ points, curve.moves @ points
        return ((dreams.pen.drawn(places, moves, 1.5 * dreams.pen.WIDTH)[0] - like) ** 2).sum() / 2

    measured = central_differences(loss, points, 1e-5)
    assert relative_error(dreams.likeness(points, curve, like), measured) < 1e-6


def sure(net, images, digits):
    return net.outputs(images)[np.arange(len(digits)), digits].mean()


def test_a_seed_is_a_dream_and_the_network_stays_as_it_was(trained):
    before = copied(trained)
    one, again, other = (dream(trained, [3, 4], steps=3, seed=seed).images for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.allclose(one, other)
    assert all(map(np.array_equal, before, copied(trained)))


def test_targets_may_be_shares_and_batches_do_not_matter_to_the_count(trained, monkeypatch):
    monkeypatch.setattr(dreams, "TOGETHER", 4)
    halves = np.full((6, 10), 0.01)
    halves[:, [4, 9]] = 0.5
    assert dream(trained, halves, steps=2).images.shape == (6, 784)


def test_each_target_gets_a_scribble_that_the_network_takes_for_it(trained):
    rows = trained.as_targets(np.repeat(np.arange(10), 5))
    points, curve = dreams.dealt(trained, rows, np.random.default_rng(0), 28)
    assert len({one.tobytes() for one in points}) == 50
    images = dreams.pen.ink(curve.along @ points, curve.moves @ points)
    fitting = (trained.predict(images) == rows.argmax(axis=1)).mean()
    assert fitting > 0.3  # a tenth, were they dealt out by chance


def test_the_pictures_to_teach_with_are_what_the_hand_drew(trained):
    drawn = []
    digits = np.random.default_rng(2).integers(0, 10, 3)
    dream(trained, digits, steps=8, seed=2, callback=lambda step, x: drawn.append(as_bytes(x)))
    assert len(drawn) == 8
    images = taught_with(trained, 8, steps=8, seed=2)  # 3 paths, 3 steps after the first five
    assert images.dtype == np.uint8
    assert np.array_equal(images, np.concatenate(drawn[dreams.ASLEEP :])[:8])


def test_bytes_come_back_as_they_were():
    rows = np.arange(784, dtype=int).reshape(1, 784) % 256
    assert np.array_equal(as_bytes(NeuralNetwork().as_input(rows.astype(np.uint8))), rows)


def test_a_newborn_learns_from_dreams_what_it_never_saw(trained, sample):
    images, (_, test) = taught_with(trained, 3000), sample
    net = NeuralNetwork((784, 30, 10), seed=1)
    net.train(images, trained.predict(images), epochs=6, rotations=(), progress=False)
    assert net.accuracy(test.images, test.labels) > 0.7  # a tenth by guessing


def test_the_surest_of_each_digit_are_kept_in_order(trained, sample):
    images, labels = sample[1].images[:200], sample[1].labels[:200]
    kept, digits = surest(trained, images, labels, 3)
    assert digits.tolist() == np.repeat(np.arange(10), 3).tolist()
    says = dreams.look(trained, images, 16)[np.arange(200), labels]
    for digit in range(10):
        best = images[labels == digit][np.argsort(-says[labels == digit])[:3]]
        assert np.array_equal(kept[digits == digit], best)


def test_other_networks_dream_too(digits):
    net = small(output="softmax", loss="cross-entropy", biases=True)
    net.train(*digits, epochs=1, learning_rate=0.1, progress=False)
    assert np.isfinite(dream(net, [0, 9], steps=2).images).all()
    assert dream(NeuralNetwork((400, 5, 10)), [1], steps=2).images.shape == (1, 400)


@pytest.mark.parametrize(
    "asked, message",
    [
        (lambda net: dream(net, [3], steps=0), "steps: expected"),
        (lambda net: dream(net, [10]), "labels: expected 0 to 9"),
        (lambda net: taught_with(net, 0), "count: expected"),
        (lambda net: taught_with(net, 5, steps=5), "steps: expected"),
    ],
)
def test_what_cannot_be_dreamt_is_refused(trained, asked, message):
    with pytest.raises(ValueError, match=message):
        asked(trained)


def test_of_two_that_are_nearly_the_same_one_is_kept(trained, sample):
    images = trained.as_input(sample[1].images[:6])
    digits = np.full(8, 3)
    twice = np.concatenate([images, images[:2] + 0.001])
    kept, _ = surest(trained, twice, digits, 8)
    assert len(kept) == 6
