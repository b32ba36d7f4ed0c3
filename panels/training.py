"""Turn a knob, and a network learns anew from the same start while you look; then go back in time.

Training takes a while. A loop inside a handler would keep all other handlers waiting, that of Pause
too. So it has a thread of its own, and sends the browser ten frames a second, which training.js
draws. JupyterLab may call handlers from several threads, hence the locks. Where no thread can
start, as in a browser's Python, who turns a knob waits until it is done or interrupted.
"""

import threading
import time

import numpy as np
import pandas as pd

import checks
from imagine import canvas_of
from machine import aside, one_thread
from nn import NeuralNetwork
from optimisers import fitting_rate, nesterov, plain

from . import recipe
from .controls import Panel
from .film import PROBE, Film, by_heart, verdict
from .stage import Stage
from .wire import in_base64

FRAME, FIRST = 0.09, 0.06  # seconds between two frames, and before the first


class Stopped(Exception):
    """Somebody pressed Pause: raised before the training's next step."""


class TrainingPanel(Panel):
    """Turn the knobs and watch a network learn.

    train, validation  (images, labels) each: to learn from, and to judge with. ValueError for
                       what does not fit

    `net` is the network so far, `runs` the table of all runs, `knobs` the values by name, `python`
    a line that repeats the run, `settings` a short text that restores the knobs. turn(), train(),
    stop() and reset() are what knobs and buttons do. One panel trains at a time: another one that
    begins to train, or is made, stops it.
    """

    switching = threading.RLock()  # held by who starts or replaces a training, in any panel
    active = None  # the panel that trains or did so last

    def __init__(self, train, validation):
        self.examples = [np.asarray(part) for part in checks.pair("train", train)]
        self.validation = [np.asarray(part) for part in checks.pair("validation", validation)]
        self.pixels = np.shape(self.examples[0])[1]
        self.ranges = recipe.knobs(self.pixels, len(self.examples[0]))
        self.knobs = {name: first for name, (_, first, *_) in self.ranges.items()}
        self.rows, self.networks, self.busy, self.thread = [], 0, False, None
        self.stopping, self.telling = threading.Event(), threading.RLock()
        self.pieces, self.before, self.kept, self.overtaken = [], None, False, False
        self.says = self.warning = self.refused = ""
        self.asked, self.heard, self.looking = 0, 0, None
        net = NeuralNetwork((self.pixels, 1, 10))
        self.held_out = images, targets = checks.examples(net, *self.validation)
        digits, places = np.unique(targets.argmax(axis=1), return_index=True)
        self.ten, self.canvas = images[places], canvas_of(images)  # the first of each digit
        self.stage = self.box = Stage(repr(self), self._told)
        self.stage.fixed = {
            "knobs": [[name, *knob, type(knob[1]) is int] for name, knob in self.ranges.items()],
            "labels": digits.tolist(),
            "digits": in_base64((net.as_input(self.ten) * 255).clip(0, 255).astype(np.uint8)),
            "side": round(self.pixels**0.5),
            "count": min(2 * PROBE, len(images)),
        }
        with self.switching:
            if TrainingPanel.active:
                TrainingPanel.active.stop()
            self.reset()

    @property
    def runs(self):
        """A row for each training: the accuracy on the held-out digits after it, its seconds
        without those for drawing, its knobs, and a line of Python that repeats it. Rows of one
        network went on from each other."""
        names = ["network", "accuracy", "seconds", *self.knobs, "python"]
        return pd.DataFrame(self.rows, columns=names)

    @property
    def python(self):
        """A line that makes this network again, exactly, from the same `images` and `labels`.
        (`pause`, in the line of a run that was paused, comes from panels.)"""
        whole = self.knobs["digits"] == len(self.examples[0])
        return recipe.python(self.net.layers, self.knobs, self.pieces, whole)

    @property
    def settings(self):
        """All knobs as a short text, to be handed on. Setting it turns them."""
        return recipe.as_text(self.knobs)

    @settings.setter
    def settings(self, text):
        self.turn(**recipe.from_text(text))

    def turn(self, **values):
        """Turn knobs by name, and train anew from the same start, unless there are so many digits
        that it takes long: then Train does. ValueError for what does not fit."""
        fitting = {name: recipe.fitting(self.ranges, name, values[name]) for name in values}
        with self.switching:
            self.stop(wait=True, overtaken=True)
            self.knobs = self.knobs | fitting
            live = self.knobs["digits"] <= recipe.LIVE
            self.reset(quietly=live)
            if live:
                self.train()

    def reset(self, quietly=False):
        """Begin with a new network. The runs stay, and the curve of the last one."""
        with self.switching:
            self.stop(wait=True, overtaken=True)
            if self.pieces and not self.kept:
                self.before = self.film.run
            nodes, seed = self.knobs["hidden_nodes"], self.knobs["seed"]
            self.net = net = NeuralNetwork((self.pixels, nodes, 10), seed=seed)
            try:
                seen = checks.examples(net, *self._digits())
            except Exception:  # train will say what is wrong with them
                seen = self.held_out
            self.film = Film(net, seen, self.held_out, self.ten, self.canvas, dict(self.knobs))
            self.networks, self.pieces, self.looking = self.networks + 1, [], None
            self.until, self.warning = self.knobs["epochs"], ""
            self.heard = self.asked  # from here on frames answer what was asked
            self.says = f"A new network with {nodes} hidden nodes knows nothing yet. Press Train"
            many = self.knobs["digits"] > recipe.LIVE
            self.says += f": more than {recipe.LIVE:,} digits wait for it." if many else "."
            if not quietly:
                self._show()

    def train(self):
        """Train in a thread; nothing more if one does so already. It goes on with the network
        that is there."""
        with self.switching:
            if self.busy:
                return
            if TrainingPanel.active:
                TrainingPanel.active.stop(wait=True)
            self.stopping.clear()
            self.busy, self.overtaken, TrainingPanel.active = True, False, self
            self.warning, self.looking, self.says = "", None, "Getting the digits ready …"
            self.thread = aside(self._train)

    def stop(self, wait=False, overtaken=False):
        """End the training before its next step. The weights stay."""
        with self.telling:
            if self.busy:
                self.overtaken = overtaken
                self.stopping.set()
        if wait and self.thread:
            self.thread.join()

    def close(self):
        self.stop(wait=True)
        super().close()

    def _digits(self):
        return [part[: self.knobs["digits"]] for part in self.examples]

    # What the thread does

    def _train(self):
        hearing = checks.listener.set(self._warn)  # in this thread alone
        try:
            self.says = self._run(self.knobs)
        except Exception as error:  # there is no cell below a thread that would show it
            self.says = f"{type(error).__name__}: {error}"
        finally:
            checks.listener.reset(hearing)
        with self.telling:
            if not self.overtaken:
                self._show(busy=False)
            self.busy = False  # at last, when all of it can be seen

    def _run(self, knobs):
        """Train as the knobs say. Returns how it ended."""
        net, film, angle, begun = self.net, self.film, knobs["rotation"], time.monotonic()
        start, failed, paused, self.drawing = net.epoch, "", None, 0.0
        self.until, self.told = start + knobs["epochs"], begun + FIRST - FRAME

        def each_step(done):
            nonlocal paused
            if self.stopping.is_set():
                paused = done
                raise Stopped
            self._tell(done)

        try:
            net.train(
                *self._digits(),
                **{name: knobs[name] for name in ("epochs", "learning_rate", "batch_size")},
                rotations=(angle, -angle) if angle else (),
                descend=nesterov(knobs["momentum"]) if knobs["momentum"] else plain,
                each_step=each_step,
                progress=False,
            )
        except Stopped:
            if self.overtaken:
                return ""
        except KeyboardInterrupt:  # where there is no thread
            paused = (net.epoch - start) / knobs["epochs"] - 1e-9
        except ValueError as error:  # it does not fit or does not learn: the error says so
            failed = str(error)
        with self.telling:
            film.cut()
            film.add()
        seconds = time.monotonic() - begun - self.drawing
        with one_thread():
            accuracy = net.accuracy(*self.validation)
        if net.epoch > start:
            whole = self.pieces and self.pieces[-1][1] is None and paused is None
            before = self.pieces.pop()[0] if whole else 0  # as if they had been one
            self.pieces.append((before + knobs["epochs"], paused))
            row = knobs | {"network": self.networks, "epochs": round(net.epoch - start, 2)}
            row |= {"accuracy": accuracy, "seconds": round(seconds, 1), "python": self.python}
            self.rows.append(row)
        rate = knobs["learning_rate"] / (1 - knobs["momentum"])
        fits = fitting_rate(net, knobs["batch_size"])
        self.warning = verdict(film.points, rate, fits) or self.warning
        return failed or (
            f"{'Done' if paused is None else 'Paused'} at epoch {net.epoch:.3g}. Of all "
            f"{len(self.held_out[1]):,} held-out digits {100 * accuracy:.2f} % are right. "
            f"Train goes on from epoch {net.epoch:.3g}."
        )

    def _tell(self, done):
        now = time.monotonic()
        if not done:
            self.stepping = now
        if now > self.told + FRAME or self.film.due():
            with self.telling:
                self.film.add()
        if now > self.told + FRAME:
            left = (now - self.stepping) * (1 - done) / done if done > 0.1 else 0
            soon = f", {left:.0f} s left" if left > 1 else ""
            self.says = f"Epoch {self.net.epoch:.1f} of {self.until:.0f}{soon}"
            self._show()
            self.told = time.monotonic()
        self.drawing += time.monotonic() - now

    def _warn(self, message):
        self.warning = message

    def _show(self, busy=None):
        """Send the browser a frame: the newest moment, or the one that is looked at."""
        with self.telling:
            newest, busy = len(self.film) - 1, self.busy if busy is None else busy
            moment = newest if self.looking is None else min(self.looking, newest)
            self.stage.shown = self.film.frame(moment) | {
                "points": self.film.points,
                "until": max(self.until, self.net.epoch),
                "lowest": None if busy else by_heart(self.film.points),
                "before": self.before,
                "kept": self.kept,
                "knobs": self.knobs,
                "busy": busy,
                "says": self.says,
                "warning": self.refused or self.warning,
                "heard": self.heard,
                "python": self.python if self.pieces else "",
                "settings": self.settings,
            }

    # What the browser says

    def _told(self, message):
        """{"do": what, "id": a number that comes back in the frame that answers it, ...}"""
        what, self.refused = message["do"], ""
        self.asked = message["id"]
        try:
            if what == "turn":
                self.turn(**message["knobs"])
            elif what == "settings":
                self.settings = message["text"]
            elif what == "moment":
                last = len(self.film) - 1
                self.looking = message["at"] if 0 <= message["at"] < last else None
            elif what == "keep":
                self.kept = not self.kept
                self.before = self.film.run if self.kept else self.before
            elif what in ("train", "stop", "reset"):
                getattr(self, what)()
        except ValueError as error:
            self.refused = str(error)
        if self.refused or what not in ("turn", "settings") or not self.busy:
            self.heard = self.asked
            self._show()

    def _ipython_display_(self):
        self.stage.display()
