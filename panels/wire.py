"""What travels between a panel and its browser: scripts, weights as bytes, numbers as text."""

import base64
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
VIEW = "application/vnd.jupyter.widget-view+json"


def view(widget, words):
    """A widget as an output of a cell; and words for where it cannot be shown."""
    shown = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {VIEW: shown, "text/plain": words}


def files(*names):
    """Files of this folder as one text: a script, or a look."""
    return "\n".join((HERE / name).read_text("utf-8") for name in names)


def as_bytes(net):
    """Weights, then biases, one after the other: float32 in C order."""
    return b"".join(np.asarray(array, "<f4").tobytes() for array in net.weights + net.biases)


def put_into(net, data):
    """Put what `as_bytes` made into a network of the same layers, and return it."""
    flat, at = np.frombuffer(bytes(data), "<f4"), 0
    for array in net.weights + net.biases:
        array[...] = flat[at : at + array.size].reshape(array.shape)
        at += array.size
    return net


def in_base64(array):
    """An array's numbers as text, as some front ends lose bytes."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
