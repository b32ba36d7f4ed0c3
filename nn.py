"""A neural network in NumPy: read it in one sitting, train it in seconds, run it backwards.

Here: the forward pass, exact backpropagation, training by gradient descent, digits turned or
distorted a little as extra examples, the backward query and imagining, save and load.
Not here: convolutions, GPUs, automatic differentiation. mnist.py reads the digits, plots.py
draws them.

Rows are examples: B of them in a batch, n in all. The shapes in the comments are those of the
default network of 784 inputs, 100 hidden nodes and 10 outputs:

    x (B, 784) - weights[0] (784, 100) -> hidden (B, 100) - weights[1] (100, 10) -> outputs (B, 10)

Sources: T. Rashid, "Make Your Own Neural Network" (2016), for the network, the turned digits and
the backward query; M. Nielsen, "Neural Networks and Deep Learning" (2015), chapters 2 and 3, for
backpropagation and the losses.
"""

import contextlib
import json
import os
import threading
import uuid
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.ndimage
import scipy.sparse
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

MEASUREMENTS = 5  # an epoch, while training
CHUNK = 2_000  # images worked on at a time where there are many, so that memory stays small
LOOK = {  # how far more looks at an image are from it; chosen on held-out training digits
    "degrees": 9,
    "scale": 0.075,
    "shear": 0.12,
    "shift": 1.05,
}
MAX_FILE_BYTES = 1_000_000_000  # load refuses what unpacks to more

# --- One thread -----------------------------------------------------------------------------------
# Products this small gain nothing from a second thread: the threads wait for each other, and on a
# busy machine many times longer than they work. The limit holds for the whole process, so networks
# at work at the same time share it, and the last one lifts it.

_lock, _at_work = threading.Lock(), []


@contextlib.contextmanager
def one_thread():
    with _lock:
        _at_work.append(_at_work[0] if _at_work else threadpool_limits(1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _at_work.pop()
            if not _at_work:
                limit.restore_original_limits()


# --- Activations: what a node makes of z, the sum that reaches it ---------------------------------


class Activation(NamedTuple):
    value: Callable  # z -> a
    backward: Callable  # a and the loss's slope by a -> the loss's slope by z
    inverse: Callable  # a -> z, for the backward query


@np.errstate(over="ignore")  # exp(-z) may overflow; 1 / infinity = 0 is right
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))  # the maximum cancels out; exp cannot overflow
    return e / e.sum(axis=1, keepdims=True)


def softmax_backward(a, slope):  # each a depends on every z of its row, hence the sum
    return a * (slope - (slope * a).sum(axis=1, keepdims=True))


ACTIVATIONS = {
    "sigmoid": Activation(
        value=sigmoid,
        backward=lambda a, slope: slope * a * (1 - a),
        inverse=lambda a: np.log(a / (1 - a)),  # the logit
    ),
    "relu": Activation(
        value=lambda z: np.maximum(z, 0),
        backward=lambda a, slope: slope * (a > 0),
        inverse=lambda a: a,  # a 0 does not tell how far below 0 z was
    ),
    "softmax": Activation(value=softmax, backward=softmax_backward, inverse=np.log),
}

# --- Losses: how wrong the outputs of each row are, (B,) ------------------------------------------


def squared_error(outputs, targets):
    return ((outputs - targets) ** 2).sum(axis=1) / 2


def cross_entropy(outputs, targets):
    tiny = np.finfo(outputs.dtype).tiny  # keeps the logarithm of an output of 0 finite
    return -(targets * np.log(np.maximum(outputs, tiny))).sum(axis=1)


def binary_cross_entropy(outputs, targets):
    return cross_entropy(outputs, targets) + cross_entropy(1 - outputs, 1 - targets)


LOSSES = {  # by loss and output activation
    ("squared error", "sigmoid"): squared_error,
    ("squared error", "relu"): squared_error,
    ("squared error", "softmax"): squared_error,
    ("cross-entropy", "softmax"): cross_entropy,  # one choice among ten
    ("cross-entropy", "sigmoid"): binary_cross_entropy,  # ten choices between yes and no
}

# --- Initial weights: functions of a random generator and the shape (inputs, nodes) ---------------


def normal(rng, shape):
    """Mean 0, standard deviation inputs^-0.5: z starts where the sigmoid is steep."""
    return rng.normal(0, shape[0] ** -0.5, shape)


def uniform(low, high):
    return lambda rng, shape: rng.uniform(low, high, shape)


