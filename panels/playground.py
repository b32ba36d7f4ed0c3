"""What the plane and the landscape are made of: the page's network in JavaScript, and theirs."""

from pathlib import Path

import numpy as np

from page.build import joined

HERE = Path(__file__).parent
NETWORK = ("arrays.js", "activations.js", "nn.js")


def script(name):
    """The network of page/, what both playgrounds share, and the one of this name."""
    own = [(HERE / file).read_text("utf-8") for file in ("playground.js", name)]
    return "\n".join([joined(*NETWORK), *own])


def look():
    return joined("stage.css") + (HERE / "playground.css").read_text("utf-8")


def on_slider(learning_rate):
    """A learning rate that the slider can show. ValueError for others."""
    if not 0.01 <= learning_rate <= 30:
        raise ValueError(f"learning_rate: expected 0.01 to 30, got {learning_rate!r}")
    return float(learning_rate)


def packed(net):
    """Weights, then biases, one after the other, as bytes: float32 in C order."""
    return b"".join(np.asarray(array, "<f4").tobytes() for array in net.weights + net.biases)


def unpack(net, data):
    """Put bytes of `packed` into a network."""
    flat, at = np.frombuffer(bytes(data), "<f4"), 0
    for array in net.weights + net.biases:
        array[...] = flat[at : at + array.size].reshape(array.shape)
        at += array.size
    return net
