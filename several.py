"""Several digits on a page: which pieces of ink belong together, and in which order one reads them.

    for numbers in several.digits(pieces):  # pieces (h, w): 0 is paper, 1, 2 ... are pieces of ink
        digit = np.isin(pieces, numbers)

Digits that touch are one piece here, and stay one.
"""

import numpy as np
from scipy import ndimage
from scipy.sparse.csgraph import connected_components


def digits(pieces):
    """The pieces' numbers, an array for each digit, from left to right, row by row."""
    found = ndimage.find_objects(pieces)
    numbers = np.array([n for n, box in enumerate(found, start=1) if box])
    boxes = np.array([[(side.start, side.stop) for side in box] for box in found if box])
    count, digit_of = connected_components(_together(boxes))
    boxes = np.array([_around(boxes[digit_of == digit]) for digit in range(count)])
    heights = np.diff(boxes)[:, 0, 0]
    usual = np.quantile(heights, 0.75, method="higher")
    large = np.flatnonzero(heights >= 0.5 * usual)  # no dots, dashes, specks
    large = large[_reading_order(boxes[large])]
    return [numbers[digit_of == digit] for digit in large]


def _around(boxes):
    return np.stack([boxes[..., 0].min(axis=0), boxes[..., 1].max(axis=0)], axis=-1)  # (2, 2)


def _gaps(boxes):
    """How far two boxes are apart, down and across, (n, n, 2); below 0 where they overlap."""
    begin, end = boxes[..., 0], boxes[..., 1]  # (n, 2)
    return np.maximum(begin[:, None], begin) - np.minimum(end[:, None], end)


def _together(boxes):
    """Which pieces are parts of one digit: (n, n) bool from their boxes (n, 2, 2), the last axes
    being down and across, begin and end."""
    sides = np.diff(boxes)[..., 0]  # (n, 2)
    size = sides.max(axis=1)
    larger, smaller = np.maximum(size[:, None], size), np.minimum(size[:, None], size)
    gaps = _gaps(boxes)
    down, across = np.moveaxis(gaps / larger[..., None], -1, 0)  # of the larger piece's size
    shared = -gaps / np.minimum(sides[:, None], sides)  # (n, n, 2) of the smaller piece's sides
    part = smaller < 0.6 * larger
    crossing = (shared > 0.4).all(axis=2)
    below = (shared[..., 1] > 0.4) & (down < np.where(part, 0.2, 0.07))  # as a five and its hat
    beside = part & (np.maximum(down, across) < 0.1)
    return crossing | below | beside | (gaps.max(axis=2) <= 1)  # a pixel: a stroke that is broken


def _reading_order(boxes):
    """Rows are what overlaps by half of its height, or more, with a neighbour."""
    heights = np.diff(boxes)[:, 0, 0]
    rows = -_gaps(boxes)[..., 0] > 0.5 * np.minimum(heights[:, None], heights)
    count, row_of = connected_components(rows)
    middle = boxes.mean(axis=2)  # (n, 2)
    height = np.array([middle[row_of == row, 0].mean() for row in range(count)])[row_of]
    return np.lexsort((middle[:, 1], height))
