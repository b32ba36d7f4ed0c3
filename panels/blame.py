"""Touch the blame: which numbers make the slope of the loss by this weight?

Every number comes from here, that is, from nn.py, in 64 bits. (The many weights travel in the
network's own kind, 32 bits as a rule.) What becomes of them in the browser is in blame_chain.js,
blame_stage.js and blame.js: pointing at something asks nobody. They travel as text, as some front
ends lose bytes. Until they are there the browser shows what they will be (blame_ahead.js): on its
way a short answer may wait 40 ms, as a connection saves packets (J. Nagle 1984, RFC 896).
"""

import copy
import json
import threading
from collections import deque

import anywidget
import numpy as np
import traitlets
from ipywidgets import VBox

import plots
from optimisers import fitting_rate, plain
from page.build import NETWORK, joined

from .controls import Panel, png
from .lines import lines_of
from .wire import files, in_base64

PARTS = ("keys.js", "blame_chain.js", "blame_ahead.js", "blame_stage.js", "blame.js")
PUSH = 1e-4  # how far a nudge moves a number
MOMENTS = 40  # of a training, at most
UNDO = 100  # steps back, at most: each keeps all weights
AHEAD = 4e6  # bytes of images that the browser is handed, at most, to know what comes


def packed(kind, *arrays):
    """Numbers of a kind, one array after the other, as text."""
    return in_base64(np.concatenate([np.ravel(array) for array in arrays]).astype(kind))


class Network(anywidget.AnyWidget):
    """The picture: a network with its numbers, to point at."""

    _esm = joined("elements.js", *NETWORK) + "\n" + files(*PARTS)
    _css = files("blame.css")
    about = traitlets.Dict().tag(sync=True)  # what does not change
    example = traitlets.Int(0).tag(sync=True, echo_update=False)  # the number of the image
    moment = traitlets.Int(0).tag(sync=True, echo_update=False)  # of the training
    weights = traitlets.Unicode().tag(sync=True)  # packed: all layers' weights, then biases
    numbers = traitlets.Unicode().tag(sync=True)  # JSON with what one image makes of them


