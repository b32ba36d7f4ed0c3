"""Does a network learn with the learning rate that it gets by default (learning_rate=None)?

    python -m benchmarks.defaults          some networks; exit code 1 if one does not learn
    python -m benchmarks.defaults --all    every one, written to defaults.json; takes hours

The networks: every pair of loss and output activation, every hidden activation, with and without
biases, no hidden layer to three of them, of 20 to 500 nodes, and batches of 1 to 1,000 digits. Each
has ten epochs to read 90 % of the sample's 1,000 held-out digits. (Hyperparameters are chosen on
digits held out from the training set, and so is the rule for the rate: all of the sample is from
MNIST's training set.) Where one does not get there, other rates are tried, and defaults.json says
how far the best of them gets.

Interrupt --all when you like and start it again: it goes on with the networks that are missing.
Where the rule for the rate has changed since, they are trained anew.
"""

import argparse
import contextlib
import json
import sys
import warnings
from itertools import product
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

import mnist
from activations import ACTIVATIONS, LOSSES
from files import written_whole
from nn import NeuralNetwork
from optimisers import schedule

RESULTS = Path(__file__).with_suffix(".json")
EPOCHS, ENOUGH = 10, 0.9
OTHERS = (1 / 10, 1 / 3, 3, 10)  # times the rate that does not do
SLACK = 0.02  # in check, as another processor ends with other weights
SOME = {  # networks that check trains: hidden activation, output activation, loss -> what else
    ("sigmoid", "sigmoid", "squared error"): [
        ((784, 100, 10), False, 32),
        ((784, 20, 10), True, 1),
        ((784, 300, 10), False, 8),
        ((784, 500, 10), True, 32),
        ((784, 200, 200, 200, 10), False, 32),
        ((784, 10), True, 8),
    ],
    ("sigmoid", "softmax", "squared error"): [((784, 100, 10), True, 128), ((784, 10), True, 32)],
    ("sigmoid", "sigmoid", "cross-entropy"): [
        ((784, 20, 20, 10), True, 32),
        ((784, 10), True, 128),
    ],
    ("sigmoid", "softmax", "cross-entropy"): [
        ((784, 100, 10), False, 1000),
        ((784, 500, 10), False, 128),
        ((784, 100, 100, 10), True, 8),
        ((784, 10), False, 32),
    ],
    ("relu", "sigmoid", "squared error"): [((784, 100, 100, 100, 10), True, 32)],
    ("relu", "softmax", "squared error"): [((784, 100, 10), False, 128)],
    ("relu", "relu", "squared error"): [((784, 100, 10), True, 32)],
    ("relu", "sigmoid", "cross-entropy"): [
        ((784, 20, 20, 20, 10), False, 8),
        ((784, 500, 10), True, 1000),
    ],
    ("relu", "softmax", "cross-entropy"): [
        ((784, 100, 10), False, 32),
        ((784, 20, 10), True, 1),
        ((784, 500, 500, 10), False, 32),
    ],
}
NAMED = {  # on full MNIST
    "the default": {},
    "ReLU, softmax, cross-entropy": {
        "hidden": "relu",
        "output": "softmax",
        "loss": "cross-entropy",
    },
    "300 hidden nodes": {"layers": (784, 300, 10)},
}
NAMED_ENOUGH = 0.95


def grid():
    """(options of NeuralNetwork, batch size) of each network."""
    shapes = [(784, 10)]
    shapes += [(784, *[nodes] * depth, 10) for depth in (1, 2, 3) for nodes in (20, 100, 500)]
    found = []
    for layers, (loss, output), hidden, biases, batch_size in product(
        shapes, LOSSES, ACTIVATIONS, (False, True), (1, 32, 1000)
    ):
        if len(layers) > 2 or hidden == "sigmoid":  # no hidden layer, no hidden activation
            names = {"hidden": hidden, "output": output, "loss": loss, "biases": biases}
            found.append(({"layers": layers} | names, batch_size))
    return found


def some():
    """The same of those that check trains."""
    return [
        (
            {"layers": layers, "hidden": hidden, "output": output, "loss": loss, "biases": biases},
            size,
        )
        for (hidden, output, loss), networks in SOME.items()
        for layers, biases, size in networks
    ]


