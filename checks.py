"""What is said to a wrong input: what was wrong, what was expected, what to do.

The network and what works on it call these, so that their own lines can be read without them. Each
returns what it was given, ready to be used, or raises ValueError. Where something is allowed but
will surely not learn, a warning says so in one line.
"""

import reprlib
import warnings
from contextvars import ContextVar

import numpy as np

# Who hears a warning: a function, or None for Python's own way. Each thread has its own, so that a
# panel hears of its training what Python would write where nobody looks.
listener = ContextVar("listener", default=None)

HUGE = 1e30  # beyond it sums overflow
RANGES = {"sigmoid": (0, 1), "softmax": (0, 1), "relu": (0, np.inf)}  # of outputs


def _refuse(what, expected, given):
    """The form of nearly all that is said here."""
    found = " ".join(reprlib.repr(given).split())
    if getattr(given, "shape", ()):  # an array's numbers would say little
        dtype = getattr(given, "dtype", "several types")
        found = f"{type(given).__name__} of {dtype}, shape {given.shape}"
    raise ValueError(f"{what}: expected {expected}, got {found:.100}")


def _each(expected, fits, **given):
    for what, value in given.items():
        if not fits(value):
            _refuse(what, expected, value)


def _whole(number, least=0):
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    return whole and number >= least


def _real(number, least=-np.inf):
    """Whether it is a finite number; a truth value is none."""
    real = isinstance(number, int | float | np.integer | np.floating)
    return real and not isinstance(number, bool) and least <= number and abs(number) < np.inf


def _positive(number):
    return _real(number, 0) and number > 0


def _function(given):
    return given is None or callable(given)


def _warn(message, depth):
    hear = listener.get()
    if hear:
        hear(message)
    else:
        warnings.warn(message, stacklevel=depth)  # so that it names the line that called train


# --- Building -------------------------------------------------------------------------------------


def building(layers, biases, initial, seed, dtype):
    """The layers as a tuple, if all of these are what a network can be built with."""
    nodes = tuple(layers) if isinstance(layers, list | tuple | np.ndarray) else ()
    if len(nodes) < 2 or not all(_whole(n, 1) for n in nodes):
        _refuse("layers", "two or more whole numbers above 0", layers)
    _each("True or False", lambda b: isinstance(b, bool | int | np.bool_), biases=biases)
    _each("a function (rng, shape) -> weights", callable, initial=initial)
    seeded(seed)
    named = isinstance(dtype, type | str | np.dtype)  # in an array `in` would compare its numbers
    if not named or dtype not in (np.float32, np.float64, "float32", "float64"):
        _refuse("dtype", "np.float32 or np.float64", dtype)
    return tuple(int(n) for n in nodes)


def seeded(seed):
    parts = seed if isinstance(seed, list | tuple) else [seed]
    if not (all(map(_whole, parts)) or seed is None or isinstance(seed, np.random.Generator)):
        _refuse("seed", "a whole number from 0, or None", seed)


def drawn(weights, shape):
    """What initial made."""
    if getattr(weights, "shape", None) != shape:
        _refuse("initial", f"weights of the shape {shape} back", weights)
    return weights


def known(what, name, table):
    if not isinstance(name, str | tuple) or name not in table:
        _refuse(what, f"one of {list(table)}", name)
    return name


# --- What goes in and what should come out --------------------------------------------------------


def _numbers(what, expected, given, texts=False):
    """As an array. A masked one hides some of them, and a sparse one has them elsewhere."""
    try:
        found = np.asarray(given)
        if texts and found.dtype.kind in "OUS":  # "7", as some data sets have it
            found = found.astype(float)
    except (TypeError, ValueError):  # rows of different lengths, or words
        _refuse(what, expected, given)
    if found.dtype.kind not in "biuf" or isinstance(given, np.ma.MaskedArray):
        _refuse(what, expected, given)
    return found


