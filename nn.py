"""A neural network in NumPy: read it in one sitting, train it in seconds, run it backwards.

Here: the forward pass, exact backpropagation, training by gradient descent, digits turned a little
as extra examples, and the backward query. Next door, in the files imported below: what can be
chosen, activations, losses and optimisers; and what is said to a wrong input.

Rows are examples: B of them in a batch, n in all. The shapes in the comments are those of the
default network of 784 inputs, 100 hidden nodes and 10 outputs:

    x (B, 784) - weights[0] (784, 100) -> hidden (B, 100) - weights[1] (100, 10) -> outputs (B, 10)

Sources: T. Rashid, "Make Your Own Neural Network" (2016), for the network, the turned digits and
the backward query; M. Nielsen, "Neural Networks and Deep Learning" (2015), chapters 2 and 3, for
backpropagation and the losses.
"""

from functools import lru_cache

import numpy as np
import scipy.ndimage
import scipy.sparse

import checks
from activations import ACTIVATIONS, LOSSES
from machine import one_thread
from optimisers import plain, schedule
from progress import Watch

CHUNK = 2_000  # images worked on at a time where there are many, so that memory stays small


def normal(rng, shape):
    """Initial weights: mean 0, spread inputs^-0.5, so that z starts where the sigmoid is steep."""
    return rng.normal(0, shape[0] ** -0.5, shape)


def uniform(low, high):
    """Initial weights as many tutorials have them."""
    return lambda rng, shape: rng.uniform(low, high, shape)