def in_words(options, batch_size):
    """The network as JSON, with the rate that it gets, at the beginning and at the end: where that
    changes, it is another network."""
    net = NeuralNetwork(**options, initial=lambda rng, shape: np.zeros(shape))
    rate_at = schedule(net, None, batch_size)
    rates = [float(f"{rate_at(done):.3g}") for done in (0, 1)]
    return json.loads(json.dumps(options | {"batch_size": batch_size, "learning_rate": rates}))


class Enough(Exception):
    pass


def learn(options, batch_size, train, test, factor=1, enough=ENOUGH):
    """How many epochs until so many test digits are read, and the accuracy then, or after all
    epochs, or after the last one before the loss was no number any more. One that reads less than
    a third after half of the epochs is given up: it will not get there."""
    net, found = NeuralNetwork(**options), {"epochs": 0, "accuracy": 0.0}

    def look(measurement):
        epoch = measurement["epoch"]
        if epoch % 1 == 0:
            found.update(epochs=int(epoch), accuracy=net.accuracy(*test))
            if found["accuracy"] >= enough or (epoch >= EPOCHS / 2 and found["accuracy"] < 1 / 3):
                raise Enough

    usual = schedule(net, None, batch_size)
    knobs = {"learning_rate": None if factor == 1 else lambda done: factor * usual(done)}
    knobs |= {"epochs": EPOCHS, "batch_size": batch_size, "callback": look, "progress": False}
    with warnings.catch_warnings(), contextlib.suppress(Enough, ValueError):
        warnings.simplefilter("ignore")  # that it gives one answer to all is seen in the accuracy
        net.train(*train, **knobs)
    return found


def check(train, test):
    """Train SOME on the sample and print how they do. A sentence for each that does not learn."""
    stuck = []
    for options, batch_size in some():
        found, network = learn(options, batch_size, train, test), in_words(options, batch_size)
        told = f"{found['accuracy']:.1%} after {found['epochs']} epochs: {network}"
        print(told, flush=True)
        if found["accuracy"] < ENOUGH - SLACK:
            stuck.append(told)
    return stuck


def check_named(train, test):
    """The same for NAMED, on full MNIST."""
    stuck = []
    for name, options in NAMED.items():
        found = learn(options, 32, train, test, enough=NAMED_ENOUGH)
        print(f"{found['accuracy']:.1%} after {found['epochs']} epochs of full MNIST: {name}")
        if found["accuracy"] < NAMED_ENOUGH:
            stuck.append(f"{found['accuracy']:.1%} by {name}")
    return stuck


# --- All of them ----------------------------------------------------------------------------------


def read():
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def write(rows):
    lines = ",\n".join(json.dumps(row) for row in rows)  # a network a line
    with written_whole(RESULTS) as file:
        file.write(f"[\n{lines}\n]\n".encode())


def run_all(train, test):
    known, rows = read(), []
    for options, batch_size in tqdm(grid(), unit=" networks"):
        network = in_words(options, batch_size)
        before = [row for row in known if row["network"] == network]
        if before:
            rows += before
            continue
        row = {"network": network} | learn(options, batch_size, train, test)
        if row["accuracy"] < ENOUGH:
            found = {f: learn(options, batch_size, train, test, f)["accuracy"] for f in OTHERS}
            best = max(found, key=found.get)
            row |= {"best other rate, times ours": round(best, 3), "its accuracy": found[best]}
        rows.append(row)
        write(rows + [row for row in known if row not in rows])
    write(rows)
    return rows


def summary(rows):
    """How many learn, and those that do not though another rate does."""
    learned = [row for row in rows if row["accuracy"] >= ENOUGH]
    better = [row for row in rows if row not in learned and row["its accuracy"] >= ENOUGH]
    lines = [
        f"{len(rows)} networks, of which {len(learned)} learn with the default rate, "
        f"{len(better)} only with another one, {len(rows) - len(learned) - len(better)} with none."
    ]
    return "\n".join(lines + [json.dumps(row) for row in better])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        "python -m benchmarks.defaults", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--all", action="store_true", help="every network, written to defaults.json"
    )
    arguments = parser.parse_args()
    digits = [(part.images, part.labels) for part in mnist.load_sample()]
    if arguments.all:
        print(summary(run_all(*digits)))
    else:
        sys.exit("\n".join(check(*digits)) or 0)