# --- The network ----------------------------------------------------------------------------------


class NeuralNetwork:
    """A fully connected network with any number of layers.

    layers   nodes a layer, inputs first: (784, 100, 10); (784, 10) has no hidden layer
    hidden   activation of the hidden layers: "sigmoid", "relu" or "softmax"
    output   activation of the last layer, one of the same
    loss     "squared error" or "cross-entropy"
    biases   whether each node adds a number of its own to z, learned from 0
    initial  how weights begin: normal, uniform(low, high) or a function (rng, shape) -> weights
    seed     same seed, same machine: same weights, same order of examples
    dtype    np.float32 for speed, np.float64 to check gradients

    `weights` and `biases` are lists with one array a layer; without biases their list is empty.
    `history` is a list of what `train` measured. ValueError for an option it does not know.
    """

    def __init__(
        self,
        layers=(784, 100, 10),
        *,
        hidden="sigmoid",
        output="sigmoid",
        loss="squared error",
        biases=False,
        initial=normal,
        seed=0,
        dtype=np.float32,
    ):
        if len(layers) < 2 or not all(_whole(nodes) and nodes > 0 for nodes in layers):
            raise ValueError(f"layers: expected two or more whole numbers above 0, got {layers}")
        if hidden not in ACTIVATIONS:
            raise ValueError(f"hidden: expected one of {list(ACTIVATIONS)}, got {hidden!r}")
        if (loss, output) not in LOSSES:
            raise ValueError(f"(loss, output): expected one of {list(LOSSES)}, got {loss, output}")
        self.layers = tuple(int(nodes) for nodes in layers)
        self.hidden, self.output, self.loss_name = hidden, output, loss
        self.dtype = np.dtype(dtype).type
        self.rng = np.random.default_rng(seed)
        self.weights = [
            initial(self.rng, shape).astype(dtype)  # (inputs, nodes)
            for shape in zip(self.layers[:-1], self.layers[1:], strict=True)
        ]
        self.biases = [np.zeros(nodes, dtype) for nodes in self.layers[1:]] if biases else []
        self.velocities = [np.zeros_like(p) for p in self.weights + self.biases]  # for momentum
        self.seen = None  # some of the pictures it was trained on; their pixels make the canvas
        self._canvas = None
        self.history = []
        self.epoch = 0.0  # epochs trained so far

    # -- What goes in and what should come out

    def as_input(self, images):
        """Rows for the first layer, (n, 784). Bytes are pixels: 0..255 becomes 0.01..1.00, never
        0, since a weight whose input is 0 does not learn. Other numbers stay as they are, and
        a sparse matrix (scipy.sparse) stays sparse: its zeros take no memory and no time.

        ValueError for rows of another length and for pixels that are not bytes.
        """
        x = _rows(images)
        if x.ndim != 2 or x.shape[1] != self.layers[0]:
            raise ValueError(f"expected rows of {self.layers[0]} inputs, got shape {x.shape}")
        if scipy.sparse.issparse(x):  # no pixels
            return x.astype(self.dtype, copy=False)
        if x.dtype == np.uint8:
            x = x.astype(self.dtype)  # then in place: faster than x * 0.99 / 255 + 0.01
            x *= 0.99 / 255
            x += 0.01
        elif x.dtype.kind in "iu" and x.size and x.max() > 1:
            raise ValueError(
                "whole numbers above 1 look like pixels: pass them as bytes, "
                "images.astype(np.uint8), or scale them to 0.01..1.00 yourself"
            )
        return x.astype(self.dtype, copy=False)

    def as_targets(self, labels):
        """What the outputs should be, (n, 10). A digit, or several, becomes rows of 0.01 with 0.99
        at the digit's node, since a sigmoid never reaches 0 or 1; with softmax, which can, 0 and
        1. Rows of numbers stay as they are. One output node stands for the labels 0 and 1.

        ValueError for labels that have no node and for rows of another length.
        """
        targets, nodes = np.asarray(labels), self.layers[-1]
        if targets.ndim < 2:
            targets, given = np.atleast_1d(targets).astype(int), targets
            if (targets != given).any():
                raise ValueError(
                    f"expected labels or rows of {nodes} targets, got one row of fractions"
                )
            low, high = (0.0, 1.0) if self.output == "softmax" else (0.01, 0.99)
            rows = np.eye(nodes) if nodes > 1 else np.array([[0], [1]])  # (labels, nodes)
            if targets.size and not 0 <= targets.min() <= targets.max() < len(rows):
                found = f"{targets.min()} to {targets.max()}"
                raise ValueError(f"labels: expected 0 to {len(rows) - 1}, got {found}")
            targets = (low + (high - low) * rows)[targets]
        targets = np.atleast_2d(targets)
        if targets.ndim != 2 or targets.shape[1] != nodes:
            raise ValueError(f"expected labels or rows of {nodes} targets, got {targets.shape}")
        if self.output == "softmax" and not (abs(targets.sum(axis=1) - 1) < 1e-3).all():
            raise ValueError("softmax outputs add up to 1, and so must each row of targets")
        return targets.astype(self.dtype, copy=False)

    def activation(self, layer):
        return ACTIVATIONS[self.output if layer in (-1, len(self.weights) - 1) else self.hidden]

    # -- Forward and backward

    def forward(self, x):
        """The activations of every layer: [x (B, 784), hidden (B, 100), outputs (B, 10)]."""
        activations = [self.as_input(x)]
        for layer, weights in enumerate(self.weights):
            z = activations[layer] @ weights  # (B, nodes)
            if self.biases:
                z += self.biases[layer]
            activations.append(self.activation(layer).value(z))  # (B, nodes)
        return activations

    def loss(self, x, targets):
        """The number to lower: the rows' losses, averaged."""
        outputs, targets = self._matched(self.forward(x)[-1], self.as_targets(targets))
        return float(LOSSES[self.loss_name, self.output](outputs, targets).mean())

    def _matched(self, outputs, targets):
        if len(outputs) != len(targets):
            raise ValueError(f"expected {len(outputs)} labels, one a row, got {len(targets)}")
        return outputs, targets

    def backprop(self, x, targets, scale=1.0):
        """The gradients: the exact slopes of the loss by every weight and every bias, as two lists
        like `weights` and `biases`, multiplied by `scale`. (train passes its learning rate there:
        scaling the small deltas saves a pass over the large weights.)"""
        activations = self.forward(x)
        deltas = self.deltas(activations, targets, scale)
        by_weights = [a.T @ delta for a, delta in zip(activations[:-1], deltas, strict=True)]
        by_biases = [delta.sum(axis=0) for delta in deltas] if self.biases else []
        return by_weights, by_biases  # [(784, 100), (100, 10)], [(100,), (10,)]

    def deltas(self, activations, targets, scale=1.0, loss=None):
        """The loss's slope by z, the sum into each node: one (B, nodes) a layer.

        It reads as forward in a mirror, from the outputs back: through the activation, then
        through the weights. (Rashid's book and other tutorials send outputs - targets back to the
        hidden layer, without the slope of the outputs' sigmoid. That is not the gradient of the
        first weights; lesson 2 measures what it costs.)
        """
        outputs, targets = self._matched(activations[-1], self.as_targets(targets))
        delta = (outputs - targets) * (scale / len(outputs))  # (B, 10)
        if (loss or self.loss_name) == "squared error":
            delta = self.activation(-1).backward(outputs, delta)  # (B, 10)
        # With cross-entropy its slope and that of sigmoid or softmax cancel out: outputs - targets
        # is the slope by z already (Nielsen, chapter 3).
        deltas = [delta]
        for layer in reversed(range(1, len(self.weights))):
            slope = deltas[0] @ self.weights[layer].T  # (B, 100)
            deltas.insert(0, self.activation(layer - 1).backward(activations[layer], slope))
        return deltas

    def input_gradient(self, x, targets, loss=None):
        """The slopes of the loss by the inputs, (B, 784): the one line that backprop leaves out."""
        return self.deltas(self.forward(x), targets, loss=loss)[0] @ self.weights[0].T

    # -- Training

    def train(
        self,
        images,
        labels,
        *,
        epochs=10,
        learning_rate=3.0,
        batch_size=32,
        rotations=(10, -10),
        augment=None,
        momentum=0.0,
        weight_decay=0.0,
        validation=None,
        callback=None,
        progress=True,
    ):
        """Gradient descent on batches of shuffled examples. Call it again to go on.

        images, labels  (n, 784), an array or sparse, and (n,); see as_input and as_targets
        epochs          times through all examples
        learning_rate   a number, or a function of the fraction of this training done, 0..1
        batch_size      examples a step; None: all of them in each step
        rotations       degrees: each image is shown as it is and turned by these
        augment         a function (images, random generator) -> new images, as many and of the
                        same type, called at the start of each epoch to make those it shows, the
                        turned ones too; distort is one
        momentum        0..1, how much of the last step is in the next (Nesterov's, as in Sutskever
                        et al. 2013, "On the importance of initialization and momentum")
        weight_decay    each step also shrinks the weights by this share of them, times the learning
                        rate, so that no node grows too sure (Loshchilov & Hutter 2019, "Decoupled
                        Weight Decay Regularization")
        validation      (images, labels) to measure on, never to learn from
        callback        called with each measurement, five an epoch: a dict of epoch, loss and
                        accuracy (on 1,000 of the images or so) and, with a validation,
                        validation_loss and validation_accuracy
        progress        a bar with the time left, and a line an epoch (ten at most)

        Returns `history`, all measurements so far. An interrupt (Ctrl-C, the notebook's stop
        button, a callback that raises KeyboardInterrupt) ends it early: weights and history stay,
        and the next call goes on with them, in a new epoch. ValueError for examples that do not
        fit the network or each other, and for knobs out of range.
        """
        images, targets = self._examples(images, labels)
        validation = validation and self._examples(*validation[:2])  # a source may come third
        rotations = tuple(rotations or ())
        batch_size = len(targets) * (1 + len(rotations)) if batch_size is None else batch_size
        rate_at = learning_rate if callable(learning_rate) else lambda done: learning_rate
        fine = _whole(epochs) and epochs >= 0 and _whole(batch_size) and batch_size >= 1
        fine = fine and (callable(learning_rate) or 0 < learning_rate < np.inf)
        if not (fine and 0 <= momentum < 1 and 0 <= weight_decay < 1):
            raise ValueError(
                "expected epochs from 0, a learning_rate above 0, batch_size from 1 or None, "
                "epochs and batch_size whole, momentum and weight_decay from 0 to below 1, got "
                f"{epochs=}, {learning_rate=}, {batch_size=}, {momentum=}, {weight_decay=}"
            )
        try:
            every = -(-len(targets) // 1000)
            probe = images[::every].copy(), targets[::every]  # (1000, 784), (1000, 10) or so
            if rotations:
                turned = [rotate(images, degrees) for degrees in rotations]
                images = np.concatenate([images, *turned])
                targets = np.tile(targets, (1 + len(rotations), 1))  # (3 n, 10), images (3 n, 784)
            if probe[0].dtype == np.uint8 and len(probe[0]) > 1:
                self.seen, self._canvas = probe[0], None
            batch_size = min(batch_size, len(targets))
            steps = -(-len(targets) // batch_size)  # an epoch; the last batch may be smaller
            measured = {-(-steps * part // MEASUREMENTS) for part in range(1, MEASUREMENTS + 1)}
            start = self.epoch
            if not momentum:
                self.velocities = [np.zeros_like(velocity) for velocity in self.velocities]
            look = {"unit": " examples", "unit_scale": True, "leave": False}
            bar = tqdm(total=epochs * len(targets), disable=not progress, **look)
            with one_thread() if batch_size < 128 else contextlib.nullcontext(), bar:
                for epoch in range(epochs):
                    fresh = augment(images, self.rng) if augment else images
                    same_kind = isinstance(fresh, type(images)) and fresh.dtype == images.dtype
                    if not same_kind or fresh.shape != images.shape:
                        raise ValueError(
                            f"augment: expected {images.shape} of {images.dtype} back, got "
                            f"{getattr(fresh, 'shape', fresh)} of {getattr(fresh, 'dtype', None)}"
                        )
                    batches = self._batches(fresh, targets, batch_size)
                    for step, (x, t) in enumerate(batches, start=1):
                        # A number of NumPy's would turn the slopes into 64-bit numbers.
                        rate = float(rate_at((epoch + (step - 1) / steps) / epochs))
                        slopes = self.backprop(x, t, scale=rate)
                        self._descend(*slopes, momentum, rate * weight_decay)
                        self.epoch = start + epoch + step / steps
                        bar.update(len(t))
                        if step in measured:
                            self.history.append(self._measurement(probe, validation))
                            if callback:
                                callback(self.history[-1])
                    if progress and (epochs - epoch - 1) % -(-epochs // 10) == 0:
                        bar.write(_in_words(self.history[-1]))
        except KeyboardInterrupt:
            if progress:
                print(f"Stopped after {self.epoch:.4g} epochs; call train again to go on.")
        return self.history

    def _batches(self, images, targets, batch_size):
        if batch_size == len(targets):
            yield self.as_input(images), targets  # all at once: their order does not matter
            return
        order, sparse = self.rng.permutation(len(targets)), scipy.sparse.issparse(images)
        for i in range(0, len(targets), batch_size):
            rows = order[i : i + batch_size]
            x = images[rows] if sparse else images.take(rows, axis=0)  # the same, but faster
            yield x, targets.take(rows, axis=0)

    def _descend(self, by_weights, by_biases, momentum, decay):
        if decay:
            for weights in self.weights:
                weights *= 1 - decay
        for parameter, velocity, step in zip(
            self.weights + self.biases, self.velocities, by_weights + by_biases, strict=True
        ):
            if momentum:
                velocity *= momentum
                velocity += step
                step += momentum * velocity
            parameter -= step

    def _examples(self, images, labels):
        images, targets = _rows(images), self.as_targets(labels)
        count = images.shape[0]  # a sparse matrix has no len
        if not 0 < count == len(targets):
            raise ValueError(
                f"expected one label an image, got {count} images and {len(targets)} labels"
            )
        numbers = images.data if scipy.sparse.issparse(images) else images
        if not np.isfinite(targets).all() or not (
            numbers.dtype == np.uint8 or np.isfinite(numbers).all()
        ):
            raise ValueError("images and labels must be finite numbers, without nan or inf")
        self.as_input(images[:1])  # complains if they do not fit
        return images, targets

    def _measurement(self, probe, validation):
        loss, accuracy = self.measure(*probe)
        measurement = {"epoch": self.epoch, "loss": loss, "accuracy": accuracy}
        if validation:
            loss, accuracy = self.measure(*validation)
            measurement |= {"validation_loss": loss, "validation_accuracy": accuracy}
        return measurement

    # -- Asking

    def outputs(self, images, looks=1):
        """The last layer's activations, (n, 10), for any number of images.

        looks  how often to look at each image: with 1 as it is, with more at so many copies, each
               distorted in one of always the same ways, by LOOK at most. The sums that reach the
               last nodes are averaged; with softmax that averages the answers' logarithms.

        ValueError for rows that do not fit, and for less than one look.
        """
        images = _rows(images)
        if not (_whole(looks) and looks >= 1):
            raise ValueError(f"looks: expected a whole number from 1, got {looks!r}")
        copies = [images]
        if looks > 1:
            maps = zip(*random_affine(np.random.default_rng(0), looks, **LOOK), strict=True)
            copies = (affine(images, matrix, shift) for matrix, shift in maps)
        z = sum(self._sums(copy) for copy in copies) / int(looks)  # (n, 10)
        return self.activation(-1).value(z)

    def _sums(self, images):
        """z of the last layer, (n, 10)."""
        chunks = range(0, max(images.shape[0], 1), CHUNK)  # thousands of images need little memory
        hidden = (self.forward(images[i : i + CHUNK])[-2] for i in chunks)
        z = np.concatenate([h @ self.weights[-1] for h in hidden])
        return z + self.biases[-1] if self.biases else z

    def predict(self, images, looks=1):
        """The node with the largest output for each image, (n,). With a single output 0 or 1."""
        return self._largest(self.outputs(images, looks))

    def _largest(self, outputs):
        return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)

    def measure(self, images, labels, looks=1):
        """Loss and accuracy, the fraction whose prediction is right."""
        images, targets = self._examples(images, labels)
        outputs = self.outputs(images, looks)
        right = self._largest(outputs) == self._largest(targets)
        losses = LOSSES[self.loss_name, self.output](outputs, targets)  # (n,)
        return float(losses.mean()), float(right.mean())

    def accuracy(self, images, labels, looks=1):
        """The fraction of the images, 0..1, whose prediction is right."""
        return self.measure(images, labels, looks)[1]

    # -- Running backwards

    def backquery(self, targets):
        """Targets (n, 10), a digit or several -> the images (n, 784), 0.01..0.99, that the weights
        read backwards: at each layer the activation undone, the transposed weights, and the
        result stretched to 0.01..0.99 (Rashid 2016, part 3). It is no inverse: a layer of 100
        sums cannot tell which of many inputs made them."""
        signals = np.clip(self.as_targets(targets), 0.01, 0.99)  # (n, 10)
        for layer in reversed(range(len(self.weights))):
            z = self.activation(layer).inverse(signals)  # (n, nodes)
            if self.biases:
                z -= self.biases[layer]
            signals = stretch(z @ self.weights[layer].T)  # (n, nodes of the layer before)
        return signals

    def imagine(
        self, targets, *, steps=200, learning_rate=0.01, distance=7, jiggle=2, seed=0, callback=None
    ):
        """Targets (n, 10), a digit or several -> images (n, 784), 0.01..0.99, that the network
        takes for them: gradient descent not on the weights but on the picture (Simonyan et al.
        2013, "Deep Inside Convolutional Networks", section 2).

        Left alone, it ends in a rain of dots that only this network takes for a digit. Three things
        keep it among pictures that others can read. It is drawn on the `canvas`: from what pixels
        do in all digits together, not in the wanted one. It is pulled to a distance from the mean
        of all digits, as no real digit is close to it. And it is jiggled, so that it must hold
        wherever it lies (Olah et al. 2017, "Feature Visualization").

        steps          of descent, with momentum 0.9
        learning_rate  how far each step goes
        distance       from the mean of all digits, in standard deviations; real digits: about 9
        jiggle         pixels by which the picture is shifted, at random, in each step
        callback       called with the step, from 1, and the images (n, 784) so far: a film

        ValueError if the network was not trained on pictures, and for knobs out of range.
        """
        canvas = self.canvas()
        if canvas is None:
            raise ValueError(
                "this network cannot imagine: train it on pictures first, passed as bytes"
            )
        if not (steps >= 0 and learning_rate > 0 and distance >= 0 and jiggle >= 0):
            knobs = f"{steps=}, {learning_rate=}, {distance=}, {jiggle=}"
            raise ValueError(f"expected a learning_rate above 0, the others from 0, got {knobs}")
        targets, side = self.as_targets(targets), _side(self.layers[0])
        # Squared error is flat where the outputs are surely wrong. Cross-entropy is not.
        loss = None if self.output == "relu" else "cross-entropy"
        rng = np.random.default_rng(seed)
        mean, directions = canvas[0], canvas[1:]  # (784,), (80, 784)
        amounts = np.zeros((len(targets), len(directions)), self.dtype)  # (n, 80)
        velocity = np.zeros_like(amounts)
        with one_thread():
            for step in range(1, steps + 1):
                images = np.clip(mean + amounts @ directions, 0.01, 0.99)  # (n, 784)
                down, right = rng.integers(-jiggle, jiggle + 1, 2)
                moved = _shifted(images, side, down, right)
                # Of the mean of n losses; times n it is that of each picture's own.
                slope = self.input_gradient(moved, targets, loss) * len(targets)  # (n, 784)
                slope = _shifted(slope, side, -down, -right) @ directions.T  # (n, 80)
                length = np.linalg.norm(amounts, axis=1, keepdims=True)  # (n, 1)
                pull = 0.3 * amounts * (1 - distance / np.maximum(length, 0.001))  # (n, 80)
                velocity = 0.9 * velocity - learning_rate * (slope + pull)
                amounts += velocity
                if callback:
                    callback(step, images)
        return np.clip(mean + amounts @ directions, 0.01, 0.99)

    def canvas(self):
        """What pixels do in all digits together, (1 + 80, 784): their mean, then the directions
        in which they vary together (principal components), each as long as its spread. Taken from
        about 1,000 of the pictures it was trained on; None without any."""
        if self._canvas is None and self.seen is not None:
            x = self.as_input(self.seen)  # (1000, 784)
            with one_thread():
                variances, axes = np.linalg.eigh(np.cov(x.T))  # ascending; an axis a column
            spread = np.sqrt(variances[:-81:-1].clip(0))  # (80,), the largest first
            along = (axes[:, :-81:-1] * spread).T  # (80, 784)
            self._canvas = np.vstack([x.mean(axis=0), along]).astype(self.dtype)
        return self._canvas

    # -- Keeping

    def save(self, path):
        """Write weights, biases and options as .npz. A file of that name is replaced in one go:
        whatever happens meanwhile, it is there whole, the old one or the new one."""
        path = Path(path)
        options = {"layers": self.layers, "biases": bool(self.biases), "loss": self.loss_name}
        options |= {"hidden": self.hidden, "output": self.output, "epoch": self.epoch}
        arrays = {f"weights_{i}": weights for i, weights in enumerate(self.weights)}
        arrays |= {f"biases_{i}": biases for i, biases in enumerate(self.biases)}
        if self.canvas() is not None:
            arrays["canvas"] = self.canvas()
        beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
        try:
            with open(beside, "xb") as file:
                np.savez(file, options=json.dumps(options), **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)

    @classmethod
    def load(cls, path):
        """The network that `save` wrote. Nothing in the file is run. ValueError, naming the file,
        for one that is damaged, hostile or something else."""
        with open(path, "rb") as file:  # a missing file says so itself
            try:
                return cls._read(file)
            except Exception as error:  # a hostile file can make any reader fail in any way
                raise ValueError(
                    f"{path} is no network that NeuralNetwork.save wrote: {error}"
                ) from error

    @classmethod
    def _read(cls, file):
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_FILE_BYTES:
                raise ValueError(f"it unpacks to more than {MAX_FILE_BYTES:,} bytes")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        if "options" not in arrays:
            raise ValueError(f"it holds no options, only {sorted(arrays)}")
        options = json.loads(str(arrays.pop("options")))
        epoch, dtype = float(options["epoch"]), arrays["weights_0"].dtype
        shapes = {f"weights_{i}": pair for i, pair in enumerate(pairwise(options["layers"]))}
        if options["biases"]:
            shapes |= {f"biases_{i}": (nodes,) for i, nodes in enumerate(options["layers"][1:])}
        if "canvas" in arrays:
            shapes["canvas"] = (max(2, len(arrays["canvas"])), options["layers"][0])
        found = {name: array.shape for name, array in arrays.items()}
        if found != shapes:
            raise ValueError(f"expected arrays of the shapes {shapes}, found {found}")
        if dtype not in (np.float32, np.float64) or {a.dtype for a in arrays.values()} != {dtype}:
            raise ValueError("expected all arrays as float32, or all as float64")
        if not (0 <= epoch < np.inf and all(np.isfinite(a).all() for a in arrays.values())):
            raise ValueError("it holds numbers that are not finite, or a negative epoch")
        names = ("layers", "hidden", "output", "loss", "biases")
        net = cls(**{name: options[name] for name in names}, dtype=dtype)
        net._canvas = arrays.get("canvas")
        shapes.pop("canvas", None)
        for parameter, name in zip(net.weights + net.biases, shapes, strict=True):
            parameter[...] = arrays[name]
        net.epoch = epoch
        return net


# --- Functions on images --------------------------------------------------------------------------


def _rows(images):
    """The rows of an array, or of a sparse matrix in the form that is kept by rows."""
    return images.tocsr() if scipy.sparse.issparse(images) else np.atleast_2d(images)


def stretch(z):
    """Each row moved and scaled so that it spans 0.01..0.99."""
    low, high = z.min(axis=1, keepdims=True), z.max(axis=1, keepdims=True)
    return 0.01 + 0.98 * (z - low) / np.where(high > low, high - low, 1)


def _shifted(images, side, down, right):
    pictures = images.reshape(-1, side, side)
    return np.roll(pictures, (down, right), axis=(1, 2)).reshape(images.shape)


def _side(pixels):
    side = round(pixels**0.5)
    if side * side != pixels or side < 8:  # rows of 4 or 9 numbers are data, not pictures
        raise ValueError(
            f"expected square pictures of 8 x 8 pixels or more as rows, got {pixels} "
            "numbers a row; train on other data with rotations=()"
        )
    return side


@lru_cache(maxsize=16)
def _rotation(side, degrees):
    """Turning by a fixed angle is linear: each new pixel is a sum of shares of old ones. So turn
    the side*side pictures with a single bright pixel, once, and keep the shares as a matrix."""
    pixels = np.eye(side * side).reshape(-1, side, side)  # (784, 28, 28)
    turned = scipy.ndimage.rotate(pixels, degrees, axes=(2, 1), order=1, reshape=False)
    return scipy.sparse.csr_array(turned.reshape(side * side, -1).T, dtype=np.float32)


def rotate(images, degrees):
    """Images (n, side*side) turned by `degrees`, positive anticlockwise; what comes in at the
    corners is 0. As scipy.ndimage.rotate(order=1, reshape=False) on each, within a grey level.

    ValueError if the rows are no square pictures.
    """
    images = np.atleast_2d(images)
    matrix = _rotation(_side(images.shape[1]), float(degrees))
    turned = np.empty_like(images)
    for i in range(0, len(images), CHUNK):
        rows = (matrix @ images[i : i + CHUNK].T.astype(np.float32)).T
        turned[i : i + CHUNK] = np.rint(rows) if images.dtype.kind in "iu" else rows
    return turned


def random_affine(rng, count, *, degrees=12, scale=0.12, shear=0.15, shift=1.2):
    """Random maps for `affine`, which say where each pixel is looked up: matrices (count, 2, 2) and
    shifts (count, 2). Each amount is drawn evenly from minus to plus its limit.

    degrees  to turn by
    scale    the fraction by which the place is farther from the centre (so the digit is smaller),
             down and, apart from that, across
    shear    columns aside for each row down
    shift    pixels down and across
    """
    turn, tall, wide, lean, down, across = rng.uniform(-1, 1, (6, count)).astype(np.float32)
    cos, sin = np.cos(np.deg2rad(degrees * turn)), np.sin(np.deg2rad(degrees * turn))
    none, one = np.zeros_like(turn), np.ones_like(turn)
    turning = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)  # (count, 2, 2)
    leaning = np.array([[one, none], [shear * lean, one]]).transpose(2, 0, 1)
    growing = np.array([[1 + scale * tall, none], [none, 1 + scale * wide]]).transpose(2, 0, 1)
    return turning @ leaning @ growing, shift * np.stack([down, across], axis=1)


def affine(images, matrices, shifts):
    """Images (n, side*side) in which each new pixel, at the place (row, column) counted from the
    picture's centre, is looked up in the old image at matrix @ place + shift, between pixels as
    the mix of the four around (bilinear); outside there is 0. As scipy.ndimage.affine_transform
    (order=1, mode="grid-constant") on each, within a grey level.

    matrices  (n, 2, 2), one an image, or (2, 2), one for all
    shifts    (n, 2) or (2,)

    ValueError if the rows are no square pictures.
    """
    if scipy.sparse.issparse(images):
        raise ValueError("sparse rows are no pictures: they cannot be distorted or looked at twice")
    images = np.atleast_2d(images)
    side, n = _side(images.shape[1]), len(images)
    matrices = np.broadcast_to(np.asarray(matrices, np.float32), (n, 2, 2))
    shifts = np.broadcast_to(np.asarray(shifts, np.float32), (n, 2))
    centre = np.float32((side - 1) / 2)
    grid = np.indices((side, side), np.float32).reshape(2, -1) - centre  # (2, 784)
    new = np.empty_like(images)

    def work(chunk):
        old = np.zeros((len(images[chunk]), side + 2, side + 2), np.float32)  # a frame of 0 around
        old[:, 1:-1, 1:-1] = images[chunk].reshape(-1, side, side)
        places = matrices[chunk] @ grid + (shifts[chunk] + centre + 1)[:, :, None]  # (c, 2, 784)
        places = places.clip(0, np.nextafter(np.float32(side + 1), 0))  # outside is in the frame
        corners = places.astype(np.intp)  # the upper left one of the four pixels around
        down, right = (places - corners).swapaxes(0, 1)  # how far on from there, 0..1: (c, 784)
        begins = np.arange(len(old))[:, None] * (side + 2) ** 2  # of each picture, in a row of all
        index = begins + corners[:, 0] * (side + 2) + corners[:, 1]  # (c, 784)
        a, b, c, d = (old.ravel()[i:].take(index) for i in (0, 1, side + 2, side + 3))
        top, bottom = a + right * (b - a), c + right * (d - c)
        mixed = top + down * (bottom - top)  # (c, 784)
        new[chunk] = np.rint(mixed) if images.dtype.kind in "iu" else mixed

    # Few images at a time, as numbers that stay in the cache are at hand sooner. NumPy lets go of
    # Python's lock while it works, so that threads share the chunks.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, [slice(i, i + 200) for i in range(0, n, 200)]))
    return new


def distort(images, rng, **limits):
    """Images (n, side*side), each turned, stretched, slanted and shifted a little, by chance (P.
    Simard, D. Steinkraus, J. Platt 2003, "Best Practices for Convolutional Neural Networks Applied
    to Visual Document Analysis", section 2). limits: those of random_affine."""
    count = 1 if np.ndim(images) == 1 else images.shape[0]
    return affine(images, *random_affine(rng, count, **limits))


def _in_words(m):
    """A line for people: on the validation digits where there are some."""
    held_out = "validation_" if "validation_loss" in m else ""
    loss, accuracy = m[f"{held_out}loss"], m[f"{held_out}accuracy"]
    on = "held out" if held_out else "in training"
    return f"epoch {m['epoch']:.4g}: loss {loss:.4f}, accuracy {accuracy:.2%} of the digits {on}"


def _whole(number):
    return isinstance(number, int | np.integer)
