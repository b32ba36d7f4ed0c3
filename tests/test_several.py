"""several.py: which pieces of ink are one digit, in which order digits are read."""

import numpy as np
import pytest
from test_paper import shape

import handwriting
import mnist
import several
import storage

SAMPLE = mnist.load_sample()[1]


def pieces_of(*boxes):
    """Rectangles (top, left, height, width), numbered from 1."""
    pieces = np.zeros((400, 600), int)
    for number, (top, left, height, width) in enumerate(boxes, start=1):
        pieces[top : top + height, left : left + width] = number
    return pieces


@pytest.mark.parametrize(
    "boxes, digits",
    [
        ([(50, 50, 100, 60)], [[1]]),
        ([(50, 200, 100, 60), (50, 50, 100, 60)], [[2], [1]]),  # left to right
        ([(250, 50, 100, 60), (50, 200, 100, 60), (60, 50, 90, 60)], [[3], [2], [1]]),  # row by row
        ([(50, 50, 100, 60), (40, 55, 8, 50)], [[1, 2]]),  # a five and its hat
        ([(50, 50, 100, 60), (80, 70, 30, 20)], [[1, 2]]),  # a stroke within
        ([(50, 50, 49, 60), (100, 50, 50, 60)], [[1, 2]]),  # broken
        ([(50, 50, 100, 60), (140, 130, 8, 8)], [[1]]),  # a dot
        ([(50, 50, 100, 60), (50, 112, 100, 60)], [[1], [2]]),  # close, but two
    ],
)
def test_pieces_become_digits(boxes, digits):
    assert [list(digit) for digit in several.digits(pieces_of(*boxes))] == digits


def sheet(seed, rows=1, columns=10):
    """A sheet of MNIST's digits, of several sizes, in rows that are not quite straight."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(SAMPLE.labels), (rows, columns))
    grey = np.full((rows * 160 + 60, columns * 130 + 80), 225.0)
    for row, column in np.ndindex(which.shape):
        ink = shape(which[row, column], rng.integers(90, 130))
        down = 30 + row * 160 + rng.integers(0, 12) + column
        across = 35 + column * 130 + rng.integers(-8, 8)
        grey[down : down + len(ink), across : across + len(ink)] -= 165 * ink
    return (grey + rng.normal(0, 4, grey.shape)).clip(0, 255).astype(np.uint8), which.ravel()


@pytest.mark.parametrize("rows", [1, 3])
def test_sheets_of_ten_digits(rows):
    """95 % of the digits are found, and read."""
    net = storage.load("data/digits.npz")
    read = total = 0
    for seed in range(10 // rows):
        grey, which = sheet(seed, rows)
        images = handwriting.from_page(grey)
        total += len(which)
        if len(images) == len(which):
            read += (net.predict(images) == SAMPLE.labels[which]).sum()
    assert read >= 0.95 * total


@pytest.mark.parametrize("seed", range(3))
def test_several_digits_are_no_digit(seed):
    with pytest.raises(ValueError, match=r"seem to be \d+ digits.*from_page"):
        handwriting.from_picture(sheet(seed, columns=3)[0])


def test_one_digit_on_a_page_is_the_picture():
    grey, _ = sheet(0, columns=1)
    images = handwriting.from_page(grey)
    np.testing.assert_array_equal(images, [handwriting.from_picture(grey)])
