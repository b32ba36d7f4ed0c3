"""Make data/writing.gif, a network that learns to read and then writes: python -m data.make_writing

Above, the weights into twenty of its hundred hidden nodes, and how many digits it reads right while
it learns. Below, 0 to 9, written by it with the pen, stroke by stroke.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import mnist
from imagine import canvas_of
from nn import NeuralNetwork
from pen import PIECES, so_far, write

CELL, GAP = 72, 8  # pixels; ten cells make 800
LINE = 30  # of text
SEED = 1


def row(pictures):
    """Ten pictures (10, 72, 72), 0..255, side by side, (72, 800)."""
    framed = np.pad(pictures, ((0, 0), (0, 0), (GAP // 2, GAP // 2)), constant_values=255)
    return np.concatenate(list(framed), axis=1)


def hidden(weights):
    """The weights into the first twenty hidden nodes, (152, 800): dark pulls up, white down."""
    pictures = weights[:, :20].T.reshape(20, 28, 28)
    grey = 128 - 127 * pictures / abs(pictures).max(axis=(1, 2), keepdims=True)
    nearest = (np.arange(CELL) * 28) // CELL
    large = grey[:, nearest][:, :, nearest]
    return np.concatenate([row(large[:10]), np.full((GAP, 800), 255), row(large[10:])])


def written_so_far(written, pieces):
    """Of all ten digits the first so many pieces, one digit after the other: (72, 800)."""
    own = np.clip(pieces - PIECES * np.arange(10), 0, PIECES)
    sheets = so_far(written, own, CELL).reshape(10, CELL, CELL)
    return row(255 - 245 * sheets)


def frame(weights, text, sheet):
    picture = np.full((2 * CELL + GAP + LINE + CELL + GAP, 800), 255.0)
    picture[: 2 * CELL + GAP] = hidden(weights)
    picture[-CELL - GAP : -GAP] = sheet
    image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    place = (GAP // 2, 2 * CELL + GAP + 4)
    ImageDraw.Draw(image).text(place, text, fill=0, font=ImageFont.load_default(18))
    return image.quantize(16)


if __name__ == "__main__":
    train, _ = mnist.load()
    net = NeuralNetwork(seed=SEED)
    shots = []

    def callback(measurement):
        shots.append((net.weights[0].copy(), measurement["accuracy"], measurement["epoch"]))

    net.train(train.images, train.labels, callback=callback, progress=False)
    written = write(net, range(10), canvas_of(train.images))

    empty = written_so_far(written, 0)
    learning = "20 of 100 hidden nodes, learning:  epoch {:.1f},  reads {:.1%} of its digits"
    frames = [frame(w, learning.format(epoch, right), empty) for w, right, epoch in shots]
    times = [150] * len(frames)
    for pieces in range(4, 10 * PIECES + 1, 4):
        sheet = written_so_far(written, pieces)
        frames.append(frame(shots[-1][0], "now it writes 0 to 9 with a pen", sheet))
        times.append(60)
    times[-1] = 4000
    path = Path(__file__).parent / "writing.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
