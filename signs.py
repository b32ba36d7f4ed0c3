"""Teach a trained network your own hand, in a second or two: correct it, or give it new signs.

    known = distort(train.images, rng), train.labels
    taught = teach(net, images, labels, known)
    keep("data/my_drawings.csv", images, labels, ["star", "heart"])

`labels` are outputs. A 1 of yours that it took for a 7 has the label 1. The first sign of your own
has the first number that is free, 10, the next one 11: for each the network grows an output.

Who learns something new from a few pictures alone forgets the rest (*catastrophic forgetting*). So
most of what the network is shown meanwhile are digits that it knows already (*rehearsal*).

Sources: M. McCloskey, N. Cohen 1989, "Catastrophic Interference in Connectionist Networks"; A.
Robins 1995, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal".
"""

import copy
from urllib.parse import quote, unquote

import numpy as np

import checks
import digit_csv
import mnist
from distortions import distort
from files import written_whole
from nn import normal
from optimisers import fitting_rate

# Chosen on held-out training digits and drawings of other signs, see benchmarks/signs.py.
EXAMPLES, MORE = 40_000, 16_000  # shown in all; and for each new sign
SHARE = 0.1  # of them are yours, again and again, each time distorted in another way


def teach(net, images, labels, known, *, seed=0, each_step=None):
    """A copy of `net` that has learned from your drawings.

    images     (n, 784), a few of them, prepared as the network knows them
    labels     (n,): which output each should have lit. Those that the network has not yet, it
               grows, if none is left out: 10, 11, ...
    known      (images, labels) of what it must not forget, as many as you have. Distorted ones
               hold better: as they are, the network knows them by heart, and learns no more of them
    each_step  called with the copy before each step of its training, to be watched, or ended by an
               exception

    ValueError for what does not fit.
    """
    fresh, rng = checks.teaching(net, labels, seed, each_step), np.random.default_rng(seed)
    taught = _grown(net, fresh, rng)
    images, targets = checks.examples(taught, images, labels)
    old_images, old_targets = checks.examples(taught, *checks.pair("known", known))
    count = EXAMPLES + MORE * fresh
    yours = np.resize(np.arange(len(images)), round(SHARE * count))  # all of them, in turns
    theirs = rng.integers(len(old_images), size=count - len(yours))
    rate = fitting_rate(taught, 32)
    taught.train(
        np.concatenate([distort(images[yours], rng), old_images[theirs].astype(images.dtype)]),
        np.concatenate([targets[yours], old_targets[theirs]]),
        epochs=1,
        rotations=(),
        learning_rate=lambda done: rate * (1 - done),
        each_step=each_step and (lambda done: each_step(taught)),
        progress=False,
    )
    return taught


def _grown(net, count, rng):
    """A copy with so many outputs more, whose weights are a newborn's."""
    grown = copy.deepcopy(net)
    grown.rng, grown.memory = rng, {}
    grown.layers = (*net.layers[:-1], net.layers[-1] + count)
    fresh = normal(rng, (net.layers[-2], count)).astype(net.dtype)
    grown.weights[-1] = np.concatenate([net.weights[-1], fresh], axis=1)  # (100, 10 + count)
    if net.biases:
        grown.biases[-1] = np.concatenate([net.biases[-1], np.zeros(count, net.dtype)])
    return grown


# --- A file of drawings ---------------------------------------------------------------------------


def keep(path, images, labels, names=()):
    """Write drawings into a CSV in MNIST's format, which mnist.read reads: a line each, the label
    first. A first line has the `names` of the labels 10, 11, ...

    OSError, naming the file, if it cannot be written; the old one stays.
    """
    signs = [f"{n}={quote(str(name))}" for n, name in enumerate(names, start=10)]
    columns = [" ".join(["sign", *signs]), *(f"pixel{n}" for n in range(images.shape[1]))]
    rows = np.column_stack([labels, images])
    with written_whole(path) as file:
        np.savetxt(file, rows, "%d", ",", header=",".join(columns), comments="")


def load(path):
    """Images (n, 784), labels (n,) and the names of signs that `keep` wrote, or any CSV that
    mnist.read reads. It raises what mnist.read does."""
    found = mnist.read(path)
    with digit_csv.opened(path) as file:
        first = file.readline(digit_csv.LONGEST).split(",")[0].split()
    names = [unquote(sign.partition("=")[2]) for sign in first[1:]]
    count = max(found.labels.max() - 9, 0)
    names = (names + [""] * count)[:count]
    return found.images, found.labels, [name or str(n) for n, name in enumerate(names, start=10)]
