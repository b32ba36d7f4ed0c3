"""Which line of Python computes this number? Looked up in the source, so it is the real one."""

import inspect
from pathlib import Path

from activations import ACTIVATIONS, LOSSES


def line_of(function, begins):
    """The first line of a function that begins so, or its very first, and where it stands."""
    try:
        lines, first = inspect.getsourcelines(function)
        file = Path(inspect.getsourcefile(function)).name
    except (OSError, TypeError):  # it was not written in Python
        return {"code": getattr(function, "__name__", str(function)), "where": ""}
    found = ((n, line) for n, line in enumerate(lines) if line.strip().startswith(begins))
    n, line = next(found, (0, lines[0]))
    return {"code": line.strip().rstrip(","), "where": f"{file}, line {max(first, 1) + n}"}


def lines_of(net):
    """The lines that compute each factor of a slope, by its name in blame_chain.js."""
    delta, bent = LOSSES[net.loss_name, net.output].delta, ACTIVATIONS[net.output].backward
    hidden, network = ACTIVATIONS[net.hidden].backward, type(net)
    returns = ("return", "backward", "lambda")
    return {
        "input": line_of(network.forward, "activations = "),
        "activation": line_of(network.forward, "activations.append"),
        "error": line_of(delta, returns),
        "output bend": line_of(bent, returns),
        "output delta": line_of(network.deltas, "deltas = "),
        "back": line_of(network.deltas, "slope = "),
        "hidden bend": line_of(hidden, returns),
        "hidden delta": line_of(network.deltas, "deltas.insert"),
        "by weight": line_of(network.backprop, "by_weights = "),
        "by pixel": line_of(network.input_gradient, "return"),
    }
