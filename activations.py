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
    value: Callable  # outputs and targets (B, 10) -> how wrong each row is, (B,)
    delta: Callable  # outputs, targets, a factor, the activation -> its slope by z, (B, 10)


def squared_error(outputs, targets):
    return ((outputs - targets) ** 2).sum(axis=1) / 2


def squared_error_delta(outputs, targets, scale, activation):
    return activation.backward(outputs, (outputs - targets) * scale)


def cross_entropy(outputs, targets):
    tiny = np.finfo(outputs.dtype).tiny  # keeps the logarithm of an output of 0 finite
    return -(targets * np.log(np.maximum(outputs, tiny))).sum(axis=1)


def binary_cross_entropy(outputs, targets):
    return cross_entropy(outputs, targets) + cross_entropy(1 - outputs, 1 - targets)


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
