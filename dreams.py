"""A network dreams: many digits, no two alike, to look at or to teach another network with.

    digits = np.repeat(range(10), 300)
    written = dream(net, digits, canvas, steps=60)
    images, labels = surest(net, written.images, digits, 100)  # (1000, 784), (1000,)
    images = taught_with(net, 100_000)  # (100000, 784) bytes: a training set

As `write`, it descends on the path of a pen whose hand trembles (pen.py has the formulas). But
`write` looks for the one best path of each digit; a dream goes on from wherever its scribble began,
so every one is another. And all that the hand draws on the way, plain or doubtful, is a picture
that the network can name.

What others are to read is drawn a little towards what the network imagines on its canvas. To teach
with, no canvas is needed: of real digits the pen knows how wide a stroke is, how large a digit, and
that it is centred by its ink. That is how MNIST was prepared, not how its pixels vary.

Source: H. Yin et al. 2020, "Dreaming to Distill: Data-free Knowledge Transfer via DeepInversion",
for pictures that are found in a network's weights and teach another one.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist, squareform

import checks
import pen
from distortions import distort, look
from imagine import imagine, steep_loss
from machine import one_thread

TOGETHER = 500  # paths descend at a time, so that their numbers stay at hand
PULL = 0.3  # how strongly a path is drawn towards what is imagined
ALIKE = 0.5  # the distance of two pictures that are nearly the same
ASLEEP = 5  # first steps whose pictures are no dreams yet


def dream(net, digits, canvas=None, *, steps=30, seed=0, callback=None):
    """Digits (n,) -> pen.Written: n paths, each from a scribble of its own, by descent (Adam).

    canvas    canvas_of(pictures like those that net has learned from): each path is drawn towards
              what net imagines on it, distorted in a way of its own; None: it goes where it likes
    callback  called with the step, from 1, and the pictures (500 or fewer, 784) that the trembling
              hand drew in it

    ValueError for steps below 1, for digits that have no node, and for a canvas of another size
    than the network's inputs.
    """
    checks.counts(steps=steps)
    if canvas is not None:
        checks.fitting_canvas(net, canvas)
    rows, side = net.as_targets(digits), checks.side(net.layers[0])  # (n, 10)
    rng, written = np.random.default_rng(seed), []
    with one_thread():
        for i in range(0, len(rows), TOGETHER):
            some = rows[i : i + TOGETHER]
            points, curve = dealt(net, some, rng, side)
            like = None if canvas is None else models(net, some, canvas, rng, side)
            points = descended(net, some, points, curve, like, steps, rng, callback)
            places, moves = curve.along @ points, curve.moves @ points
            written.append((pen.ink(places, moves, side=side), places, moves))
    return pen.Written(*(np.concatenate(part) for part in zip(*written, strict=True)))


def dealt(net, rows, rng, side):
    """A scribble for each target, (n, K, 2), and its Curve: of three times as many, dealt out so
    that what the network says of them fits the targets as well as it can, all together."""
    points, curve = pen.beginnings(rng, rng.integers(0, 3, 3 * len(rows)), side)  # (3 n, K, 2)
    hand = pen.trembling(rng, len(points), points.shape[1], side)
    says = net.outputs(pen.trace(points, curve, hand, side)[0])  # (3 n, 10)
    _, which = linear_sum_assignment(rows @ np.log(says + 1e-6).T, maximize=True)  # (n,)
    return points[which], pen.Curve(*(part[which] for part in curve))


def models(net, rows, canvas, rng, side):
    """What each path is drawn towards, (n, 28, 28), 0..1: imagined, and distorted by chance."""
    kinds, which = np.unique(rows, axis=0, return_inverse=True)
    imagined = (imagine(net, kinds, canvas, jiggle=3, seed=rng.integers(2**31)) - 0.01) / 0.99
    return distort(imagined[which.ravel()], rng).reshape(-1, side, side)


def likeness(points, curve, like):
    """The slope of half the squared distance from the models (n, 28, 28), by the points. They are
    softer than ink; so they are followed with a wider pen."""
    places, moves, wide = curve.along @ points, curve.moves @ points, 1.5 * pen.WIDTH
    ink, kept = pen.drawn(places, moves, wide, like.shape[1])
    by_places, by_moves = pen.ink_slopes(ink - like, ink, kept, places, moves, wide)
    return curve.along.transpose(0, 2, 1) @ by_places + curve.moves.transpose(0, 2, 1) @ by_moves


def descended(net, rows, points, curve, like, steps, rng, callback):
    """The points (n, K, 2) after so many steps."""
    loss, side = steep_loss(net), checks.side(net.layers[0])
    mean, square = np.zeros_like(points), np.zeros_like(points)  # of the slopes so far, for Adam
    for step in range(1, steps + 1):
        hand = pen.trembling(rng, len(points), points.shape[1], side)
        x, memory = pen.trace(points, curve, hand, side)
        if callback:
            callback(step, x)
        reader = pen.absent_minded(net, rng) if like is None else net  # a model is help enough
        by_x = reader.input_gradient(x, rows, loss) * len(x)  # of each picture's own loss
        slope = pen.trace_slopes(by_x, curve, hand, memory) + pen.effort(points, curve)[1]
        if like is not None:
            slope += PULL * likeness(points, curve, like)
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        fair = mean / (1 - 0.9**step), square / (1 - 0.99**step)
        points = points - 0.35 * fair[0] / (np.sqrt(fair[1]) + 1e-8)  # about a third of a pixel
        points = pen.fitted(points, curve, side)
    return points


def taught_with(net, count, *, steps=30, seed=0):
    """Pictures (count, 784), bytes, to teach another network with: all that the trembling hand
    draws while `net` dreams of digits picked by chance, but for the first few steps. Its names for
    them are net.predict(images), its answers net.outputs(images).

    ValueError for a count below 1, and for no more steps than are left out.
    """
    checks.counts(count=count, steps=steps - ASLEEP)
    images, filled = np.empty((count, net.layers[0]), np.uint8), 0

    def keep(step, x):
        nonlocal filled
        if step > ASLEEP:
            some = x[: count - filled]
            images[filled : filled + len(some)] = as_bytes(some)
            filled += len(some)

    paths = -(-count // (steps - ASLEEP))
    digits = np.random.default_rng(seed).integers(0, net.layers[-1], paths)
    dream(net, digits, steps=steps, seed=seed, callback=keep)
    return images


def as_bytes(x):
    """Pictures 0.01..1.00 as bytes: what net.as_input undoes."""
    return np.rint((x - 0.01) * (255 / 0.99)).astype(np.uint8)


def surest(net, images, digits, keep):
    """Of each digit's pictures the `keep` that `net` is surest of, at 16 looks: they and their
    digits, in order. Of two that are nearly the same, the surer one."""
    digits, chosen = np.asarray(digits), []
    says = look(net, images, 16)[np.arange(len(digits)), digits]  # (n,)
    for digit in np.unique(digits):
        own = np.flatnonzero(digits == digit)
        own = own[np.argsort(-says[own])]
        alike = np.tril(squareform(pdist(images[own])) < ALIKE, -1)  # to a surer one
        chosen.append(own[~alike.any(axis=1)][:keep])
    best = np.concatenate(chosen)
    return images[best], digits[best]
