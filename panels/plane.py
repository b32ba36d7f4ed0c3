"""Two inputs, one answer: points on a plane, and a network that learns to part them."""

import anywidget
import numpy as np
import traitlets
from ipywidgets import Layout
from sklearn.datasets import make_circles, make_moons

import checks
from nn import NeuralNetwork

from .controls import Panel
from .playground import look, on_slider, script
from .wire import as_bytes, put_into

MOST = 8  # hidden nodes, whose lines one can still tell apart


def _two_groups(rng):
    kinds = np.arange(40) % 2
    return rng.normal(np.where(kinds[:, None], 0.6, -0.6), 0.35, (40, 2)), kinds


def _presets():
    """Points by name: [[x, y, kind], ...] from -1.5 to 1.5, always the same."""
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], float)
    moons, moon = make_moons(60, noise=0.08, random_state=0)
    sets = {
        "two groups": _two_groups(np.random.default_rng(0)),
        "exclusive or": (corners, [0, 1, 1, 0]),
        "rings": make_circles(60, noise=0.05, factor=0.4, random_state=0),
        "moons": ((moons - [0.5, 0.25]) * 0.8, moon),
    }
    return {
        name: [
            [*xy, int(kind)] for xy, kind in zip(np.round(places, 3).tolist(), kinds, strict=True)
        ]
        for name, (places, kinds) in sets.items()
    }


PRESETS = _presets()
# A browser's bytes come as a memoryview, which the trait would refuse
AS_BYTES = {"sync": True, "from_json": lambda value, widget: bytes(value)}


class Plane(anywidget.AnyWidget):
    """The plane as a widget: panels/plane.js. All traits can come from both sides."""

    _esm, _css = script("plane.js"), look()
    presets = traitlets.Dict().tag(sync=True)
    points = traitlets.List().tag(sync=True)  # [[x, y, kind], ...]
    hidden = traitlets.Int().tag(sync=True)
    learning_rate = traitlets.Float().tag(sync=True)
    start = traitlets.Bytes().tag(
        **AS_BYTES
    )  # weights, then biases, float32, before the first step
    parameters = traitlets.Bytes().tag(**AS_BYTES)  # the same after `steps`
    steps = traitlets.Int().tag(sync=True)


class PlanePanel(Panel):
    """Set points of two kinds, and watch a network learn to part them.

    points         "two groups", "exclusive or", "rings" or "moons"; or places (n, 2) from -1.5 to
                   1.5 and kinds (n,), 0 or 1
    hidden         hidden nodes, 1 to 8; 0: a single neuron
    learning_rate  of plain gradient descent, all points in each step; 0.01 to 30
    seed           of the weights it starts with

    The browser trains, also while the kernel is at work or gone. `net` is the network as it is
    now, `places` and `kinds` are the points, `steps` how many it has made. ValueError for another
    name, and for numbers out of their range.
    """

    def __init__(self, points="exclusive or", hidden=4, learning_rate=1.0, seed=0):
        if hidden not in range(MOST + 1):
            raise ValueError(f"hidden: expected 0 to {MOST} nodes, got {hidden!r}")
        learning_rate = on_slider(learning_rate)
        if isinstance(points, str):
            points = PRESETS[checks.known("points", points, PRESETS)]
        else:
            places, kinds = points
            points = [[*map(float, xy), int(kind)] for xy, kind in zip(places, kinds, strict=True)]
            if not all(max(abs(x), abs(y)) <= 1.5 and kind in (0, 1) for x, y, kind in points):
                raise ValueError("points: expected places from -1.5 to 1.5, and kinds 0 or 1")
        start = as_bytes(network(hidden, seed))
        self.box = Plane(layout=Layout(width="100%", padding="4px"))
        with self.box.hold_sync():
            self.box.presets, self.box.points = PRESETS, points
            self.box.hidden, self.box.learning_rate = hidden, learning_rate
            self.box.start = self.box.parameters = start

    @property
    def net(self):
        """A NeuralNetwork (2, hidden, 1) with the weights of now: cross-entropy, with biases."""
        return put_into(network(self.box.hidden), self.box.parameters)

    @property
    def places(self):
        return np.array([point[:2] for point in self.box.points], np.float32).reshape(-1, 2)

    @property
    def kinds(self):
        """(n, 1), 0 or 1: the targets."""
        return np.array([point[2:] for point in self.box.points], np.float32).reshape(-1, 1)

    @property
    def steps(self):
        return self.box.steps


def network(hidden, seed=0):
    layers = (2, hidden, 1) if hidden else (2, 1)
    return NeuralNetwork(layers, loss="cross-entropy", biases=True, seed=seed)
