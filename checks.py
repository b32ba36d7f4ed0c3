"""What is said to a wrong input: what was wrong, what was expected, what to do.

The network and what works on it call these, so that their own lines can be read without them. Each
returns what it was given, ready to be used, or raises ValueError. Where something is allowed but
will surely not learn, a warning says so in one line.
"""

import warnings
from contextvars import ContextVar

import numpy as np

# Who hears a warning: a function, or None for Python's own way. Each thread has its own, so that a
# panel hears of its training what Python would write where nobody looks.
listener = ContextVar("listener", default=None)


def _whole(number):
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _warn(message, depth):
    hear = listener.get()
    if hear:
        hear(message)
    else:
        warnings.warn(message, stacklevel=depth)  # so that it names the line that called train


# --- Building -------------------------------------------------------------------------------------


def layers(nodes):
    nodes = tuple(nodes) if isinstance(nodes, list | tuple | np.ndarray) else nodes
    fine = isinstance(nodes, tuple) and len(nodes) >= 2
    if not fine or not all(_whole(n) and n > 0 for n in nodes):
        raise ValueError(f"layers: expected two or more whole numbers above 0, got {nodes!r:.60}")
    return tuple(int(n) for n in nodes)


def known(what, name, table):
    if not isinstance(name, str | tuple) or name not in table:
        raise ValueError(f"{what}: expected one of {list(table)}, got {name!r:.60}")
    return name


# --- What goes in and what should come out --------------------------------------------------------


def rows(images, inputs):
    """Numbers, (n, inputs)."""
    x = np.atleast_2d(images)
    if x.dtype.kind not in "biuf":
        raise ValueError(f"images: expected rows of numbers, got {x.dtype} of the shape {x.shape}")
    if x.ndim != 2 or x.shape[1] != inputs:
        raise ValueError(f"expected rows of {inputs} inputs, got shape {x.shape}")
    if x.dtype.kind in "iu" and x.dtype != np.uint8 and x.size and x.max() > 1:
        raise ValueError(
            "whole numbers above 1 look like pixels: pass them as bytes, "
            "images.astype(np.uint8), or scale them to 0.01..1.00 yourself"
        )
    return x


def labels(given, nodes):
    """Labels as whole numbers (n,), or rows of targets (n, nodes)."""
    found = np.asarray(given)
    if found.dtype.kind in "OUS":  # "7", as some data sets have it
        try:
            found = found.astype(float)
        except (TypeError, ValueError):
            message = f"labels: expected whole numbers or rows of numbers, got {found.ravel()[:3]}"
            raise ValueError(message) from None
    if found.dtype.kind not in "biuf" or not np.isfinite(found).all():
        raise ValueError("labels must be finite numbers, without nan or inf")
    if found.ndim < 2:
        found = np.atleast_1d(found)
        whole, count = found.astype(int), max(nodes, 2)
        if (whole != found).any():
            raise ValueError(
                f"expected labels or rows of {nodes} targets, got one row of fractions"
            )
        if whole.size and not 0 <= whole.min() <= whole.max() < count:
            spread = f"{whole.min()} to {whole.max()}"
            raise ValueError(f"labels: expected 0 to {count - 1}, got {spread}")
        return whole
    if found.ndim != 2 or found.shape[1] != nodes:
        raise ValueError(f"expected labels or rows of {nodes} targets, got {found.shape}")
    return found


def shares(output, targets):
    """Rows that add up to 1, as softmax outputs do; others can be anything."""
    if output == "softmax" and not (abs(targets.sum(axis=1) - 1) < 1e-3).all():
        raise ValueError("softmax outputs add up to 1, and so must each row of targets")
    return targets


def matched(outputs, targets):
    if len(outputs) != len(targets):
        raise ValueError(f"expected {len(outputs)} labels, one a row, got {len(targets)}")
    return targets


def pair(what, given):
    """The first two of a tuple: images and labels; a source may come third."""
    if not isinstance(given, tuple | list) or len(given) < 2:
        raise ValueError(f"{what}: expected (images, labels), got {given!r:.60}")
    return given[:2]


def examples(net, images, labels):
    """Images (n, 784) and targets (n, 10), one a row and all of them numbers."""
    # Column by column, as pandas hands them out, each batch would be gathered from all over.
    images, targets = np.ascontiguousarray(rows(images, net.layers[0])), net.as_targets(labels)
    if not 0 < len(images) == len(targets):
        raise ValueError(
            f"expected one label an image, got {len(images)} images and {len(targets)} labels"
        )
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise ValueError("images must be finite numbers, without nan or inf")
    return images, targets


