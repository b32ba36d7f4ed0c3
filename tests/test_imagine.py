"""The canvas, and what a network takes for a digit."""

import numpy as np
import pytest
from conftest import blas_threads, copied, same, small

from activations import ACTIVATIONS, LOSSES
from imagine import Canvas, canvas_of, imagine
from machine import one_thread
from nn import NeuralNetwork
from storage import load, save


@pytest.fixture(scope="module")
def canvas(sample):
    return canvas_of(sample[0].images)


# --- The canvas -----------------------------------------------------------------------------------


def test_the_canvas_is_the_mean_and_the_principal_components_of_the_pixels(canvas, sample):
    x = NeuralNetwork().as_input(sample[0].images[::4]).astype(float)  # 1,000 of the 4,000
    assert canvas.mean.shape == (784,) and canvas.directions.shape == (80, 784)
    assert np.allclose(canvas.mean, x.mean(axis=0), atol=1e-5)
    lengths = np.linalg.norm(canvas.directions, axis=1)
    with one_thread():
        variances = np.linalg.eigvalsh(np.cov(x.T))[::-1]
    assert np.allclose(lengths**2, variances[:80], rtol=1e-3)
    along = (x - x.mean(axis=0)) @ canvas.directions[:5].T  # (1000, 5)
    assert np.allclose(along.std(axis=0, ddof=1), lengths[:5] ** 2, rtol=1e-3)


def test_the_directions_are_perpendicular(canvas):
    lengths = np.linalg.norm(canvas.directions, axis=1)
    products = canvas.directions @ canvas.directions.T / np.outer(lengths, lengths)
    assert np.allclose(products, np.eye(80), atol=1e-3)


def test_canvas_of_is_deterministic_and_leaves_the_images_alone(digits):
    images, before = digits[0], digits[0].copy()
    one, other = canvas_of(images), canvas_of(images)
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.directions, other.directions)
    assert np.array_equal(images, before)
    images[:] = 255 - images  # what one does with them later is no matter
    assert np.array_equal(one.mean, other.mean)
    assert not np.allclose(canvas_of(images).mean, one.mean)


def test_bytes_and_what_they_become_give_the_same_canvas(digits):
    one, other = canvas_of(digits[0]), canvas_of(small().as_input(digits[0]))
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.directions, other.directions)


def test_a_canvas_has_a_name_for_each_part(canvas):
    assert isinstance(canvas, Canvas)
    mean, directions = canvas
    assert mean is canvas.mean and directions is canvas.directions


def test_a_canvas_of_two_pictures_has_one_direction(digits):
    lengths = np.linalg.norm(canvas_of(digits[0][:2]).directions, axis=1)
    assert lengths[0] > 1 and (lengths[1:] < 1e-2).all()


def test_smaller_pictures_have_a_canvas_too():
    images = np.random.default_rng(0).integers(0, 256, (50, 64)).astype(np.uint8)
    canvas = canvas_of(images)
    assert canvas.mean.shape == (64,) and canvas.directions.shape == (64, 64)
    assert np.isfinite(canvas.directions).all()  # also where 50 pictures do not vary
    pictures = imagine(NeuralNetwork((64, 5, 10)), [1, 2], canvas, steps=3)
    assert pictures.shape == (2, 64)


@pytest.mark.parametrize(
    "images, message",
    [
        (np.zeros((0, 784), np.uint8), "expected two or more pictures"),
        (np.zeros((1, 784), np.uint8), "expected two or more pictures"),
        (np.zeros(784, np.uint8), "expected two or more pictures"),
        (np.zeros((5, 28, 28), np.uint8), "expected two or more pictures"),
        (np.zeros((20, 783)), "expected square pictures"),
        (np.zeros((20, 9)), "expected square pictures"),
        (np.full((20, 784), 255), "look like pixels: pass them as bytes"),
    ],
)
def test_what_are_no_pictures_makes_no_canvas(images, message):
    with pytest.raises(ValueError, match=message):
        canvas_of(images)


# --- Imagining ------------------------------------------------------------------------------------


def test_imagined_digits_are_recognised(trained, canvas):
    images = imagine(trained, np.arange(10), canvas)
    assert images.shape == (10, 784)
    assert images.dtype == np.float32
    assert images.min() >= np.float32(0.01)
    assert images.max() <= np.float32(0.99)
    assert (trained.predict(images) == np.arange(10)).all()


def test_imagine_shows_every_step_and_is_deterministic(trained, canvas):
    film = []

    def callback(step, images):
        film.append((step, images))

    image = imagine(trained, 3, canvas, steps=7, callback=callback)
    assert [step for step, _ in film] == list(range(1, 8))
    assert all(images.shape == (1, 784) for _, images in film)
    assert not np.array_equal(film[0][1], film[-1][1])
    assert np.array_equal(image, imagine(trained, 3, canvas, steps=7))
    assert not np.array_equal(image, imagine(trained, 3, canvas, steps=7, seed=1))


def test_it_begins_with_the_mean(trained, canvas):
    assert np.array_equal(imagine(trained, 3, canvas, steps=0), canvas.mean.clip(0.01, 0.99)[None])


