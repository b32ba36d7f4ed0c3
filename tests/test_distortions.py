"""Digits turned, stretched, slanted and shifted, and the answers averaged over several of them."""

import numpy as np
import pytest
import scipy.ndimage
from conftest import WHOLE_BATCH, batches_of, same, small

from activations import sigmoid
from distortions import LOOK, affine, distort, look, random_affine
from nn import NeuralNetwork

STRONG = {"degrees": 60, "scale": 0.5, "shear": 0.5, "shift": 9}  # far over the edges
NONE = {"degrees": 0, "scale": 0, "shear": 0, "shift": 0}


def generator(seed=0):
    return np.random.default_rng(seed)


# --- Maps -----------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("limits", [{}, LOOK, STRONG], ids=["default", "look", "strong"])
def test_affine_agrees_with_scipy(digits, limits):
    images, maps = digits[0], random_affine(generator(1), 200, **limits)
    expected = mapped_by_scipy(images, *maps)
    assert abs(expected - images).max() > 100  # something happened
    assert abs(affine(images, *maps) - expected).max() <= 0.51  # rounded, not cut off
    for dtype in (np.float32, np.float64):
        found = affine((images / 255).astype(dtype), *maps)
        assert found.dtype == dtype
        assert np.allclose(found, expected / 255, rtol=0, atol=1e-4)


def test_one_map_serves_all_images(digits):
    matrices, shifts = random_affine(generator(1), 1)
    one = affine(digits[0], matrices[0], shifts[0])
    each = affine(digits[0], np.repeat(matrices, 200, axis=0), np.repeat(shifts, 200, axis=0))
    assert np.array_equal(one, each)


def test_affine_looks_up_where_each_pixel_comes_from():
    picture = np.zeros((28, 28), np.uint8)
    picture[10, 20] = 200
    moved = affine(picture.reshape(1, -1), np.eye(2), (3, -2)).reshape(28, 28)
    assert moved[7, 22] == 200 and moved.sum() == 200  # what is there was 3 down, 2 to the left


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("count", [0, 1, 2, 200, 201])
def test_affine_keeps_shape_type_and_what_comes_in(digits, dtype, count):
    images = np.tile(digits[0], (2, 1))[:count].astype(dtype)
    before, (matrices, shifts) = images.copy(), random_affine(generator(1), 201)
    found = affine(images, matrices[:count], shifts[:count])
    assert found.shape == images.shape and found.dtype == dtype
    assert np.array_equal(images, before)
    for i in range(0, count, 50):  # each image is mapped, whatever stands beside it
        assert np.array_equal(found[i], affine(images[i], matrices[i], shifts[i])[0])


def test_rows_that_are_no_pictures_are_refused():
    rows = np.zeros((2, 783))
    with pytest.raises(ValueError, match="expected square pictures"):
        affine(rows, np.eye(2), (0, 0))
    with pytest.raises(ValueError, match="expected square pictures"):
        distort(rows, generator())


def drawn(**limits):
    """2,000 maps with no other changes than these."""
    return random_affine(generator(), 2000, **NONE | limits)


def check_spread(amounts, limit):
    """They keep to their limit, and reach it on both sides."""
    assert -limit <= amounts.min() < -0.98 * limit
    assert 0.98 * limit < amounts.max() <= limit
    assert abs(amounts.mean()) < 0.05 * limit


def test_no_change_maps_each_place_to_itself():
    matrices, shifts = drawn()
    assert np.array_equal(matrices, np.broadcast_to(np.eye(2), (2000, 2, 2)))
    assert not shifts.any()


def test_degrees_turn_and_do_not_grow():
    matrices, shifts = drawn(degrees=12)
    check_spread(np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])), 12)
    assert np.allclose(np.linalg.det(matrices), 1, atol=1e-6)
    assert not shifts.any()


def test_scale_stretches_down_and_across_apart():
    down, across = drawn(scale=0.12)[0][:, [0, 1], [0, 1]].T - 1
    check_spread(down, 0.12)
    check_spread(across, 0.12)
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.1


