"""Run a network backwards with the mouse: what picture does it make of these outputs?"""

import html
import threading

import numpy as np
from ipywidgets import (
    HTML,
    Dropdown,
    FloatSlider,
    HBox,
    IntSlider,
    Label,
    Layout,
    Play,
    ToggleButtons,
    VBox,
    jslink,
)

from imagine import imagine
from pen import PIECES, so_far, write

from .controls import Knob, Latest, Panel, defaults, wrapped
from .markup import answer_html
from .witnesses import Witnesses

KNOBS = {  # by imagine's names: label, lowest, highest, logarithmic
    "steps": ("steps", 1, 1000),
    "learning_rate": ("step size", 0.001, 0.1, True),
    "distance": ("distance", 0, 15),
    "jiggle": ("jiggle, pixels", 0, 4),
    "seed": ("seed", 0, 9999),
}


class ImaginePanel(Panel):
    """Say what the outputs should be, and see what picture the network makes of that.

    canvas   to draw on: canvas_of(pictures like those that net has learned from)
    known    pictures (n, 784): which of them is nearest to what it makes?
    readers  by name: what do they say of it? See Witnesses

    `sliders` are the targets, one a digit; `digit` and `blend` (two digits, and the share of the
    second) set them. `tool` is "canvas" or "pen". `knobs` are those of imagine, by its names; the
    pen has only the seed.
    """

    def __init__(self, net, canvas, known=None, readers=None):
        self.net, self.canvas = net, canvas
        self.witnesses = Witnesses(net, known, readers)
        self.lock, self.work = threading.RLock(), Latest(self._draw)
        self.asking = Latest(self._ask_others)
        first = defaults(imagine)
        self.knobs = {
            name: Knob(label, first[name], *ends, changed=self._ask)
            for name, (label, *ends) in KNOBS.items()
        }
        low, high = (float(end) for end in np.sort(net.as_targets(0)[0])[[0, -1]])
        digits = list(range(net.layers[-1]))
        upright, narrow = Layout(width="40px", height="130px"), Layout(width="56px")
        look = {"readout": False, "orientation": "vertical", "layout": upright, "step": 0.01}
        self.sliders = [FloatSlider(min=low, max=high, **look) for _ in digits]
        self.numbers = [HTML() for _ in digits]
        column = Layout(align_items="center", width="44px")
        columns = [
            VBox([slider, number], layout=column)
            for slider, number in zip(self.sliders, self.numbers, strict=True)
        ]
        self.digit = ToggleButtons(options=digits)
        self.digit.style.button_width = "34px"
        first, second = (Dropdown(options=digits, value=n, layout=narrow) for n in (4, 9))
        share = FloatSlider(0.5, min=0, max=1, step=0.05, readout=False)
        self.blend = first, second, share
        self.tool = ToggleButtons(options=["canvas", "pen"])
        self.tool.style.button_width = "72px"
        self.backquery, self.imagined, self.others, self.step = HTML(), HTML(), HTML(), Label()
        self.play = Play(min=0, interval=30)
        self.frame = IntSlider(min=0, readout=False)
        self.link = jslink((self.play, "value"), (self.frame, "value"))
        rows = [
            wrapped(Label("one digit"), self.digit),
            wrapped(Label("or a blend, from"), first, share, Label("to"), second),
            Label("or any outputs you like:"),
            wrapped(HBox(columns), VBox([knob.box for knob in self.knobs.values()])),
            wrapped(Label("drawn with the"), self.tool),
            wrapped(self.backquery, self.imagined, self.others, grid_gap="20px"),
            wrapped(Label("the film of it"), self.play, self.frame, self.step),
        ]
        self.box = VBox(rows)
        self._set(net.as_targets(3)[0], "a 3", digit=3)
        self._draw(*self._asked())
        self.tool.observe(self._take, "value")
        self.digit.observe(self._one, "value")
        for control in self.blend:
            control.observe(self._two, "value")
        for slider in self.sliders:
            slider.observe(self._any, "value")
        self.frame.observe(lambda change: self._show(change.new), "value")

    def _set(self, targets, what, digit=None):
        self.targets, self.what, self.setting = np.array(targets), what, True
        self.digit.value = digit
        for slider, number, n in zip(self.sliders, self.numbers, self.digit.options, strict=True):
            slider.value = float(targets[n])
            number.value = f"<center>{targets[n]:.2f}<br><b>{n}</b></center>"
        self.setting = False

    def _one(self, change):
        with self.lock:
            if self.setting:  # by us, not by the learner
                return
            self._set(self.net.as_targets(change.new)[0], f"a {change.new}", digit=change.new)
        self._ask()

    def _two(self, _):
        with self.lock:
            first, second, share = (control.value for control in self.blend)
            targets = np.array([1 - share, share]) @ self.net.as_targets([first, second])  # (10,)
            self._set(targets, f"{1 - share:.0%} {first}, {share:.0%} {second}")
        self._ask()

    def _any(self, _):
        with self.lock:
            values = np.array([slider.value for slider in self.sliders])
            # The browser moves a slider to the next of its steps: not the learner's doing.
            if self.setting or abs(values - self.targets).max() < 0.0051:
                return
            self._set(values, "these outputs")
        self._ask()

    def _take(self, change):
        with self.lock:
            for name, knob in self.knobs.items():
                idle = change.new == "pen" and name != "seed"
                knob.slider.disabled = knob.field.disabled = idle
        self._ask()

    def _ask(self):
        self.work(*self._asked())

    def _asked(self):
        with self.lock:
            targets = self.targets[None]  # (1, 10)
            if self.net.output == "softmax":  # they must add up to 1; all at 0 are all alike
                targets = targets if targets.any() else np.ones_like(targets)
                targets = targets / targets.sum()
            knobs = {name: knob.value for name, knob in self.knobs.items()}
            return self.what, targets, self.tool.value, knobs

    # What the threads do

    def _draw(self, what, targets, tool, knobs):
        film, draw = [], self._imagine if tool == "canvas" else self._write
        title = f"{'Imagined' if tool == 'canvas' else 'Written'}, {what}:"
        self.backquery.value = self._answer(f"Backquery, {what}:", self.net.backquery(targets)[0])
        try:
            film += draw(targets, knobs)
        except ValueError as error:  # it cannot, and says why
            self.imagined.value, self.others.value = html.escape(str(error)), ""
        self.film = title, "step" if tool == "canvas" else "piece", film
        for control in (self.play, self.frame):
            control.max = control.value = max(0, len(film) - 1)
        self._show(self.frame.max)

    def _imagine(self, targets, knobs):
        film = []

        def keep(step, images):
            self.work.check()
            film.append(images[0])

        film.append(imagine(self.net, targets, self.canvas, callback=keep, **knobs)[0])
        return film

    def _write(self, targets, knobs):
        written = write(self.net, targets, self.canvas, seed=knobs["seed"])
        return [so_far(written, pieces)[0] for pieces in range(PIECES + 1)]

    def _show(self, frame):
        title, unit, film = self.film
        if frame < len(film):  # else the slider is late
            self.step.value = f"{unit} {frame} of {len(film) - 1}"
            self.imagined.value = self._answer(title, film[frame])
            self.asking(film[frame])

    def _ask_others(self, image):
        self.others.value = self.witnesses.html(image)

    def _answer(self, title, image):
        outputs = self.net.outputs(image)[0]  # (10,)
        verdict = f"The network says {outputs.argmax()}, with {outputs.max():.2f}."
        return answer_html(title, image, outputs, verdict)
