"""Five networks that do not learn, each for one reason. Look here after lesson 8, not before."""

from typing import Any, NamedTuple

import numpy as np

import nn
from nn import NeuralNetwork
from optimisers import fitting_rate


class Patient(NamedTuple):
    """A network as its author trains it."""

    options: dict[str, Any]  # of NeuralNetwork
    learning_rate: float
    images: np.ndarray  # (n, 784), bytes
    labels: np.ndarray  # (n,)

    def network(self):
        """A new one, untrained."""
        return NeuralNetwork(**self.options)


def zeros(rng, shape):
    return np.zeros(shape)


RELU = {"hidden": "relu", "output": "softmax", "loss": "cross-entropy", "biases": True}


def patients(images, labels, seed=0):
    """Five patients by number, 1 to 5; `labels` (n,) are right for `images` (n, 784)."""
    shuffled = np.random.default_rng(seed).permutation(labels)
    return {
        1: Patient({"initial": nn.uniform(-5, 5), "seed": seed}, 1, images, labels),
        2: Patient({"seed": seed}, 1e-4, images, labels),
        3: Patient({"initial": zeros, "dtype": np.float64, "seed": seed}, 1, images, labels),
        4: Patient(RELU | {"seed": seed}, 5, images, labels),
        5: Patient({"seed": seed}, 1, images, shuffled),
    }


def remedies(labels):
    """By name, what turns a patient into one that is treated; `labels` (n,) are the right ones."""

    def another_rate(patient):
        # A third of what fits 60,000 digits: a training of few steps has no time to settle
        return patient._replace(learning_rate=fitting_rate(patient.network(), 32) / 3)

    def other_first_weights(patient):
        return patient._replace(options=patient.options | {"initial": nn.normal})

    def other_labels(patient):
        return patient._replace(labels=labels)

    return {"rate": another_rate, "first weights": other_first_weights, "labels": other_labels}
