"""Panels to play with in a notebook: train a network, look inside it, touch a slope, draw a digit,
imagine one; and two playgrounds for the lessons.

    TrainingPanel((images, labels), validation)  # then panel.net, panel.runs, panel.python
    NeuronExplorer(net, images, labels)
    BlamePanel(net, images, labels)              # which numbers make a slope
    DrawingPad(net)                              # then pad.image, pad.picture, pad.save("x.png")
    TeachingPad(net, (images, labels), validation)  # it learns from you; then pad.net
    ImaginePanel(net, canvas)                    # canvas = canvas_of(images)
    LandscapePanel(x, t, bias)                   # then panel.weights
    PlanePanel("exclusive or", hidden=4)         # then panel.net

A panel shows itself when it stands on a cell's last line. Here are only controls: nn.py and its
neighbours do the work, plots.py or a .js file draws, and plain cells can do the same. A panel needs
JupyterLab and a running kernel (the drawing pad and the playgrounds do without one, once they are
there); elsewhere you see a sentence, or the last picture of the panels that keep one.

A file a panel; what they share is in controls.py, in markup.py, and, of those that draw in the
browser, in wire.py. What only the training panel needs
is in recipe.py, its knobs in words, film.py, the moments of a run, and stage.py, its widget; what
the plane and the landscape share is in playground.py.
"""

from .blame import BlamePanel
from .drawing import DrawingPad
from .explorer import NeuronExplorer
from .imagining import ImaginePanel
from .landscape import LandscapePanel
from .plane import PlanePanel
from .recipe import pause
from .teaching import TeachingPad
from .training import TrainingPanel

__all__ = [
    "BlamePanel",
    "DrawingPad",
    "ImaginePanel",
    "LandscapePanel",
    "NeuronExplorer",
    "PlanePanel",
    "TeachingPad",
    "TrainingPanel",
    "pause",
]
