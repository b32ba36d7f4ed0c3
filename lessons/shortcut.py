"""Lesson 2's shortcut: the hidden error without the slope of the outputs, and what it costs.

    python -m lessons.shortcut    # trains 24 networks on MNIST, writes lessons/shortcut.json

The notebook derives `backprop` below, measures it on few digits, and reads the figures for many
digits from the JSON file.
"""

import json
from functools import partial
from pathlib import Path

from sklearn.model_selection import train_test_split

import mnist
from nn import NeuralNetwork

RESULTS = Path(__file__).with_suffix(".json")
RATES = (0.3, 1, 3, 10)  # the best one of each kind is not the last
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


if __name__ == "__main__":
    digits, _ = mnist.load()
    images, held_images, labels, held_labels = train_test_split(
        digits.images, digits.labels, test_size=len(digits.images) // 12, random_state=0
    )
    training, validation = (images, labels), (held_images, held_labels)
    measured = {
        "command": "python -m lessons.shortcut",
        "digits": f"{len(training[1]):,} to train on, {len(validation[1]):,} held out",
        "epochs": EPOCHS,
        "seeds": SEEDS,
        "accuracy": {"exact": {}, "shortcut": {}},
    }
    for kind, by_rate in measured["accuracy"].items():
        for rate in RATES:
            by_rate[str(rate)] = [accuracy(kind, rate, s, training, validation) for s in SEEDS]
            print(kind, rate, [f"{a:.2%}" for a in by_rate[str(rate)]], flush=True)
    RESULTS.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