def rows(images, inputs):
    """Numbers, (n, inputs)."""
    expected = f"rows of {inputs} inputs, numbers"
    x = np.atleast_2d(_numbers("images", expected, images))
    if x.ndim != 2 or x.shape[1] != inputs:
        _refuse("images", expected, images)
    if x.dtype.kind in "iu" and x.dtype != np.uint8 and x.size and (x.max() > 1 or x.min() < -1):
        raise ValueError(
            "whole numbers beyond -1..1 look like pixels: pass them as bytes, "
            "images.astype(np.uint8), or scale them to 0.01..1.00 yourself"
        )
    return x


def finite_rows(images, inputs):
    """The same, looked through: not in every step of a training."""
    x = rows(images, inputs)
    if x.dtype.kind == "f" and x.size and not -HUGE < float(x.min()) <= float(x.max()) < HUGE:
        _refuse("images", "finite numbers, far below 1e30", x)
    return x


def labels(given, nodes):
    """Labels as whole numbers (n,), or rows of targets (n, nodes)."""
    expected = f"whole numbers or rows of {nodes} targets, all finite"
    found = _numbers("labels", expected, given, texts=True)
    fits = found.ndim < 2 or found.shape[1:] == (nodes,)
    if not fits or not np.isfinite(found).all() or (found.ndim < 2 and (found % 1).any()):
        _refuse("labels", expected, given)
    count = max(nodes, 2)
    if found.ndim < 2 and found.size and not 0 <= found.min() <= found.max() < count:
        found = f"{found.min():g} to {found.max():g}"
        raise ValueError(f"labels: expected 0 to {count - 1}, got {found}")
    return found if found.ndim > 1 else np.atleast_1d(found).astype(int)


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
        _refuse(what, "(images, labels)", given)
    return given[:2]


def examples(net, images, labels):
    """Images (n, 784) and targets (n, 10), one a row and all of them numbers."""
    images, targets = finite_rows(images, net.layers[0]), net.as_targets(labels)
    if not 0 < len(images) == len(targets):
        raise ValueError(
            f"expected one label an image, got {len(images)} images and {len(targets)} labels"
        )
    low, high = RANGES.get(net.output, (-np.inf, np.inf))
    if targets.min() < low or targets.max() > high:
        raise ValueError(
            f"labels: expected rows of targets from {low} to {high}, as the outputs of "
            f"{net.output} are, got {targets.min():g} to {targets.max():g}"
        )
    # Column by column, as pandas hands them out, each batch would be gathered from all over.
    return np.ascontiguousarray(images), targets


def held_out(net, validation):
    return validation if validation is None else examples(net, *pair("validation", validation))


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
    _each("a number from 0 to below 1", lambda n: _real(n, 0) and n < 1, **numbers)
    if numbers.get("decay", 0) >= 0.03:
        _warn(
            f"a decay of {numbers['decay']:g} shrinks weights faster than most networks learn: "
            "0.0005 is usual.",
            depth=5,
        )


def knobs(epochs, rotations, descend, augment, callback, each_step):
    """The rotations, as a tuple, if all of these are what a training can be told."""
    _each("a whole number from 0", _whole, epochs=epochs)
    _each("a function", callable, descend=descend)
    _each("a function or None", _function, augment=augment, callback=callback, each_step=each_step)
    rotations = () if rotations is None else rotations
    if not np.iterable(rotations) or not all(map(_real, rotations)):
        _refuse("rotations", "degrees such as (10, -10)", rotations)
    return tuple(rotations)


def batch_size(given, count):
    """How many of `count` examples a step takes."""
    _each("a whole number from 1, or None", lambda n: n is None or _whole(n, 1), batch_size=given)
    if given and given > max(count, 32):
        _warn(f"batch_size: {given} is more than the {count} examples: an epoch is one step.", 4)
    return min(given or count, count)


def learning_rate(given):
    """A number, a function or None."""
    if not (_function(given) or _positive(given)):
        _refuse("learning_rate", "a number above 0, a function or None", given)
    return given


def rate(number):
    """What a function for the learning rate returned."""
    number = number.item() if getattr(number, "shape", None) == () else number
    if not _real(number, 0):
        _refuse("learning_rate", "0 or more of the function", number)
    return number


