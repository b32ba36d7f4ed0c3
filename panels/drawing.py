"""Draw a digit and watch what a network says. What happens in the browser is in drawing.js."""

import threading
from pathlib import Path

import anywidget
import numpy as np
import PIL.Image
import traitlets
from ipywidgets import HTML, Button, HBox, IntSlider, Layout, VBox, jslink

import checks
import handwriting
from distortions import look

from .controls import Panel, wrapped
from .markup import answer_html

HERE = Path(__file__).parent


class Sheet(anywidget.AnyWidget):
    """A white square to draw on in black, with mouse, pen or finger."""

    _esm = HERE / "drawing.js"
    _css = HERE / "drawing.css"
    size = traitlets.Int(280).tag(sync=True)  # pixels a side
    pen = traitlets.Int(20).tag(sync=True)  # width of its line
    # (size * size,) bytes, 0 = ink, 255 = paper; none at all while nothing is drawn
    pixels = traitlets.Bytes().tag(
        sync=True, echo_update=False, from_json=lambda value, widget: bytes(value)
    )


class DrawingPad(Panel):
    """Draw a digit with mouse, pen or finger, and watch what the network says meanwhile.

    net    can be replaced by another network at any time
    looks  how often it looks at the drawing, each time distorted a little; see distortions.look

    `picture` is the drawing, `image` what the network sees of it. clear() is what the button does.
    ValueError for less than one look.
    """

    def __init__(self, net, looks=1):
        checks.counts(looks=looks)
        self.net, self.looks, self.lock = net, looks, threading.Lock()
        self.sheet, self.shows = Sheet(), HTML()
        clear = Button(description="Clear", layout=Layout(width="80px"))
        clear.on_click(lambda _: self.clear())
        pen = IntSlider(self.sheet.pen, 4, 50, description="pen", readout=False)
        pen.layout.width, pen.style.description_width = "200px", "36px"
        self.link = jslink((pen, "value"), (self.sheet, "pen"))
        self.box = wrapped(VBox([self.sheet, HBox([clear, pen])]), self.shows, grid_gap="20px")
        self.sheet.observe(lambda change: self._answer(), "pixels")
        self._answer()

    @property
    def picture(self):
        """The drawing, (280, 280) uint8, 255 = paper."""
        size = self.sheet.size
        pixels = np.frombuffer(self.sheet.pixels or b"\xff" * size**2, np.uint8)
        return pixels.reshape(size, size).copy()

    @property
    def image(self):
        """The drawing as the network sees it, (784,) uint8. All 0 if nothing is drawn."""
        try:
            return handwriting.prepare(self.picture)
        except ValueError:  # there is no digit on it
            return np.zeros(784, np.uint8)

    def save(self, path):
        """Write the drawing as PNG. handwriting.from_picture reads it."""
        PIL.Image.fromarray(self.picture).save(path, format="png")

    def clear(self):
        """Take a new sheet."""
        self.sheet.pixels = b""

    def _answer(self):
        with self.lock:  # whoever comes last shows the newest drawing
            image = self.image
            outputs = look(self.net, image, self.looks)[0] if image.any() else None  # (10,)
            title, verdict = "What the network sees:", "Draw a digit, 0 to 9."
            if outputs is not None:
                verdict = f"It says {outputs.argmax()}, with {outputs.max():.2f}."
            self.shows.value = answer_html(title, image, outputs, verdict)
