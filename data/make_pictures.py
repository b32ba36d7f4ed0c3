"""Make the pictures that the repository ships: python -m data.make_pictures

my_seven.png, a seven as if written on paper, and twins.png, digits of people above digits that the
network imagines (for the README), on the canvas of full MNIST if it is there.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

import mnist
import plots
import storage
from imagine import canvas_of, imagine

HERE = Path(__file__).parent


def seven(width=480, height=360, fine=4):
    """Blue pen on paper that is lit from one side, (height, width, 3)."""
    canvas = Image.new("L", (width * fine, height * fine))
    t = np.linspace(0, 1, 40)
    top = np.stack([225 + 105 * t, 95 + 6 * np.sin(3 * t)], axis=1)
    stem = np.stack([330 - 75 * t + 10 * np.sin(2.5 * t), 95 + 185 * t], axis=1)
    bar = np.stack([262 + 78 * t, 192 - 10 * t], axis=1)
    for points, pen in ((np.concatenate([top, stem]), 13), (bar, 12)):
        for x, y in points * fine:
            r = pen * fine / 2
            ImageDraw.Draw(canvas).ellipse([x - r, y - r, x + r, y + r], fill=255)
    ink = gaussian_filter(np.asarray(canvas.resize((width, height), Image.BOX)) / 255, 0.8)
    y, x = np.mgrid[:height, :width]
    grain = gaussian_filter(np.random.default_rng(3).normal(0, 4, ink.shape), 1)
    paper = 235 - 25 * x / width - 15 * y / height + grain
    return np.stack([paper * (1 - ink) + pen * ink for pen in (40, 50, 110)], axis=2)


if __name__ == "__main__":
    paper = Image.fromarray(seven().clip(0, 255).astype(np.uint8))
    paper.save(HERE / "my_seven.png", optimize=True)

    _, test = mnist.load_sample()
    first = [np.flatnonzero(test.labels == digit)[0] for digit in range(10)]
    net = storage.load(HERE / "digits.npz")
    canvas = canvas_of(mnist.load()[0].images)
    rows = [net.as_input(test.images[first]), imagine(net, range(10), canvas, jiggle=3)]
    picture = plots.digits(np.concatenate(rows))
    picture.savefig(HERE / "twins.png", metadata={"Software": None})