def side(pixels):
    """Of a square picture with so many pixels."""
    length = round(pixels**0.5)
    if length * length != pixels or length < 8:  # rows of 4 or 9 numbers are data, not pictures
        raise ValueError(
            f"expected square pictures of 8 x 8 pixels or more as rows, got {pixels} "
            "numbers a row; train on other data with rotations=()"
        )
    return length


# --- Training -------------------------------------------------------------------------------------


def fractions(**numbers):
    for name, number in numbers.items():
        if not 0 <= number < 1:
            raise ValueError(f"{name}: expected a number from 0 to below 1, got {number!r}")


def knobs(epochs, learning_rate, batch_size, rotations):
    """The rotations, as a tuple, if all knobs are in range."""
    fine = _whole(epochs) and epochs >= 0
    fine = fine and (batch_size is None or (_whole(batch_size) and batch_size >= 1))
    if learning_rate is not None and not callable(learning_rate):
        fine = fine and 0 < learning_rate < np.inf
    if not fine:
        raise ValueError(
            "expected epochs from 0, a learning_rate above 0, batch_size from 1 or None, "
            f"epochs and batch_size whole, got {epochs=}, {learning_rate=}, {batch_size=}"
        )
    if rotations is not None and not np.iterable(rotations):
        raise ValueError(f"rotations: expected degrees such as (10, -10), got {rotations!r}")
    return tuple(rotations or ())


def rate(number):
    """What a function for the learning rate returned."""
    if not 0 <= number < np.inf:
        raise ValueError(f"learning_rate: expected 0 or more of the function, got {number!r}")
    return number


def augmented(fresh, images):
    """What augment made of images."""
    if type(fresh) is not type(images) or (fresh.dtype, fresh.shape) != (
        images.dtype,
        images.shape,
    ):
        raise ValueError(
            f"augment: expected {images.shape} of {images.dtype} back, got "
            f"{getattr(fresh, 'shape', fresh)} of {getattr(fresh, 'dtype', None)}"
        )
    return fresh


def pixels(images):
    """Say so if these are pictures whose pixels the network will misunderstand."""
    picture = round(images.shape[1] ** 0.5) ** 2 == images.shape[1] >= 64
    low, high = images.min(), images.max()
    if images.dtype == np.uint8 and high <= 1:
        _warn(
            "these bytes are all 0 or 1, but bytes are pixels, 0..255: nearly black pictures. "
            "Pass images * 255, or images.astype(float).",
            depth=5,
        )
    elif picture and images.dtype.kind == "f" and low >= 0 and high > 1:
        _warn(
            f"pixels up to {high:g}: a network learns well from 0.01 to 1.00. Pass bytes, "
            "images.astype(np.uint8), or scale them.",
            depth=5,
        )


def all_alike(outputs):
    """Whether all images got the same answer; if so, say it."""
    alike = len(outputs) > 1 and bool(np.ptp(outputs, axis=0).max() < 1e-3)
    if alike:
        _warn(
            "the network gives the same answer to all images: it does not learn. Take a learning "
            "rate a third as large or another seed, and look whether the images are all alike.",
            depth=6,
        )
    return alike


def diverged(epoch, kept):
    raise ValueError(
        f"at epoch {epoch:.4g} the loss was no finite number any more: the learning rate is too "
        f"large, try a third of it. The network is again as it was after {kept:.4g} epochs."
    )


# --- Asking ---------------------------------------------------------------------------------------


def looks(number):
    if not (_whole(number) and number >= 1):
        raise ValueError(f"looks: expected a whole number from 1, got {number!r}")
    return int(number)


def pictures(images):
    """Two or more pictures as rows."""
    images = np.atleast_2d(images)
    if images.ndim != 2 or len(images) < 2:
        raise ValueError(f"expected two or more pictures as rows, got shape {images.shape}")
    side(images.shape[1])
    return images


def imagining(net, canvas, steps, learning_rate, distance, jiggle):
    """The side of the picture."""
    if not (steps >= 0 and learning_rate > 0 and distance >= 0 and jiggle >= 0):
        found = f"{steps=}, {learning_rate=}, {distance=}, {jiggle=}"
        raise ValueError(f"expected a learning_rate above 0, the others from 0, got {found}")
    if not hasattr(canvas, "directions"):
        raise ValueError(f"expected a canvas, canvas_of(train.images), got {canvas!r:.60}")
    pixels = canvas.directions.shape[1]
    if pixels != net.layers[0]:
        raise ValueError(f"a canvas of {pixels} pixels does not fit {net.layers[0]} inputs")
    return side(pixels)