class BlamePanel(Panel):
    """Point at a weight, a node or a pixel, and see which numbers make its slope.

    net             is copied, so it stays as it is
    images, labels  to point at, and to learn from: as net.train takes them
    knobs           net.train's, for the training whose moments you can go to; epochs=0: none

    `exact` is the copy, in 64 bits. step() goes one step down the slopes of the image that is
    shown, back() undoes that, nudge() moves one number and measures: what the buttons do.
    ValueError for what does not fit or learn, as from train.
    """

    def __init__(self, net, images, labels, **knobs):
        self.exact, self.lock = copy.deepcopy(net), threading.RLock()
        self.past, self.steps = deque(maxlen=UNDO), 0
        self.exact.dtype, self.images = np.float64, np.atleast_2d(images)
        self.targets = self.exact.as_targets(labels)  # (n, 10)
        self.rate = fitting_rate(net, 1)
        self.moments = self._trained(copy.deepcopy(net), **knobs)
        about = {name: getattr(net, name) for name in ("layers", "hidden", "output", "loss_name")}
        about |= {"biases": bool(net.biases), "lines": lines_of(net), "rate": self.rate}
        about |= {"push": PUSH, "bits": 8 * np.dtype(net.dtype).itemsize} | self._examples()
        self.view = Network(about=about | {"moments": [steps for steps, _ in self.moments]})
        self.box, self.still = VBox([self.view]), None
        self._go()
        self.view.observe(lambda change: self._show(), "example")
        self.view.observe(lambda change: self._go(), "moment")
        self.view.on_msg(lambda view, message, buffers: self._asked(**message))

    def _examples(self):
        """How many there are; if they are not too many, also the images and targets, as text."""
        about = {"examples": len(self.images), "bytes": self.images.dtype == np.uint8}
        images = self.images if about["bytes"] else self.exact.as_input(self.images)
        if images.nbytes <= AHEAD:
            about |= {"images": in_base64(images), "targets": packed("<f8", self.targets)}
        return about

    def _trained(self, net, epochs=5, batch_size=32, rotations=(), **knobs):
        """[(steps, weights and biases)]: moments of a training, ever farther apart."""
        seen, count = [], len(self.images) * (1 + len(rotations))
        steps = epochs * -(-count // (batch_size or count))
        wanted = {0, *(np.geomspace(1, max(steps, 1), MOMENTS).astype(int) - 1)}

        def keep(done):  # before each step; the weights only at those moments
            weights = net.weights + net.biases
            seen.append([w.copy() for w in weights] if len(seen) in wanted else None)

        if epochs:
            knobs = {"progress": False, "batch_size": batch_size, "rotations": rotations} | knobs
            net.train(self.images, self.targets, epochs=epochs, each_step=keep, **knobs)
        seen.append(net.weights + net.biases)
        return [(n, parameters) for n, parameters in enumerate(seen) if parameters]

    # What the buttons do

    def step(self):
        with self.lock:
            self.past.append([w.copy() for w in self.exact.weights + self.exact.biases])
            by_weights, by_biases = self.exact.backprop(*self._example(), scale=self.rate)
            plain(self.exact, by_weights + by_biases, self.rate)
            self.steps += 1
            self._show()

    def back(self):
        with self.lock:
            if self.past:
                self._set(self.past.pop())
                self.steps -= 1
                self._show()

    def nudge(self, kind, layer, place):
        """Move one of the "weights", "biases" or "inputs" by PUSH and back: the losses before and
        after. `layer` counts from 0, `place` is the number's in its array."""
        with self.lock:
            x, t = self._example()
            numbers = x[0] if kind == "inputs" else getattr(self.exact, kind)[layer]
            place, losses = tuple(place), [self.exact.loss(x, t)]
            value = numbers[place]
            numbers[place] += PUSH
            losses.append(self.exact.loss(x, t))
            numbers[place] = value
            return losses

    def _asked(self, do, **what):
        if do == "nudge":
            self.view.send({"losses": self.nudge(**what)})
        elif do == "still":
            self._keep(**what)
        else:
            {"step": self.step, "back": self.back}[do]()

    # What is shown

    def _ipython_display_(self):
        """First a still picture, for where no kernel is. The panel, where it lives, hides it."""
        from IPython.display import display  # only in notebooks

        inputs, shown, said = self.exact.layers[0], {"text/plain": repr(self)}, {}
        if len(self.exact.layers) == 3 and inputs >= 64 and not inputs**0.5 % 1:
            picture = png(plots.blame, self.exact, *self._example())
            shown["image/png"], said["image/png"] = picture
        self.still = display(shown, raw=True, display_id=True, metadata=said)
        display(self.box)

    def _keep(self, png, alt):
        """The last state, as the browser drew it, and its words."""
        if self.still:
            shown, said = {"image/png": png, "text/plain": repr(self)}, {"image/png": {"alt": alt}}
            self.still.update(shown, raw=True, metadata=said)

    def _example(self):
        n = self.view.example
        return self.exact.as_input(self.images[n : n + 1]).copy(), self.targets[n : n + 1]

    def _set(self, parameters):
        arrays, layers = [np.array(p, np.float64) for p in parameters], len(self.exact.weights)
        self.exact.weights, self.exact.biases = arrays[:layers], arrays[layers:]

    def _go(self):
        with self.lock:
            self.past.clear()
            self.steps = 0
            self._set(self.moments[self.view.moment][1])
            self._show()

    def _show(self):
        with self.lock, self.view.hold_sync():
            net, (x, t) = self.exact, self._example()
            a = net.forward(x)
            bends = [net.activation(n).backward(b, np.ones_like(b)) for n, b in enumerate(a[1:])]
            shown = {name: getattr(self.view, name) for name in ("example", "moment")}
            shown |= {"steps": self.steps, "undo": len(self.past)}
            arrays = *a, net.input_gradient(x, t), *net.deltas(a, t), *bends, t, net.loss(x, t)
            kind = f"<f{self.view.about['bits'] // 8}"
            self.view.weights = packed(kind, *net.weights, *net.biases)
            self.view.numbers = json.dumps(shown | {"data": packed("<f8", *arrays)})
