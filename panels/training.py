"""Turn knobs, press Train and watch a network learn.

Training takes a while. A loop inside a button's handler would keep all other handlers waiting, the
Stop button's too. So the loop has a thread of its own and shows how far it is by setting widgets'
values. JupyterLab may call handlers from several threads, hence the locks. Where no thread can
start, as in a browser's Python, Train blocks until it is done or interrupted.
"""

import html
import threading
import time

import ipywidgets
import numpy as np
import pandas as pd
from ipywidgets import HTML, Button, Image, Layout, VBox

import checks
import plots
from machine import aside
from nn import NeuralNetwork
from optimisers import fitting_rate, nesterov, plain

from .controls import WIDE, Knob, Panel, defaults, png, wrapped
from .markup import digits_html, table_html


class Stopped(Exception):
    """Somebody pressed Stop: raised before the training's next step."""


class TrainingPanel(Panel):
    """Turn the knobs and watch a network learn.

    train, validation  (images, labels) each: to learn from, and to judge with. ValueError for
                       what does not fit

    `net` is the network so far, `runs` the table of all runs, `knobs` the knobs by name. train(),
    stop() and reset() are what the buttons do. One panel trains at a time: another one that begins
    to train, or is made, stops it.
    """

    switching = threading.RLock()  # held by who starts or replaces a training, in any panel
    active = None  # the panel that trains or did so last

    def __init__(self, train, validation):
        self.examples = checks.pair("train", train)
        self.validation = checks.pair("validation", validation)
        self.pixels, first = np.shape(self.examples[0])[1], defaults(NeuralNetwork.train)
        net = NeuralNetwork((self.pixels, 100, 10))
        rate = fitting_rate(net, first["batch_size"])
        new = {"changed": self._foretell}  # they make another network
        self.knobs = {  # label, first value, lowest, highest
            "hidden_nodes": Knob("hidden nodes", net.layers[1], 1, 500, **new),
            "learning_rate": Knob("learning rate", rate, 0.01, 100, log=True),
            "batch_size": Knob("batch size", first["batch_size"], 1, 1000),
            "epochs": Knob("epochs", first["epochs"], 1, 50),
            "momentum": Knob("momentum", 0.0, 0, 0.99),
            "rotation": Knob("rotation, ± °", first["rotations"][0], 0, 90),
            "seed": Knob("seed", 0, 0, 9999, **new),
        }
        self.buttons = [Button(description=name) for name in ("Train", "Stop", "Reset")]
        self.buttons[0].button_style = "primary"
        for button, press in zip(self.buttons, (self.train, self.stop, self.reset), strict=True):
            button.on_click(lambda _, press=press: press())
        self.bar = ipywidgets.FloatProgress(max=1.0)
        self.says, self.warnings, self.digits = HTML(), HTML(), HTML()
        self.curve = Image(layout=Layout(**WIDE))
        self.table = HTML(layout=Layout(overflow="auto", max_height="200px"))
        knobs = wrapped(*(knob.box for knob in self.knobs.values()))
        buttons = wrapped(*self.buttons, self.bar)
        says = VBox([self.says, self.warnings])
        self.box = VBox([knobs, buttons, says, self.curve, self.digits, self.table])
        self.rows, self.networks, self.busy, self.thread = [], 0, False, None
        self.stopping, self.telling = threading.Event(), threading.Lock()
        self.drawing = self.drawn = self.took = 0.0  # seconds for drawing, and for the last time
        images, targets = checks.examples(net, *self.validation)
        digits, places = np.unique(targets.argmax(axis=1), return_index=True)
        self.shown = images[places], digits  # the first of each digit
        with self.switching:
            if TrainingPanel.active:
                TrainingPanel.active.stop()
            self.reset()

    @property
    def runs(self):
        """A row for each run: the accuracy on the held-out digits after it, its seconds without
        those for drawing, its knobs. Rows of one network went on from each other."""
        return pd.DataFrame(self.rows, columns=["network", "accuracy", "seconds", *self.knobs])

    def reset(self):
        """Begin with a new network. The table of runs stays."""
        with self.switching:
            if self.busy:
                return
            nodes, seed = self.built = self._wanted()
            self.net = NeuralNetwork((self.pixels, nodes, 10), seed=seed)
            self.networks, self.warnings.value = self.networks + 1, ""
            self._draw(self.knobs["epochs"].value)
            self._rest(f"A new network with {nodes} hidden nodes. Press Train.")

    def train(self):
        """Train in a thread; nothing more if one does so already. It goes on with the network
        that is there, as long as this has the hidden nodes and the seed that the knobs say."""
        with self.switching:
            if self.busy:
                return
            if TrainingPanel.active:
                TrainingPanel.active.stop(wait=True)
            if self.built != self._wanted():
                self.reset()
            self.stopping.clear()
            self.warnings.value = ""
            self.busy, TrainingPanel.active = True, self
            self._enable(False, True, False)
            self.says.value = "Turning the digits …"
            knobs = {name: knob.value for name, knob in self.knobs.items()}
            self.thread = aside(self._train, knobs)

    def stop(self, wait=False):
        """End the training before its next step. The weights stay."""
        with self.telling:
            if self.busy:
                self.stopping.set()
                self.says.value = "Stopping …"
        if wait and self.thread:
            self.thread.join()

    def close(self):
        self.stop(wait=True)
        super().close()

    def _wanted(self):
        return self.knobs["hidden_nodes"].value, self.knobs["seed"].value

    def _foretell(self):
        if not self.busy:
            self._say_message()

    def _say_message(self):
        new = "With these hidden nodes and this seed, Train begins a new network."
        self.says.value = self.message if self.built == self._wanted() else new

    def _rest(self, message):
        with self.telling:
            self.bar.value, self.message = 0, message
            self._say_message()
            self._enable(True, False, True)
            self.busy = False  # at last, when all of it can be seen

    def _enable(self, *which):
        for button, enabled in zip(self.buttons, which, strict=True):
            button.disabled = not enabled

    # What the thread does

    def _train(self, knobs):
        try:
            self._rest(self._run(knobs))
        except Exception as error:  # there is no cell below a thread that would show it
            self._rest(html.escape(f"{type(error).__name__}: {error}"))

    def _run(self, knobs):
        """Train as the knobs say. Returns how it ended, as HTML."""
        begun, start, angle = time.monotonic(), self.net.epoch, knobs["rotation"]
        until, self.drawing, self.told = start + knobs["epochs"], 0.0, begun
        ended, failed = "Done", ""

        def each_step(done):
            if self.stopping.is_set():
                raise Stopped
            self._tell(done, until)

        checks.listener.set(self._warn)  # in this thread alone
        try:
            self.net.train(
                *self.examples,
                **{name: knobs[name] for name in ("epochs", "learning_rate", "batch_size")},
                rotations=(angle, -angle) if angle else (),
                descend=nesterov(knobs["momentum"]) if knobs["momentum"] else plain,
                validation=self.validation,
                callback=lambda measurement: self._draw(until, hurry=True),
                each_step=each_step,
                progress=False,
            )
        except (Stopped, KeyboardInterrupt):  # the second where there is no thread
            ended = "Stopped"
        except ValueError as error:  # it does not fit or does not learn: the error says so
            failed = html.escape(str(error))
        seconds = round(time.monotonic() - begun - self.drawing, 1)
        accuracy = self.net.accuracy(*self.validation)
        if self.net.epoch > start:
            row = knobs | {"network": self.networks, "epochs": round(self.net.epoch - start, 2)}
            self.rows.append(row | {"accuracy": accuracy, "seconds": seconds})
        self._draw(self.net.epoch)
        return failed or (
            f"{ended} at epoch {self.net.epoch:.1f}: <b>{accuracy:.2%}</b> of the held-out digits "
            "are right. Train goes on from here, Reset begins anew."
        )

    def _tell(self, done, until):
        now = time.monotonic()
        if not done:
            self.stepping = now
        elif now > self.told + 0.2:
            self.told, self.bar.value = now, done
            left = (now - self.stepping) * (1 - done) / done
            self.says.value = f"Epoch {self.net.epoch:.1f} of {until:.0f}, {left:.0f} s left"

    def _warn(self, message):
        self.warnings.value += f'<div style="color:{plots.ORANGE}">{html.escape(message)}</div>'

    def _draw(self, epochs, hurry=False):
        """Show curve, answers and runs. In a hurry at most a quarter of the time goes into it."""
        begun = time.monotonic()
        if hurry and begun - self.drawn < max(0.4, 3 * self.took):
            return
        self.curve.value = png(plots.curve, self.net.history, epochs)
        images, digits = self.shown
        outputs = self.net.outputs(images)  # (10, 10), an image a row
        answers, sure = outputs.argmax(axis=1), outputs.max(axis=1)
        captions = [f"says {n}\n{share:.2f}" for n, share in zip(answers, sure, strict=True)]
        self.digits.value = digits_html(images, captions, np.flatnonzero(answers != digits))
        self.table.value = table_html(self.runs.iloc[::-1])
        self.drawn = time.monotonic()
        self.took = self.drawn - begun
        self.drawing += self.took
