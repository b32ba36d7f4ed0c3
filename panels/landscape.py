"""The loss of a neuron over its two weights, as heights, and a ball that rolls down."""

import anywidget
import numpy as np
import traitlets
from ipywidgets import Layout
from scipy.optimize import minimize

import checks
from activations import sigmoid

from .controls import Panel
from .playground import look, on_slider, script


class Landscape(anywidget.AnyWidget):
    """The landscape as a widget: panels/landscape.js."""

    _esm, _css = script("landscape.js"), look()
    inputs = traitlets.Bytes().tag(sync=True)  # (n, 2) float32 in C order
    targets = traitlets.Bytes().tag(sync=True)  # (n, 1) float32
    bias = traitlets.Float().tag(sync=True)
    bottom = traitlets.List().tag(sync=True)  # the two weights with the least loss
    learning_rate = traitlets.Float().tag(sync=True)
    momentum = traitlets.Float().tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)  # of the second input
    start = traitlets.List([0.0, 0.0]).tag(sync=True)
    weights = traitlets.List([0.0, 0.0]).tag(sync=True)  # after `steps`
    steps = traitlets.Int().tag(sync=True)


class LandscapePanel(Panel):
    """See the loss over the two weights of a neuron, and let a ball roll down.

    x              inputs (n, 2)
    t              what the neuron should answer, 0 or 1, (n,) or (n, 1)
    bias           of the neuron; it stays
    learning_rate  of gradient descent, all examples in each step; 0.01 to 30
    momentum       Nesterov's, from 0 to below 1; see optimisers.nesterov

    In its ravine, the second input is four times as large. `weights` are those of now, (2,).
    ValueError for what does not fit.
    """

    def __init__(self, x, t, bias=0.0, learning_rate=3.0, momentum=0.0):
        checks.fractions(momentum=momentum)
        x, t = np.asarray(x, float), np.asarray(t, float).reshape(-1)
        if x.shape != (len(t), 2):
            raise ValueError(f"x: expected two inputs for each of {len(t)} answers, got {x.shape}")
        (bias,) = checks.finite(bias=bias)
        learning_rate = on_slider(learning_rate)
        self.box = Landscape(layout=Layout(width="100%", padding="4px"))
        with self.box.hold_sync():
            self.box.inputs, self.box.targets = (a.astype("<f4").tobytes() for a in (x, t))
            self.box.bias, self.box.bottom = bias, lowest(x, t, bias).tolist()
            self.box.learning_rate, self.box.momentum = learning_rate, momentum

    @property
    def weights(self):
        return np.array(self.box.weights)

    @property
    def steps(self):
        return self.box.steps


def lowest(x, t, bias):
    """The two weights at the bottom, (2,). A hint of a penalty on large ones ends the way down also
    where every example can be got right, and the bottom is endlessly far."""

    def loss(w):
        z = x @ w + bias  # (n,)
        return (np.logaddexp(0, z) - t * z).mean() + 1e-4 * w @ w

    def slope(w):
        return x.T @ (sigmoid(x @ w + bias) - t) / len(x) + 2e-4 * w

    return minimize(loss, np.zeros(2), jac=slope).x