def augmented(fresh, images):
    """What augment made of images."""
    wanted = type(images), images.dtype, images.shape
    if (type(fresh), getattr(fresh, "dtype", None), getattr(fresh, "shape", None)) != wanted:
        _refuse("augment", f"{images.shape} of {images.dtype} back", fresh)
    return fresh


def pixels(images):
    """Say so if these are numbers that the network will misunderstand."""
    picture = round(images.shape[1] ** 0.5) ** 2 == images.shape[1] >= 64
    low, high, real = images.min(), images.max(), images.dtype.kind == "f"
    if images.dtype == np.uint8 and high < 64:
        found = "0 or 1" if high < 2 else f"from 0 to {high}"
        said = f"these bytes are all {found}, but bytes are pixels, 0..255: nearly black pictures. "
        _warn(f"{said}Pass images * {255 // max(high, 1)}.", depth=5)
    elif real and picture and low >= 0 and high > 1:
        said = f"pixels up to {high:g}: a network learns well from 0.01 to 1.00. Pass bytes, "
        _warn(f"{said}images.astype(np.uint8), or scale them.", depth=5)
    elif real and max(high, -low) > 1000:
        said = f"numbers from {low:g} to {high:g}: a network learns well from about -1 to 1. "
        _warn(f"{said}Scale them.", depth=5)


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


def teaching(net, given, seed, each_step):
    """How many outputs these labels ask for that the network has not yet."""
    seeded(seed)
    _each("a function or None", _function, each_step=each_step)
    found, outputs = labels(given, 2**31), net.layers[-1]
    fits = outputs > 1 and found.ndim < 2 and found.size
    fresh = np.unique(found[found >= outputs]) if fits else found
    if not fits or (fresh != outputs + np.arange(len(fresh))).any():
        _refuse("labels", f"0 to {outputs - 1}, and new signs from {outputs}, none left out", given)
    return len(fresh)


# --- Asking ---------------------------------------------------------------------------------------


def counts(**numbers):
    _each("a whole number from 1", lambda n: _whole(n, 1), **numbers)


def finite(**numbers):
    _each("a finite number", _real, **numbers)
    return [float(number) for number in numbers.values()]


def generator(rng):
    _each("a random generator", lambda r: hasattr(r, "uniform"), rng=rng)
    return rng


def spread(what, given, shape):
    """Numbers of this shape: an array for each image, or one for all."""
    expected = f"finite numbers of the shape {shape[1:]}, or {shape}"
    found = _numbers(what, expected, given)
    if found.shape not in (shape, shape[1:]) or not (abs(found) < HUGE).all():
        _refuse(what, expected, given)
    return np.broadcast_to(found.astype(np.float32), shape)


def pictures(images, least=2):
    """Square pictures as rows, so many at least."""
    expected = "two or more pictures as rows" if least == 2 else "pictures as rows of numbers"
    images = np.atleast_2d(_numbers("images", expected, images))
    if images.ndim != 2 or len(images) < least:
        _refuse("images", expected, images)
    side(images.shape[1])
    return images


def imagining(net, canvas, steps, learning_rate, distance, jiggle, seed, callback):
    """The side of the picture."""
    seeded(seed)
    _each("a function or None", _function, callback=callback)
    _each("a whole number from 0", _whole, steps=steps, jiggle=jiggle)
    _each("a number from 0", lambda n: _real(n, 0), distance=distance)
    _each("a number above 0", _positive, learning_rate=learning_rate)
    return fitting_canvas(net, canvas)


def fitting_canvas(net, canvas):
    """The side of the picture."""
    if not hasattr(canvas, "directions"):
        _refuse("canvas", "a canvas, canvas_of(train.images)", canvas)
    pixels = canvas.directions.shape[1]
    if pixels != net.layers[0]:
        raise ValueError(f"a canvas of {pixels} pixels does not fit {net.layers[0]} inputs")
    return side(pixels)
