"""A training in words: its knobs, a short text that restores them, a line of Python that repeats
it to the last bit."""

import math

from nn import NeuralNetwork
from optimisers import fitting_rate

from .controls import defaults

LIVE = 5_000  # digits with which turning a knob trains at once


def knobs(pixels, count):
    """By name: label, first value, lowest, highest, whether its slider is logarithmic. A knob that
    begins with an int takes only whole numbers. `count` digits are there to learn from."""
    net, first = NeuralNetwork((pixels, 100, 10)), defaults(NeuralNetwork.train)
    batch = first["batch_size"]
    return {  # the first three are always in sight
        "learning_rate": ("learning rate", fitting_rate(net, batch), 0.01, 100, True),
        "hidden_nodes": ("hidden nodes", net.layers[1], 1, 500, True),
        "digits": ("digits to learn from", min(LIVE, count), min(50, count), count, True),
        "epochs": ("epochs", first["epochs"], 1, 200, True),
        "batch_size": ("batch size", batch, 1, 1000, True),
        "momentum": ("momentum", 0.0, 0, 0.99, False),
        "rotation": ("rotation, ± degrees", first["rotations"][0], 0, 90, False),
        "seed": ("seed", 0, 0, 9999, False),
    }


def fitting(ranges, name, value):
    """A number, or a text of one, as the knob's value. ValueError if it does not fit."""
    if name not in ranges:
        raise ValueError(f"“{name[:20]}”: expected one of {', '.join(ranges)}")
    label, first, low, high, _ = ranges[name]
    whole = isinstance(first, int)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high or (whole and number % 1):
        kind = "a whole number" if whole else "a number"
        given = str(value)[:12]
        raise ValueError(f"{label}, “{given}”: expected {kind} from {low:g} to {high:g}")
    return int(number) if whole else number


def as_text(values):
    return " ".join(f"{name}={value!r}" for name, value in values.items())


def from_text(text):
    pairs = (part.partition("=") for part in text.split())
    return {name: value for name, _, value in pairs}


def python(layers, values, pieces, whole):
    """The line. A piece is what one press of Train did: epochs, and the fraction at which it was
    paused, or None; `whole` whether all digits that there are were learned from."""
    few, angle = "" if whole else f"[:{values['digits']}]", values["rotation"]
    line = f"net = NeuralNetwork({layers}, seed={values['seed']})"
    for epochs, paused in pieces:
        line += (
            f"; net.train(images{few}, labels{few}, epochs={epochs}, "
            f"learning_rate={values['learning_rate']!r}, batch_size={values['batch_size']}, "
            f"rotations={(angle, -angle) if angle else ()}"
        )
        line += f", descend=nesterov({values['momentum']!r})" if values["momentum"] else ""
        line += ")" if paused is None else f", each_step=pause({paused!r}))"
    return line


def pause(at):
    """An `each_step` for train that ends it, as a person's interrupt does, when the fraction `at`
    of it is done: so a run that was paused is repeated."""

    def each_step(done):
        if done >= at:
            raise KeyboardInterrupt

    return each_step
