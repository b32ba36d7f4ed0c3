"""What a training was like: its network at up to 300 moments, and what is to be seen at each."""

import copy

import numpy as np

from imagine import imagine
from machine import one_thread
from nn import largest

from .wire import in_base64

MOMENTS, MEMORY = 300, 150e6  # at most, and bytes for all of them together
GROWTH = 1.05  # the next moment is due when so many times the epochs are done: early ones are dense
TILES = 100  # hidden nodes shown
STEPS = 20  # to imagine a digit: few, to be quick
PROBE = 500  # examples on which each moment is measured, and held-out ones twice as many


class Film:
    """The moments of one network's training.

    examples, held_out  (images, targets) to measure on
    ten                 images (10, 784) whose answers are shown
    canvas              to imagine digits on
    knobs               with which it is trained

    `points` has a row a moment: epoch, loss, accuracy, and both on the held-out ones.
    """

    def __init__(self, net, examples, held_out, ten, canvas, knobs):
        self.net, self.ten, self.canvas = net, ten, canvas
        self.probes = [
            (net.as_input(images[:count]), targets[:count])
            for (images, targets), count in ((examples, PROBE), (held_out, 2 * PROBE))
        ]
        self.truth = self.probes[1][1].argmax(axis=1)
        self.most = max(20, min(MOMENTS, int(MEMORY / sum(w.nbytes for w in net.weights))))
        self.weights, self.says, self.points = [], [], []
        self.run = {"points": self.points, "knobs": knobs}  # what stays of it when another begins
        self.add()

    def __len__(self):
        return len(self.points)

    def due(self):
        return self.net.epoch >= GROWTH * self.points[-1][0]

    def add(self):
        """Keep this moment, unless its loss is no finite number or it is there already."""
        with one_thread():
            sums = [self.net.last_sums(x) for x, _ in self.probes]
        found = [self.net.judge(z, t) for z, (_, t) in zip(sums, self.probes, strict=True)]
        point = [self.net.epoch, *found[0], *found[1]]
        known = self.points and self.points[-1][0] == point[0]
        if known or not np.isfinite(point).all():
            return
        self.points.append([float(f"{number:.6g}") for number in point])
        self.weights.append([w.copy() for w in self.net.weights])
        self.says.append(largest(sums[1]))  # of each held-out digit; (1000,)
        if len(self) > self.most:  # the one whose neighbours lie nearest to each other will go
            epochs = np.array([point[0] for point in self.points[1:]])
            spare = 2 + int((epochs[2:] / epochs[:-2]).argmin())
            del self.points[spare], self.weights[spare], self.says[spare]

    def cut(self):
        """Forget what came after the epoch that the network went back to."""
        while len(self) > 1 and self.points[-1][0] > self.net.epoch + 1e-4:
            self.points.pop(), self.weights.pop(), self.says.pop()

    def at(self, moment):
        """The network as it was at a moment, to ask, not to train."""
        past = copy.copy(self.net)
        past.weights = self.weights[moment]
        return past

    def frame(self, moment):
        """What is to be seen at a moment."""
        past = self.at(moment)
        into = past.weights[0][:, :TILES].T  # (100, 784)
        with one_thread():
            imagined = imagine(past, range(10), self.canvas, steps=STEPS)  # (10, 784)
            outputs = past.outputs(self.ten)  # (10, 10)
        strong = 4 * np.abs(into).mean() or 1.0
        return {
            "moment": moment,
            "hidden": in_base64(np.clip(into / strong * 127, -127, 127).astype(np.int8)),
            "outputs": outputs.round(3).tolist(),
            "read": largest(outputs).tolist(),
            "imagined": in_base64(np.rint(imagined * 255).astype(np.uint8)),
            "confusion": np.bincount(10 * self.truth + self.says[moment], minlength=100).tolist(),
        }


def by_heart(points):
    """The moment with the lowest held-out loss, if it has clearly gone up since; else None."""
    held = np.array([point[3] for point in points])
    smooth = np.convolve(np.pad(held, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    best, (epoch, loss, *_) = int(smooth.argmin()), points[-1]
    early, up = points[best][0] < 0.7 * epoch, smooth[-1] > 1.02 * max(smooth[best], held[best])
    return best if best and early and up and loss < 0.7 * held[-1] else None


def verdict(points, rate, fitting):
    """A sentence on how it went, or "". `rate` is the learning rate, `fitting` one that fits."""
    (epoch, _, _, loss, accuracy), best = points[-1], by_heart(points)
    if epoch >= 1 and accuracy < 0.3 and rate > 1.5 * fitting:
        return (
            f"Nothing is learned: with a learning rate of {rate:.3g} each step jumps across the "
            f"valley and onto the flat on its other side. Try {fitting:.2g}."
        )
    if epoch >= 1 and accuracy < 0.3 and rate < 0.1 * fitting:
        return f"The steps are tiny. Give it more epochs, or a larger rate: {fitting:.2g}, say."
    if best is not None:
        return (
            f"On held-out digits the loss was lowest at epoch {points[best][0]:.3g} "
            f"({points[best][3]:.3f}) and has gone up to {loss:.3f}: it learns by heart."
        )
    return ""
