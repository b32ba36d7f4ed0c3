"""Pictures that are no digits, of many kinds: to ask a network of, and to teach it to say no.

    pictures = KINDS["letters"](rng, images, labels, 1000)  # (1000, 784), bytes
    nonsense = mixture(rng, train.images, train.labels, 60_000, TAUGHT)  # of many kinds

A kind is a function of a random generator, digits to make it of with their labels, and a count. A
few of its pictures may happen to be digits after all: a 3 on top of an 8 is an 8.

Source: D. Hendrycks, M. Mazeika, T. Dietterich 2019, "Deep Anomaly Detection with Outlier
Exposure", for teaching with pictures of other kinds than those one is asked of later.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

import pen
from distortions import affine, random_affine

# Letters that no digit looks like, as strokes from corner to corner in a square, (right, down)
# from 0 to 4: "04-20-44" goes up and down again.
LETTERS = {
    "A": "04-20-44 12-32",
    "C": "41-30-10-01-03-14-34-43",
    "E": "40-00-04-44 02-32",
    "F": "40-00-04 02-32",
    "H": "00-04 40-44 02-42",
    "K": "00-04 40-02-44",
    "L": "00-04-44",
    "M": "04-00-22-40-44",
    "N": "04-00-44-40",
    "P": "04-00-30-41-32-02",
    "R": "04-00-30-41-32-02 22-44",
    "T": "00-40 20-24",
    "U": "00-03-14-34-43-40",
    "V": "00-24-40",
    "W": "00-14-22-34-40",
    "X": "00-44 40-04",
    "Y": "00-22-40 22-24",
}


def noise(rng, images, labels, count):
    """Every pixel any grey, one like the other."""
    return rng.integers(0, 256, (count, images.shape[1]), np.uint8)


def shuffled(rng, images, labels, count):
    """Digits whose pixels lie in another order, each in its own."""
    return rng.permuted(some(rng, images, count), axis=1)


def inverted(rng, images, labels, count):
    """Ink and paper exchanged."""
    return 255 - some(rng, images, count)


def overlaid(rng, images, labels, count):
    """Two different digits on top of each other."""
    return np.maximum(*pairs(rng, images, labels, count))


def averaged(rng, images, labels, count):
    """Half of one digit and half of another one."""
    one, other = pairs(rng, images, labels, count)
    return one // 2 + other // 2


def upside_down(rng, images, labels, count):
    """Turned by 180 degrees: 2, 3, 4, 5 and 7. (0, 1 and 8 stay digits, 6 and 9 change places. Many
    a 5 still looks like one.)"""
    return only(rng, images, labels, [2, 3, 4, 5, 7], count)[:, ::-1]


def letters(rng, images, labels, count):
    """Letters of LETTERS."""
    texts = list(LETTERS.values())
    return by_hand(rng, [texts[i] for i in rng.integers(len(texts), size=count)])


def scribbles(rng, images, labels, count):
    """Smooth strokes by chance: one, or a second, shorter one beside it."""
    one, other = waves(rng, 2 * count).reshape(2, count, 16, 2)
    other = other / 2 + rng.normal(size=(count, 1, 2))
    two = rng.random(count) < 0.5
    shapes = zip(one, other, two, strict=True)
    return sketch(rng, [[first, second] if both else [first] for first, second, both in shapes])


def waves(rng, count):
    """Random smooth curves (count, 16, 2), sums of waves, the longer the higher. None is closed:
    that might be a 0."""
    numbers = np.arange(1, 7)
    along = np.cos(np.pi * numbers * (np.arange(16)[:, None] + 0.5) / 16) / numbers  # (16, 6)
    return (along @ rng.normal(0, 1, (count, 6, 2))).astype(np.float32)


def sticks(rng, images, labels, count):
    """Straight lines by chance, most of them joined."""
    shapes = []
    for _ in range(count):
        corners = rng.uniform(0, 4, (rng.integers(4, 8), 2))
        cut = rng.integers(2, len(corners) + 3)  # beyond the last: one stroke
        shapes.append(
            [part for part in (corners[:cut], corners[cut - rng.integers(2) :]) if len(part) > 1]
        )
    return sketch(rng, shapes)


def mirrored(rng, images, labels, count):
    """Left and right exchanged, of digits that are none then: 2, 3, 4, 5, 6, 7 and 9."""
    chosen = only(rng, images, labels, [2, 3, 4, 5, 6, 7, 9], count)
    return squares(chosen)[:, :, ::-1].reshape(chosen.shape)


def flipped(rng, images, labels, count):
    """Top and bottom exchanged, of digits that are none then: 4, 6, 7 and 9."""
    chosen = only(rng, images, labels, [4, 6, 7, 9], count)
    return squares(chosen)[:, ::-1].reshape(chosen.shape)


def turned(rng, images, labels, count):
    """Turned by 60 to 120 degrees to one side, all but 0."""
    chosen = only(rng, images, labels, [1, 2, 3, 4, 5, 6, 7, 8, 9], count)
    matrices, shifts = random_affine(rng, count, degrees=30)
    side = rng.choice([-1, 1], count)[:, None, None]
    quarter = np.array([[0, -1], [1, 0]]) * side  # (count, 2, 2)
    return affine(chosen, (matrices @ quarter).astype(np.float32), shifts)


def shifted_parts(rng, images, labels, count):
    """Cut in two, and one part moved along the cut by a fifth of the picture or more."""
    chosen = squares(some(rng, images, count))
    moved = np.empty_like(chosen)
    for old, new in zip(chosen, moved, strict=True):
        axis, cut = rng.integers(2), rng.integers(10, 18)
        by = rng.integers(6, 12) * rng.choice([-1, 1])
        first, last = np.split(old if axis else old.T, [cut])
        (new if axis else new.T)[:] = np.concatenate([first, np.roll(last, by, axis=1)])
    return moved.reshape(count, -1)


def blots(rng, images, labels, count):
    """Noise, blurred a little or much, as grey clouds or as ink with edges."""
    scale = rng.uniform(0.7, 4, count)
    clouds = np.stack([gaussian_filter(rng.normal(size=(28, 28)), s) for s in scale])
    clouds = clouds.reshape(count, -1)
    clouds = (clouds - clouds.mean(axis=1, keepdims=True)) / clouds.std(axis=1, keepdims=True)
    edge, level = rng.choice([1, 3, 20], (count, 1)), rng.uniform(-1.5, 1.5, (count, 1))
    return np.uint8(255 / (1 + np.exp(-edge * (clouds - level))))


# To teach with, and to ask of only: a network that refuses the second has learned more than a list.
TAUGHT = {
    "noise": noise,
    "one on another": overlaid,
    "mirrored": mirrored,
    "flipped": flipped,
    "turned": turned,
    "parts shifted": shifted_parts,
    "scribbles": scribbles,
    "sticks": sticks,
    "blots": blots,
}
UNSEEN = {
    "shuffled": shuffled,
    "inverted": inverted,
    "averaged": averaged,
    "upside down": upside_down,
    "letters": letters,
}
KINDS = TAUGHT | UNSEEN


def mixture(rng, images, labels, count, kinds):
    """So many pictures (count, 784) of these kinds, about as many of each, kind after kind."""
    parts = np.array_split(np.arange(count), len(kinds))
    made = [
        kind(rng, images, labels, len(part))
        for kind, part in zip(kinds.values(), parts, strict=True)
    ]
    return np.concatenate(made)


# --- What they are made of ------------------------------------------------------------------------


def some(rng, images, count):
    return images[rng.integers(len(images), size=count)]


def only(rng, images, labels, digits, count):
    return some(rng, images[np.isin(labels, digits)], count)


def pairs(rng, images, labels, count):
    """Digits (count, 784), and beside each one of another label."""
    one = rng.integers(len(images), size=count)
    other = rng.integers(len(images), size=count)
    while (same := labels[one] == labels[other]).any():
        other[same] = rng.integers(len(images), size=same.sum())
    return images[one], images[other]


def squares(images):
    return images.reshape(-1, 28, 28)


def strokes_of(text):
    """A text of LETTERS as a list of strokes (corners, 2), row and column."""
    return [
        np.array([[int(down), int(right)] for right, down in stroke.split("-")], float)
        for stroke in text.split()
    ]


def by_hand(rng, texts):
    """What texts like those of LETTERS say, one after the other, drawn by a trembling hand."""
    shapes = [strokes_of(text) for text in texts]
    return sketch(rng, [[trembled(rng, stroke) for stroke in shape] for shape in shapes])


def trembled(rng, stroke):
    return stroke + 0.2 * rng.normal(size=stroke.shape)


def sketch(rng, shapes):
    """Shapes, each a list of strokes (corners, 2), in ink: at the place and size of MNIST's digits,
    turned, stretched and slanted a little, with a pen that is thinner or thicker."""
    matrices, shifts = random_affine(rng, len(shapes))
    begins, ends = np.stack([path(strokes) for strokes in shapes], axis=1)  # (count, 48, 2) each
    both = np.concatenate([begins, ends], axis=1)
    size = np.ptp(both, axis=1).max(axis=1)[:, None, None]  # (count, 1, 1)
    turn = 17.5 / size * matrices.transpose(0, 2, 1)
    places, moves = (begins + ends) / 2 @ turn, (ends - begins) @ turn
    length = np.linalg.norm(moves, axis=2, keepdims=True)  # (count, 48, 1)
    centre = (length * places).sum(axis=1) / length.sum(axis=1)  # (count, 2), of the ink
    places += (13.5 + shifts - centre)[:, None]
    width = pen.WIDTH * np.exp(rng.uniform(-0.3, 0.3, (len(shapes), 1, 1)))
    chunks = (slice(i, i + 500) for i in range(0, len(shapes), 500))  # so that memory stays small
    ink = [pen.ink(places[rows], moves[rows], width[rows]) for rows in chunks]
    return np.uint8(np.rint((np.concatenate(ink) - 0.01) / 0.99 * 255))


def path(strokes):
    """Where the pieces of a pen's path begin and end, (2, 48, 2). A longer stroke has more."""
    lengths = [np.linalg.norm(np.diff(stroke, axis=0), axis=1).cumsum() for stroke in strokes]
    until = np.cumsum([0, *(length[-1] for length in lengths)])
    pieces = np.diff(np.rint(until / until[-1] * pen.PIECES).astype(int))
    begins, ends = [], []
    for stroke, length, count in zip(strokes, lengths, pieces, strict=True):
        at = np.linspace(0, length[-1], count + 1)
        points = [np.interp(at, [0, *length], stroke[:, axis]) for axis in (0, 1)]
        begins.append(np.stack(points, axis=1)[:-1])
        ends.append(np.stack(points, axis=1)[1:])
    return np.stack([np.concatenate(begins), np.concatenate(ends)]).astype(np.float32)
