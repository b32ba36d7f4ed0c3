"""paper.py: squared and lined paper, tables, frames; read, or refused in words."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import handwriting
import mnist
import paper
import storage

SAMPLE = mnist.load_sample()[1]
CHOSEN = range(0, 1000, 143)  # seven digits that the shipped network knows


def shape(index, size):
    """A digit of MNIST, enlarged and sharp: (size, size), ink 0..1."""
    digit = Image.fromarray(SAMPLE.images[index].reshape(28, 28))
    digit = np.asarray(digit.resize((size, size), Image.Resampling.BICUBIC), float)
    return ((ndimage.gaussian_filter(digit, size / 120) - 110) / 35).clip(0, 1)


def written(index, height=900, width=1200, size=600, ink=60):
    grey = np.full((height, width), 225.0)
    down, across = (height - size) // 2, (width - size) // 3
    grey[down : down + size, across : across + size] -= (225 - ink) * shape(index, size)
    return grey


def lines(grey, step, strength, both, tilt):
    y, x = np.indices(grey.shape) - 300.0
    cos, sin = np.cos(np.deg2rad(tilt)), np.sin(np.deg2rad(tilt))
    on = (y * cos + x * sin) % step < 4
    if both:
        on |= (x * cos - y * sin) % step < 4
    return np.minimum(grey, np.where(on, 225 - 165 * strength, 255))


def table(grey, *margins):
    return np.pad(grey, margins, constant_values=70)


def turned_sheet(grey):
    return ndimage.rotate(table(grey, 150), 6, reshape=False, order=1, mode="nearest")


def frame(grey):
    grey[90:96, 150:1000] = grey[804:810, 150:1000] = 40
    grey[90:810, 150:156] = grey[90:810, 994:1000] = 40
    return grey


def axes(grey):
    grey[30:-30, 30:34] = grey[-34:-30, 30:-30] = 40
    return grey


PAPERS = {
    "plain": lambda grey: grey,
    "squared, pale": lambda grey: lines(grey, 80, 0.4, True, 1),
    "squared, dark": lambda grey: lines(grey, 80, 0.8, True, 0),
    "squared, as dark as the ink": lambda grey: lines(grey, 80, 1, True, 1),
    "lined": lambda grey: lines(grey, 128, 0.6, False, 1),
    "lined, as dark as the ink": lambda grey: lines(grey, 128, 1, False, 0),
    "on a table": lambda grey: table(grey, 150),
    "a table left and above": lambda grey: table(grey, (150, 0), (200, 0)),
    "on a table, turned": turned_sheet,
    "framed": frame,
    "axes": axes,
    "blurred": lambda grey: ndimage.gaussian_filter(grey[140:760, 180:820], 20),
}


@pytest.mark.parametrize("name", PAPERS)
def test_digits_are_read_on_all_papers(name):
    net, rng = storage.load("data/digits.npz"), np.random.default_rng(0)
    read = []
    for index in CHOSEN:
        grey = PAPERS[name](written(index))
        grey = (grey + rng.normal(0, 3, grey.shape)).clip(0, 255).astype(np.uint8)
        try:
            read.append(net.predict(handwriting.from_picture(grey))[0])
        except ValueError as error:  # in words that say what to do
            assert str(error).endswith(("around the digit.", "cut out one."))
            read.append(None)
    assert sum(np.equal(read, SAMPLE.labels[list(CHOSEN)])) >= len(CHOSEN) - 1, read


def test_a_bar_or_a_frame_alone_is_no_line():
    """A seven that is cut tight goes from border to border, but is no ruled paper."""
    mask = np.zeros((300, 200), bool)
    mask[:20] = mask[:, 90:110] = True
    assert not paper.ruled(mask).any()


def test_lines_are_told_from_strokes():
    mask = np.zeros((300, 400), bool)
    mask[::50] = True
    mask[110:190, 200:220] = True  # a stroke across two of them
    found = paper.ruled(mask)
    assert found[::50, :180].all() and not found[120:140].any()
    assert not found[150, 202:218].any()


def test_a_grid_that_is_not_told_apart_is_refused():
    rng = np.random.default_rng(0)
    grey = lines(written(0), 60, 1, True, 20) + rng.normal(0, 3, (900, 1200))
    with pytest.raises(ValueError, match="told from the digit. Write on plain paper"):
        handwriting.from_picture(grey.clip(0, 255).astype(np.uint8))
