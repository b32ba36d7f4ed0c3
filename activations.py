"""What a node makes of z, the sum that reaches it; and the losses, which say how wrong outputs are.

Each is a row of a table, so a new one touches no loop. With tanh, for example:

    ACTIVATIONS["tanh"] = Activation(np.tanh, lambda a, slope: slope * (1 - a * a), np.arctanh)

Sources: M. Nielsen, "Neural Networks and Deep Learning" (2015), chapters 2 and 3.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


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

# --- Losses ---------------------------------------------------------------------------------------


class Loss(NamedTuple):
    value: Callable  # z, targets (B, 10), the activation -> how wrong each row is, (B,)
    delta: Callable  # outputs, targets, a factor, the activation -> its slope by z, (B, 10)


def squared_error(z, targets, activation):
    return ((activation.value(z) - targets) ** 2).sum(axis=1) / 2


def squared_error_delta(outputs, targets, scale, activation):
    return activation.backward(outputs, (outputs - targets) * scale)


# Cross-entropy is computed from z: an output rounded to 0 or 1 has lost its logarithm.


def cross_entropy(z, targets, activation):
    """The sum of -t log(o), where o = e^z / (the sum of e^z over its row)."""
    largest = z.max(axis=1, keepdims=True)  # taken out, so that exp cannot overflow
    log_sum = largest + np.log(np.exp(z - largest).sum(axis=1, keepdims=True))  # (B, 1)
    return (targets * (log_sum - z)).sum(axis=1)


def binary_cross_entropy(z, targets, activation):
    """The sum of -t log(o) - (1 - t) log(1 - o), where -log(1 - o) = log(1 + e^z) = -log(o) + z."""
    return (np.logaddexp(0, z) - targets * z).sum(axis=1)


def cross_entropy_delta(outputs, targets, scale, activation):
    """The slope of the loss and that of sigmoid or softmax cancel out (Nielsen, chapter 3)."""
    return (outputs - targets) * scale


SQUARED_ERROR = Loss(squared_error, squared_error_delta)
LOSSES = {  # by loss and output activation
    ("squared error", "sigmoid"): SQUARED_ERROR,
    ("squared error", "relu"): SQUARED_ERROR,
    ("squared error", "softmax"): SQUARED_ERROR,
    # One choice among ten; ten choices between yes and no
    ("cross-entropy", "softmax"): Loss(cross_entropy, cross_entropy_delta),
    ("cross-entropy", "sigmoid"): Loss(binary_cross_entropy, cross_entropy_delta),
}