@pytest.mark.parametrize("distance", [3, 7])
def test_imagined_digits_stand_at_the_distance_asked_for(trained, canvas, distance):
    film = {}

    def callback(step, images):
        film[step] = images

    imagine(trained, [0, 3], canvas, distance=distance, callback=callback)
    amounts = np.linalg.lstsq(canvas.directions.T, (film[200] - canvas.mean).T, rcond=None)[0]
    lengths = np.linalg.norm(amounts, axis=0)
    assert lengths == pytest.approx(distance, rel=0.25)  # but for clipping


@pytest.mark.parametrize(
    "knob", [{"steps": -1}, {"jiggle": -1}, {"distance": -1}, {"learning_rate": 0}], ids=str
)
def test_knobs_out_of_range_are_refused(trained, canvas, knob):
    (name,) = knob
    with pytest.raises(ValueError, match=f"{name}: expected a"):
        imagine(trained, 3, canvas, **knob)


@pytest.mark.parametrize("canvas", [None, np.zeros((81, 784)), "canvas"], ids=str)
def test_what_is_no_canvas_is_refused(trained, canvas):
    with pytest.raises(ValueError, match="expected a canvas, canvas_of"):
        imagine(trained, 3, canvas)


def test_a_canvas_of_another_size_is_refused(canvas):
    with pytest.raises(ValueError, match="a canvas of 784 pixels does not fit 64 inputs"):
        imagine(NeuralNetwork((64, 10)), 3, canvas)


def test_it_refuses_what_has_no_node(trained, canvas):
    with pytest.raises(ValueError, match="labels: expected 0 to 9, got 10 to 10"):
        imagine(trained, 10, canvas)


def test_it_does_not_mix_its_pictures(trained, canvas):
    together = imagine(trained, [3, 8], canvas, steps=10)
    assert np.allclose(together[:1], imagine(trained, 3, canvas, steps=10), atol=1e-3)
    assert np.allclose(together[1:], imagine(trained, 8, canvas, steps=10), atol=1e-3)


def test_it_leaves_the_network_and_the_canvas_as_they_were(digits):
    net, canvas = small(loss="squared error"), canvas_of(digits[0])
    net.train(*digits, epochs=1, progress=False)
    before, mean, directions = copied(net), canvas.mean.copy(), canvas.directions.copy()
    history, state = list(net.history), net.rng.bit_generator.state
    imagine(net, 3, canvas, steps=2)
    assert all(map(np.array_equal, before, copied(net)))
    assert np.array_equal(canvas.mean, mean) and np.array_equal(canvas.directions, directions)
    assert (net.loss_name, net.history, net.rng.bit_generator.state) == (
        "squared error",
        history,
        state,
    )


@pytest.mark.parametrize("loss, output", LOSSES)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_it_works_for_every_network(loss, output, hidden, digits):
    net = small(loss=loss, output=output, hidden=hidden, biases=True)
    net.train(*digits, epochs=1, learning_rate=0.1, progress=False)
    images = imagine(net, [0, 9], canvas_of(digits[0]), steps=3)
    assert images.shape == (2, 784)
    assert np.isfinite(images).all()


def test_a_network_imagines_in_its_own_type(digits):
    images = imagine(small(dtype=np.float64), 3, canvas_of(digits[0]), steps=3)
    assert images.shape == (1, 784) and np.isfinite(images).all()


# --- No secrets -----------------------------------------------------------------------------------


def test_a_trained_network_and_one_with_the_same_weights_imagine_the_same(
    trained, canvas, tmp_path
):
    save(trained, tmp_path / "digits.npz")
    loaded, by_hand = load(tmp_path / "digits.npz"), NeuralNetwork()
    for own, other in zip(by_hand.weights, trained.weights, strict=True):
        own[...] = other
    expected = imagine(trained, [3, 4], canvas, steps=5)
    assert np.array_equal(imagine(loaded, [3, 4], canvas, steps=5), expected)
    assert np.array_equal(imagine(by_hand, [3, 4], canvas, steps=5), expected)


def test_a_network_that_never_saw_a_picture_imagines_too(canvas):
    images = imagine(small(), 1, canvas, steps=5)
    assert images.shape == (1, 784)
    assert not np.array_equal(images, imagine(small(), 2, canvas, steps=5))


def test_an_interrupt_gives_the_threads_back(trained, canvas):
    def stop(step, images):
        raise KeyboardInterrupt

    before = blas_threads()
    with pytest.raises(KeyboardInterrupt):
        imagine(trained, 3, canvas, callback=stop)
    assert blas_threads() == before


def test_it_can_imagine_while_it_trains(digits):
    """As a panel does: the training goes on as if nothing had been asked."""
    alone, asked, canvas = small(), small(), canvas_of(digits[0])
    alone.train(*digits, epochs=1, progress=False)
    asked.train(
        *digits,
        epochs=1,
        callback=lambda measurement: imagine(asked, 3, canvas, steps=2),
        progress=False,
    )
    assert same(alone, asked)
