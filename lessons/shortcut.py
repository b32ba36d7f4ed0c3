"""Lesson 2's shortcut: the hidden error without the slope of the outputs, and what it costs.

    python lessons/shortcut.py    # trains 18 networks on MNIST, writes lessons/shortcut.json

The notebook derives `backprop` below, measures it on few digits, and reads the figures for many
digits from the JSON file.
"""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import mnist  # noqa: E402
from nn import NeuralNetwork  # noqa: E402

RATES = (0.3, 1, 3)
SEEDS = (0, 1, 2)
EPOCHS = 5


def backprop(net, x, targets, scale=1.0):
    """In place of net.backprop, for sigmoids with one hidden layer: NOT the gradients."""
    x, hidden, outputs = net.forward(x)
    errors = (outputs - net.as_targets(targets)) * (scale / len(outputs))  # (B, 10)
    delta_outputs = errors * outputs * (1 - outputs)  # (B, 10), exact
    delta_hidden = (errors @ net.weights[1].T) * hidden * (1 - hidden)  # (B, 100), the shortcut
    return [x.T @ delta_hidden, hidden.T @ delta_outputs], []


def accuracy(kind, rate, seed, training, validation, epochs=EPOCHS):
    """Of the default network on the validation digits; kind is "exact" or "shortcut"."""
    net = NeuralNetwork(seed=seed)
    if kind == "shortcut":
        net.backprop = partial(backprop, net)
    net.train(*training, epochs=epochs, learning_rate=rate, progress=False)
    return net.accuracy(*validation)


def split(digits, validation, training=None):
    """Two pairs (images, labels), always the same ones, picked at random."""
    order = np.random.default_rng(0).permutation(len(digits.images))
    held, rest = order[:validation], order[validation:][:training]
    return [(digits.images[rows], digits.labels[rows]) for rows in (rest, held)]


if __name__ == "__main__":
    digits, _ = mnist.load()
    training, validation = split(digits, len(digits.images) // 12)
    measured = {
        "command": "python lessons/shortcut.py",
        "digits": f"{len(training[1]):,} to train on, {len(validation[1]):,} held out",
        "epochs": EPOCHS,
        "seeds": SEEDS,
        "accuracy": {"exact": {}, "shortcut": {}},
    }
    for kind, by_rate in measured["accuracy"].items():
        for rate in RATES:
            by_rate[str(rate)] = [accuracy(kind, rate, s, training, validation) for s in SEEDS]
            print(kind, rate, [f"{a:.2%}" for a in by_rate[str(rate)]], flush=True)
    (HERE / "shortcut.json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
