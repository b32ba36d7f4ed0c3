"""What the plane and the landscape are made of: the page's network in JavaScript, and theirs."""

from page.build import NETWORK, joined

from .wire import files


def script(name):
    """The network of page/, what both playgrounds share, and the one of this name."""
    return joined("elements.js", *NETWORK) + "\n" + files("keys.js", "playground.js", name)


def look():
    return joined("stage.css") + "\n" + files("playground.css")


def on_slider(learning_rate):
    """A learning rate that the slider can show. ValueError for others."""
    if not 0.01 <= learning_rate <= 30:
        raise ValueError(f"learning_rate: expected 0.01 to 30, got {learning_rate!r}")
    return float(learning_rate)
