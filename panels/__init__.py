"""Panels to play with in a notebook: train a network, look inside it, draw a digit, imagine one;
and two playgrounds for the lessons.

    TrainingPanel((images, labels), validation)  # then panel.net, panel.runs
    NeuronExplorer(net, images, labels)
    DrawingPad(net)                              # then pad.image, pad.picture, pad.save("x.png")
    ImaginePanel(net, canvas)                    # canvas = canvas_of(images)
    LandscapePanel(x, t, bias)                   # then panel.weights
    PlanePanel("exclusive or", hidden=4)         # then panel.net

A panel shows itself when it stands on a cell's last line. Here are only controls: nn.py and its
neighbours do the work, plots.py draws, and plain cells can do the same. A panel needs JupyterLab
and a running kernel (the drawing pad and the playgrounds do without one, once they are there);
elsewhere you see no more than the sentence that it prints.

A file a panel; what they share is in controls.py and markup.py, and in playground.py for
the plane and the landscape.
"""

from .drawing import DrawingPad
from .explorer import NeuronExplorer
from .imagining import ImaginePanel
from .landscape import LandscapePanel
from .plane import PlanePanel
from .training import TrainingPanel

__all__ = [
    "DrawingPad",
    "ImaginePanel",
    "LandscapePanel",
    "NeuronExplorer",
    "PlanePanel",
    "TrainingPanel",
]
