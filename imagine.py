"""Run a network backwards: look for a picture that it takes for a 3.

    canvas = canvas_of(train.images)          # what pixels do in all digits together
    images = imagine(net, range(10), canvas)  # (10, 784)

Sources: K. Simonyan, A. Vedaldi, A. Zisserman 2013, "Deep Inside Convolutional Networks", section
2, for the descent on the picture; C. Olah, A. Mordvintsev, L. Schubert 2017, "Feature
Visualization", for what keeps it a picture.
"""

from typing import NamedTuple

import numpy as np

import checks
from activations import LOSSES
from machine import one_thread
from nn import NeuralNetwork

DIRECTIONS = 80
ENOUGH = 1_000  # pictures for a canvas


class Canvas(NamedTuple):
    """What pixels do in many pictures together."""

    mean: np.ndarray  # (784,), 0.01..1.00
    directions: np.ndarray  # (80, 784), in which they vary together, each as long as its spread


def canvas_of(images):
    """The canvas of pictures (n, 784), bytes or 0.01..1.00: their mean and their principal
    components. A thousand or so of them, evenly picked, are enough.

    ValueError for fewer than two pictures, and for rows that are none.
    """
    images = checks.pictures(images)
    some = images[:: -(-len(images) // ENOUGH)]
    x = NeuralNetwork((images.shape[1], 1)).as_input(some)  # (1000, 784), as a network sees them
    with one_thread():
        variances, axes = np.linalg.eigh(np.cov(x.T))  # ascending; an axis a column
    spread = np.sqrt(variances[: -DIRECTIONS - 1 : -1].clip(0))  # (80,), the largest first
    along = (axes[:, : -DIRECTIONS - 1 : -1] * spread).T  # (80, 784)
    return Canvas(x.mean(axis=0), along.astype(x.dtype))


def imagine(
    net,
    targets,
    canvas,
    *,
    steps=200,
    learning_rate=0.01,
    distance=7,
    jiggle=2,
    seed=0,
    callback=None,
):
    """Targets (n, 10), a digit or several -> images (n, 784), 0.01..0.99, that `net` takes for
    them: gradient descent not on the weights but on the picture (Simonyan et al. 2013).

    Left alone, it ends in grey smears and dots that others may not take for a digit. Three things
    keep it among pictures that others can read. It is drawn on the canvas: from what pixels do in
    all digits together, not in the wanted one. It is pulled to a distance from the mean of all
    digits, as no real digit is close to it. And it is jiggled, so that it must hold wherever it
    lies (Olah et al. 2017).

    canvas         canvas_of(pictures like those that net has learned from)
    steps          of descent, with momentum 0.9
    learning_rate  how far each step goes
    distance       from the mean of all digits, in standard deviations; real digits: about 9
    jiggle         pixels by which the picture is shifted, at random, in each step
    callback       called with the step, from 1, and the images (n, 784) so far: a film

    ValueError for knobs out of range, and for a canvas of another size than the network's inputs.
    """
    side = checks.imagining(net, canvas, steps, learning_rate, distance, jiggle, seed, callback)
    targets = net.as_targets(targets)  # (n, 10)
    loss = steep_loss(net)
    rng = np.random.default_rng(seed)
    mean, directions = canvas  # (784,), (80, 784)
    amounts = np.zeros((len(targets), len(directions)), net.dtype)  # (n, 80)
    velocity = np.zeros_like(amounts)
    with one_thread():
        for step in range(1, steps + 1):
            images = np.clip(mean + amounts @ directions, 0.01, 0.99)  # (n, 784)
            down, right = rng.integers(-jiggle, jiggle + 1, 2)
            moved = shifted(images, side, down, right)
            # Of the mean of n losses; times n it is that of each picture's own.
            slope = net.input_gradient(moved, targets, loss) * len(targets)  # (n, 784)
            slope = shifted(slope, side, -down, -right) @ directions.T  # (n, 80)
            length = np.linalg.norm(amounts, axis=1, keepdims=True)  # (n, 1)
            pull = 0.3 * amounts * (1 - distance / np.maximum(length, 0.001))  # (n, 80)
            velocity = 0.9 * velocity - learning_rate * (slope + pull)
            amounts += velocity
            if callback:
                callback(step, images)
        return np.clip(mean + amounts @ directions, 0.01, 0.99)


def steep_loss(net):
    """The loss to descend on a picture. Squared error is flat where the outputs are surely wrong;
    cross-entropy is not. None, the network's own, where it does not fit the outputs."""
    return "cross-entropy" if ("cross-entropy", net.output) in LOSSES else None


def shifted(images, side, down, right):
    pictures = images.reshape(-1, side, side)
    return np.roll(pictures, (down, right), axis=(1, 2)).reshape(images.shape)