def test_shear_leans_and_shift_moves():
    check_spread(drawn(shear=0.15)[0][:, 1, 0], 0.15)
    down, across = drawn(shift=1.2)[1].T
    check_spread(down, 1.2)
    check_spread(across, 1.2)


# --- Distorted digits -----------------------------------------------------------------------------


def test_distort_changes_each_digit_in_a_way_of_its_own(digits):
    same_digit = np.repeat(digits[0][:1], 50, axis=0)
    distorted = distort(same_digit, generator(0))
    assert len(np.unique(distorted, axis=0)) == 50
    assert np.array_equal(distorted, distort(same_digit, generator(0)))
    assert not np.array_equal(distorted, distort(same_digit, generator(1)))
    ink = distorted.sum(axis=1) / same_digit.sum(axis=1)
    assert ink.min() > 0.7 and ink.max() < 1.4  # still the digit, (1 +- 0.12)^2 of its area
    assert distort(digits[0][0], generator(0)).shape == (1, 784)
    assert np.array_equal(distort(digits[0], generator(0), **NONE), digits[0])


def test_training_shows_what_distort_makes_anew_in_each_epoch(digits):
    made = []

    def augment(images, rng):
        made.append(distort(images, rng))
        return made[-1]

    net, again = small(), small()
    seen = batches_of(net)
    net.train(*digits, epochs=2, augment=augment, **WHOLE_BATCH)
    assert len(made) == 2 and not np.array_equal(*made)
    for (x, _), images in zip(seen, made, strict=True):
        assert np.array_equal(x, net.as_input(images))
    again.train(*digits, epochs=2, augment=distort, **WHOLE_BATCH)
    assert same(net, again)


# --- More than one look ---------------------------------------------------------------------------


def copies_looked_at(images, looks):
    maps = random_affine(generator(0), looks, **LOOK)
    return [affine(images, matrix, shift) for matrix, shift in zip(*maps, strict=True)]


def test_looks_average_what_reaches_the_outputs(trained, digits):
    copies = copies_looked_at(digits[0], 3)
    logits = [np.log(a / (1 - a)) for a in map(trained.outputs, copies)]
    assert np.allclose(look(trained, digits[0], 3), sigmoid(np.mean(logits, axis=0)), atol=1e-5)


def test_one_look_is_the_networks_own_answer(trained, digits):
    assert np.array_equal(look(trained, digits[0], 1), trained.outputs(digits[0]))


def test_looks_average_the_logarithms_of_a_softmax(digits):
    net, images = small(output="softmax", loss="cross-entropy", biases=True), digits[0]
    net.biases[1][:] = np.arange(10)
    logarithms = [np.log(net.outputs(copy)) for copy in copies_looked_at(images, 3)]
    expected = np.exp(np.mean(logarithms, axis=0))
    expected /= expected.sum(axis=1, keepdims=True)
    found = look(net, images, np.int64(3))
    assert found.dtype == np.float32
    assert np.allclose(found, expected, atol=1e-5)


def test_looks_at_one_image_do_not_depend_on_the_others(digits):
    net = small(output="softmax", loss="cross-entropy", biases=True)
    net.train(*digits, rotations=(), learning_rate=0.3, progress=False)
    together = look(net, digits[0], 8)
    assert np.allclose(together.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(look(net, digits[0][77], 8), together[77], atol=1e-6)
    assert np.array_equal(look(net, digits[0], 8), together)


@pytest.mark.parametrize("looks", [0, -1, 1.5, "3", True, None])
def test_looks_are_counted_in_whole_numbers(looks, digits):
    with pytest.raises(ValueError, match="looks: expected a whole number from 1"):
        look(small(), digits[0], looks)


def test_only_pictures_can_be_looked_at_twice():
    net, rows = NeuralNetwork((3, 2)), np.eye(3)
    assert np.array_equal(look(net, rows, 1), net.outputs(rows))
    with pytest.raises(ValueError, match="expected square pictures"):
        look(net, rows, 2)