class NeuralNetwork:
    """A fully connected network with any number of layers.

    layers   nodes a layer, inputs first: (784, 100, 10); (784, 10) has no hidden layer
    hidden   activation of the hidden layers: "sigmoid", "relu" or "softmax"
    output   activation of the last layer, one of the same
    loss     "squared error" or "cross-entropy"
    biases   whether each node adds a number of its own to z, learned from 0
    initial  normal, uniform(low, high) or a function (rng, shape (inputs, nodes)) -> weights
    seed     same seed, same machine: same weights, same order of examples
    dtype    np.float32 for speed, np.float64 to check gradients

    `weights` and `biases` are lists with one array a layer; without biases their list is empty.
    `history` lists what `train` measured. ValueError for an option it does not know.
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
        self.layers = checks.building(layers, biases, initial, seed, dtype)
        self.hidden = checks.known("hidden", hidden, ACTIVATIONS)
        self.loss_name, self.output = checks.known("(loss, output)", (loss, output), LOSSES)
        self.dtype = np.dtype(dtype).type
        self.rng = np.random.default_rng(seed)
        self.weights = [
            checks.drawn(initial(self.rng, shape), shape).astype(dtype)  # (inputs, nodes)
            for shape in zip(self.layers[:-1], self.layers[1:], strict=True)
        ]
        self.biases = [np.zeros(nodes, dtype) for nodes in self.layers[1:]] if biases else []
        self.history, self.epoch = [], 0.0  # epochs trained so far
        self.memory = {}  # what an optimiser keeps between steps

    def as_input(self, images):
        """Rows for the first layer, (n, 784). Bytes are pixels: 0..255 becomes 0.01..1.00, never
        0, since a weight whose input is 0 does not learn. Other numbers stay as they are.
        ValueError for rows of another length and for pixels that are not bytes."""
        x = checks.rows(images, self.layers[0])
        if x.dtype == np.uint8:
            x = x.astype(self.dtype)  # then in place: faster than x * 0.99 / 255 + 0.01
            x *= 0.99 / 255
            x += 0.01
        return x.astype(self.dtype, copy=False)

    def as_targets(self, labels):
        """What the outputs should be, (n, 10). Digits become rows of 0.01 with 0.99 at the digit's
        node, since a sigmoid never reaches 0 or 1; with softmax, which can, 0 and 1. Rows of
        numbers stay as they are. One output node stands for the labels 0 and 1. ValueError for
        labels that have no node and for rows of another length."""
        targets, nodes = checks.labels(labels, self.layers[-1]), self.layers[-1]
        low, high = (0.0, 1.0) if self.output == "softmax" else (0.01, 0.99)
        if targets.ndim == 1:
            rows = np.eye(nodes) if nodes > 1 else np.array([[0], [1]])  # (labels, nodes)
            targets = (low + (high - low) * rows)[targets]
        return checks.shares(self.output, targets).astype(self.dtype, copy=False)

    # -- Forward and backward

    def activation(self, layer):
        return ACTIVATIONS[self.output if layer in (-1, len(self.weights) - 1) else self.hidden]

    def sums(self, a, layer):
        """z, the sum into each node of a layer (B, nodes), from the activations before it."""
        z = a @ self.weights[layer]
        if self.biases:
            z += self.biases[layer]
        return z

    def forward(self, x):
        """The activations of every layer: [x (B, 784), hidden (B, 100), outputs (B, 10)]."""
        activations = [self.as_input(x)]
        for layer in range(len(self.weights)):
            z = self.sums(activations[layer], layer)  # (B, nodes)
            activations.append(self.activation(layer).value(z))  # (B, nodes)
        return activations

    def backprop(self, x, targets, scale=1.0):
        """The gradients: the exact slopes of the loss by each weight and each bias, as two lists
        like `weights` and `biases`, times `scale`. (train passes its learning rate there: scaling
        the small deltas saves a pass over the large weights.)"""
        activations = self.forward(x)
        deltas = self.deltas(activations, targets, scale)
        by_weights = [a.T @ delta for a, delta in zip(activations[:-1], deltas, strict=True)]
        by_biases = [delta.sum(axis=0) for delta in deltas] if self.biases else []
        return by_weights, by_biases  # [(784, 100), (100, 10)], [(100,), (10,)]

    def deltas(self, activations, targets, scale=1.0, loss=None):
        """The loss's slope by z, the sum into each node: one (B, nodes) a layer.

        It reads as forward in a mirror, from the outputs back: through the activation, then
        through the weights. (Rashid's book and others send outputs - targets back to the hidden
        layer, without the slope of the outputs' sigmoid. That is not the gradient of the first
        weights; lesson 2 measures what it costs.)"""
        outputs = activations[-1]  # (B, 10)
        targets = checks.matched(outputs, self.as_targets(targets))  # (B, 10)
        delta = LOSSES[loss or self.loss_name, self.output].delta  # of the mean over B rows:
        deltas = [delta(outputs, targets, scale / len(outputs), self.activation(-1))]  # (B, 10)
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
        learning_rate=None,
        batch_size=32,
        rotations=(10, -10),
        augment=None,
        descend=plain,
        validation=None,
        callback=None,
        each_step=None,
        progress=True,
    ):
        """Gradient descent on batches of shuffled examples. Call it again to go on.

        epochs         times through all examples
        learning_rate  a number, a function of the fraction of this training done, 0..1, or None:
                       one that fits the network and the batch size (optimisers.fitting_rate)
        batch_size     examples a step; None: all of them in each step
        rotations      degrees: each image is shown as it is and turned by these
        augment        a function (images, random generator) -> as many new ones of the same type,
                       called at the start of each epoch to make those it shows; distort is one
        descend        the optimiser: plain, nesterov(momentum, decay), or one of your own
        validation     (images, labels) to measure on, never to learn from
        callback       called with each measurement, five an epoch: loss, accuracy (of 1,000 of the
                       examples or so), validation_loss, validation_accuracy and epoch, in a dict
        each_step      called before each step with the fraction done
        progress       a bar with the time left and ten lines at most; an interrupt ends it quietly

        Returns `history`, all measurements so far. However it ends, weights and history stay, and
        the next call goes on with them. ValueError for what does not fit or learn: checks.py."""
        images, targets = checks.examples(self, images, labels)
        validation = checks.held_out(self, validation)
        rotations = checks.knobs(epochs, rotations, descend, augment, callback, each_step)
        count = len(targets) * (1 + len(rotations))  # examples an epoch
        batch_size = checks.batch_size(batch_size, count)  # None: all of them
        steps = -(-count // batch_size)  # an epoch; the last batch may be smaller
        rate_at = schedule(self, learning_rate, batch_size)  # fraction done -> learning rate
        watch = Watch(self, (images, targets), validation, callback, progress, epochs, steps, count)
        with watch, one_thread(), np.errstate(over="ignore", invalid="ignore"):  # watch says it
            if rotations:
                images = np.concatenate([images, *(rotate(images, angle) for angle in rotations)])
                targets = np.tile(targets, (1 + len(rotations), 1))  # (3 n, 10), images (3 n, 784)
            for epoch in range(epochs):
                fresh = checks.augmented(augment(images, self.rng), images) if augment else images
                for step, (x, t) in enumerate(self._batches(fresh, targets, batch_size), start=1):
                    done = (epoch + (step - 1) / steps) / epochs
                    if each_step:
                        each_step(done)
                    rate = rate_at(done)
                    by_weights, by_biases = self.backprop(x, t, scale=rate)
                    descend(self, by_weights + by_biases, rate)
                    watch.stepped(epoch, step, len(t))
        return self.history

    def _batches(self, images, targets, batch_size):
        if batch_size == len(targets):
            yield self.as_input(images), targets  # all at once: their order does not matter
            return
        order = self.rng.permutation(len(targets))
        for i in range(0, len(targets), batch_size):
            rows = order[i : i + batch_size]  # take is the same as images[rows], but faster
            yield images.take(rows, axis=0), targets.take(rows, axis=0)

    def outputs(self, images):
        """The last layer's activations, (n, 10), for any number of images."""
        return self.activation(-1).value(self.last_sums(images))

    def last_sums(self, images):
        """z of the last layer, (n, 10). Thousands of images need little memory."""
        images = checks.finite_rows(images, self.layers[0])
        chunks = (images[i : i + CHUNK] for i in range(0, max(len(images), 1), CHUNK))
        return np.concatenate([self.sums(self.forward(x)[-2], -1) for x in chunks])

    def predict(self, images):
        """The node with the largest output for each image, (n,); of a single node 0 or 1."""
        return largest(self.outputs(images))

    def judge(self, z, targets):
        """Loss and accuracy, given the last layer's sums and the targets, both (n, 10)."""
        losses = LOSSES[self.loss_name, self.output].value(z, targets, self.activation(-1))  # (n,)
        right = largest(self.activation(-1).value(z)) == largest(targets)  # (n,)
        return float(losses.mean()), float(right.mean())

    def measure(self, images, labels):
        """The mean loss, and the accuracy: the fraction, 0..1, of right predictions."""
        images, targets = checks.examples(self, images, labels)
        return self.judge(self.last_sums(images), targets)

    def loss(self, images, labels):
        return self.measure(images, labels)[0]

    def accuracy(self, images, labels):
        return self.measure(images, labels)[1]

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


def largest(outputs):
    return outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)


def stretch(z):
    """Each row moved and scaled so that it spans 0.01..0.99."""
    low, high = z.min(axis=1, keepdims=True), z.max(axis=1, keepdims=True)
    return 0.01 + 0.98 * (z - low) / np.where(high > low, high - low, 1)


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
    ValueError if the rows are no square pictures."""
    images = checks.pictures(images, least=0)
    matrix = _rotation(checks.side(images.shape[1]), *checks.finite(degrees=degrees))
    turned = np.empty_like(images)
    for i in range(0, len(images), 500):  # 500 at a time stay in the cache: twice as fast
        rows = (matrix @ images[i : i + 500].T.astype(np.float32)).T
        turned[i : i + 500] = np.rint(rows) if images.dtype.kind in "iu" else rows
    return turned
