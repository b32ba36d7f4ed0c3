"""What the panels share: how a panel shows itself, a knob, and work that keeps up with a slider."""

import contextlib
import html
import inspect
import math
import threading

import ipywidgets
from ipywidgets import HTML, HBox, Label, Layout, VBox

from machine import aside
from plots import ORANGE

from .wire import view

WIDE = {"width": "100%", "max_width": "800px", "margin": "0"}  # of a picture
DRAWING = threading.Lock()  # matplotlib draws in one thread at a time


def png(picture, *what):
    """What a function of plots draws: bytes for an Image widget, and its words, {"alt": ...}."""
    with DRAWING:
        return picture(*what)._repr_png_()


def wrapped(*boxes, **layout):
    """Side by side as far as they fit, then below each other."""
    return HBox(boxes, layout=Layout(flex_flow="row wrap", **layout))


def defaults(function):
    """The defaults of a function's arguments, by name: the values that knobs begin with."""
    arguments = inspect.signature(function).parameters
    return {name: argument.default for name, argument in arguments.items()}


class Panel:
    """What all panels have in common: each shows its `box`, or, where there is no JupyterLab, a
    sentence."""

    def __repr__(self):
        return f"{type(self).__name__}: to play with in JupyterLab, where a kernel runs."

    def _ipython_display_(self):
        from IPython.display import display  # only in notebooks

        self.box.add_class(type(self).__name__)  # by which a page, or a test, finds it
        display(view(self.box, repr(self)), raw=True)

    def close(self):
        """Take the panel away."""
        self.box.close()


class Knob:
    """A number to set, with a slider or in the field beside it; `value` is what counts.

    What is typed and does not fit is refused, with the reason below, and the value stays.
    A knob that begins with an int takes only whole numbers. `changed` is called after a change.
    """

    def __init__(self, label, value, low, high, log=False, changed=lambda: None):
        self.low, self.high, self.changed = low, high, changed
        self.kind, self.lock = type(value), threading.RLock()
        look = {"readout": False, "layout": Layout(width="150px")}
        if log:
            ends = {"min": math.log10(low), "max": math.log10(high), "step": 0.01}
            self.slider = ipywidgets.FloatLogSlider(value=value, **ends, **look)
        else:
            whole = self.kind is int
            ends = {"min": low, "max": high, "step": 1 if whole else high / 100}
            kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
            self.slider = kind(value=value, **ends, **look)
        self.field = ipywidgets.Text(continuous_update=False, layout=Layout(width="72px"))
        self.reason = HTML()
        row = [Label(label, layout=Layout(width="112px")), self.slider, self.field]
        self.box = VBox([HBox(row), self.reason], layout=Layout(width="378px"))
        self._set(value)
        self.slider.observe(self._slid, "value")
        self.field.observe(self._typed, "value")

    def _set(self, value, reason="", slide=False):
        self.value, self.setting = value, True  # the handlers leave our own changes alone
        self.field.value = f"{value:.6g}"
        if slide:
            self.slider.value = value
        self.reason.value = f'<span style="color:{ORANGE}">{html.escape(reason)}</span>'
        self.reason.layout.display = "" if reason else "none"
        self.setting = False

    def _slid(self, change):
        with self.lock:
            # The browser moves a slider to the next of its steps and tells us so. That is not the
            # learner: what was typed between two steps stays.
            if self.setting or abs(self._place(change.new) - self._place(self.value)) < 0.51:
                return
            self._set(float(f"{change.new:.2g}") if self.kind is float else change.new)
        self.changed()

    def _place(self, value):
        """Where the slider stands for a value, in its steps."""
        log = isinstance(self.slider, ipywidgets.FloatLogSlider)
        return (math.log10(value) if log else value) / self.slider.step

    def _typed(self, change):
        with self.lock:
            if self.setting:
                return
            try:
                value = self.kind(change.new)
            except ValueError:
                value = math.nan
            fits = self.low <= value <= self.high
            if fits:
                self._set(value, slide=True)
            else:
                kind = "a whole number" if self.kind is int else "a number"
                wanted = f"expected {kind} from {self.low:g} to {self.high:g}"
                self._set(self.value, f"“{change.new[:12]}”: {wanted}")
        if fits:
            self.changed()


class Latest:
    """Calls `work` in a thread with the newest of what it is given: whoever drags a slider does
    not wait for all the values on the way. `work` may call `check`, and ends if it is overtaken.
    Where no thread can start, each call waits until the work is done."""

    class Overtaken(Exception):
        pass

    def __init__(self, work):
        self.work, self.lock, self.waiting, self.busy = work, threading.Lock(), None, False

    def __call__(self, *job):
        with self.lock:
            self.waiting, begin = job, not self.busy
            self.busy = True
        if begin:
            aside(self._run)

    def check(self):
        if self.waiting:
            raise self.Overtaken

    def _run(self):
        try:
            while self._take():
                with contextlib.suppress(self.Overtaken):
                    self.work(*self.job)
        except BaseException:
            self.busy = False
            raise

    def _take(self):
        with self.lock:
            self.job, self.waiting = self.waiting, None
            self.busy = self.job is not None
            return self.busy
