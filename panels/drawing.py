"""Draw a digit and watch a network think. It is the stage of page/, and thinks in the browser."""

import threading

import anywidget
import numpy as np
import PIL.Image
import traitlets
from ipywidgets import Layout

import checks
import handwriting
from distortions import ways
from page.build import SCRIPTS, joined

from .controls import Panel
from .wire import as_bytes, files

SIDE = 280  # pixels of the sheet


class Sheet(anywidget.AnyWidget):
    """The stage as a widget: page/pad.js."""

    _esm = files("keys.js") + "\n" + joined(*SCRIPTS, "distortions.js", "desk.js", "pad.js")
    _css = joined("stage.css", "desk.css")
    options = traitlets.Dict().tag(sync=True)  # of NeuralNetwork, and the names of its answers
    parameters = traitlets.Bytes().tag(sync=True)  # weights, then biases, float32 in C order
    maps = traitlets.Bytes().tag(sync=True)  # (looks, 6) float32: matrix and shift of each look
    lesson = traitlets.Dict().tag(sync=True)  # what a TeachingPad was taught
    # (280 * 280,) bytes, 0 = ink, 255 = paper; none at all while nothing is drawn
    pixels = traitlets.Bytes().tag(
        sync=True, echo_update=False, from_json=lambda value, widget: bytes(value)
    )


class DrawingPad(Panel):
    """Draw a digit with mouse, pen, finger or arrow keys, and watch the network think meanwhile:
    what it sees, which hidden nodes light up, who speaks for and against which digit.

    net    can be replaced by another network at any time; has it learned more, the next stroke is
           answered by what it has become
    looks  how often it looks at the drawing, each time distorted a little; see distortions.look

    The browser computes the answers, also while the kernel is at work or gone. `picture` is the
    drawing, `image` what the network sees of it. clear() is what the button does. ValueError for
    less than one look, and for a network of other than 784 inputs, or a single output.
    """

    names = ()  # of the answers, where they are no digits

    def __init__(self, net, looks=1):
        checks.counts(looks=looks)
        self.lock, self.box = threading.Lock(), Sheet(layout=Layout(width="100%", padding="4px"))
        self.net = net
        if looks > 1:
            maps = [np.reshape(part, (looks, -1)) for part in ways(looks)]
            self.box.maps = np.hstack(maps).astype("<f4").tobytes()
        self.box.observe(lambda change: self._send(), "pixels")

    @property
    def net(self):
        return self._net

    @net.setter
    def net(self, net):
        self._use(net)

    def _use(self, net):
        if net.layers[0] != 784 or net.layers[-1] < 2:
            wanted = "784 inputs and two or more outputs"
            raise ValueError(f"expected a network with {wanted}, got layers {net.layers}")
        self._net = net
        self._send()

    def _send(self):
        """Give the browser the network as it is now. What it has already is not sent again."""
        net = self._net
        with self.lock, self.box.hold_sync():
            self.box.options = {
                "layers": list(net.layers),
                "hidden": net.hidden,
                "output": net.output,
                "loss": net.loss_name,
                "biases": bool(net.biases),
                "names": list(self.names),
            }
            self.box.parameters = as_bytes(net)

    @property
    def picture(self):
        """The drawing, (280, 280) uint8, 255 = paper."""
        pixels = np.frombuffer(self.box.pixels or b"\xff" * SIDE**2, np.uint8)
        return pixels.reshape(SIDE, SIDE).copy()

    @property
    def image(self):
        """The drawing as the network sees it, (784,) uint8. All 0 if there is no digit on it."""
        try:
            return handwriting.prepare(self.picture)
        except ValueError:
            return np.zeros(784, np.uint8)

    def save(self, path):
        """Write the drawing as PNG. handwriting.from_picture reads it."""
        PIL.Image.fromarray(self.picture).save(path, format="png")

    def clear(self):
        """Take a new sheet."""
        self.box.pixels = b""
