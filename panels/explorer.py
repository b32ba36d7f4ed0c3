"""Look inside a network: one hidden node after the other."""

import numpy as np
from ipywidgets import HTML, Image, Layout, VBox

import plots
from nn import CHUNK

from .controls import WIDE, Knob, Latest, Panel, png
from .markup import digits_html


class NeuronExplorer(Panel):
    """Pick a hidden node: what it looks for, what it says to the digits, what excites it.

    images, labels  digits to look for exciting ones in

    `knob` holds the node. ValueError unless the network has one hidden layer.
    """

    def __init__(self, net, images, labels):
        if len(net.layers) != 3:
            raise ValueError(f"expected a network with one hidden layer, got layers {net.layers}")
        self.net, self.images, self.labels = net, np.asarray(images), np.asarray(labels)
        chunks = np.array_split(self.images, -(-len(self.images) // CHUNK))
        sums = [net.sums(net.as_input(chunk), 0) for chunk in chunks]
        self.sums = np.concatenate(sums)  # (n, 100)
        draw = Latest(self._draw)
        nodes = net.layers[1]
        self.knob = Knob("hidden node", 0, 0, nodes - 1, changed=lambda: draw(self.knob.value))
        self.says, self.digits, self.weights = HTML(), HTML(), Image(layout=Layout(**WIDE))
        self.box = VBox([self.knob.box, self.says, self.weights, self.digits])
        self._draw(0)

    def _draw(self, node):
        out, z = self.net.weights[1][node], self.sums[:, node]  # (10,), (n,)
        self.weights.value, _ = png(plots.node, self.net.weights[0][:, node], out)
        order = z.argsort(kind="stable")
        rows = ""
        for how, chosen in (("most", order[:-11:-1]), ("least", order[:10])):
            captions = [f"a {self.labels[n]}\n{z[n]:+.1f}" for n in chosen]
            rows += f"These digits excite it {how} (below: its sum z):"
            rows += digits_html(self.images[chosen], captions)
        self.digits.value = rows
        self.says.value = (
            f"Node <b>{node}</b> speaks loudest for the digit {out.argmax()} "
            f"and against the digit {out.argmin()}."
        )
