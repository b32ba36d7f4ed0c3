"""Let a network write: look not for the pixels of a 3, but for the path of a pen.

    written = write(net, range(10), canvas_of(train.images))
    written.images           # (10, 784)
    written.places[3]        # (48, 2): where the pen is, row and column, piece after piece
    so_far(written, 9)       # (10, 784): the first nine pieces; all of them one by one are a film

The path is a smooth curve, a cubic B-spline, open or closed: point j of K pulls piece i by the
share A_ij,

    c_i = sum_j A_ij p_j     the middle of piece i
    m_i = sum_j M_ij p_j     how far the pen goes there, from the piece's begin to its end

The ink at a pixel q is an integral along the path, so that it is the same for a slow and a hasty
pen. DARKNESS says how dark the middle of a stroke is, w how wide it is:

    f(q) = sum_i |m_i| exp(-|q - c_i|^2 / 2 w^2)
    k(q) = 1 - exp(-s f(q))     with s = DARKNESS / (w sqrt(2 pi))

The path learns as weights do: the slope of the loss by the pixels is carried back by the chain
rule, through the ink to c and m and through the curve to the points p.

What tells a digit from a scribble that only this network takes for one? What pixels do in all
digits together: the canvas. The picture less their mean is a sum of the canvas's directions, z_k
spreads of each, and a rest r that no digits hold. Both have a price, see `strangeness`.

Sources: the pen as what is sought, Y. Ganin et al. 2018, "Synthesizing Programs for Images using
Reinforced Adversarial Learning"; a drawing that has a slope by its curve, T.-M. Li et al. 2020,
"Differentiable Vector Graphics Rasterization for Editing and Learning"; D. Kingma, J. Ba 2014,
"Adam"; nodes left out, N. Srivastava et al. 2014, "Dropout".
"""

import copy
from typing import NamedTuple

import numpy as np
from scipy.interpolate import BSpline

import checks
from distortions import random_affine
from imagine import steep_loss
from machine import one_thread

PIECES = 48  # of a path
POINTS = 12  # that pull it
WIDTH, DARKNESS = 0.8, 3  # w, and how dark: a stroke about three pixels wide, as MNIST's are


class Written(NamedTuple):
    """What a network wrote."""

    images: np.ndarray  # (n, 784), 0.01..1.00
    places: np.ndarray  # (n, 48, 2): the middle of each piece of the path, row and column
    moves: np.ndarray  # (n, 48, 2): from each piece's begin to its end; between strokes is no piece


def so_far(written, pieces, side=None):
    """The pictures (n, side^2) when each pen has gone so many pieces: a film. They may be larger
    than what the network sees."""
    own = checks.side(written.images.shape[1])
    side = side or own
    scale = side / own
    gone = np.arange(PIECES) < np.broadcast_to(pieces, len(written.places))[:, None]  # (n, 48)
    places = scale * (written.places + 0.5) - 0.5
    places = np.where(gone[:, :, None], places, -1000)  # others are far from the sheet
    return ink(places, scale * written.moves, scale * WIDTH, side)


class Curve(NamedTuple):
    """How K points make a path; stacked, n of them."""

    along: np.ndarray  # A (48, K)
    moves: np.ndarray  # M (48, K)
    bends: np.ndarray  # (K, K): the second differences of the points of each stroke
    second: np.ndarray  # (): the piece that the second stroke begins with; 48 if there is none


def spline(strokes):
    """The Curve of strokes of so many points each, from its first point to its last."""
    points, first, pieces = sum(strokes), 0, 0
    along, moves = np.zeros((2, PIECES, points), np.float32)
    bends = np.zeros((points, points), np.float32)
    for count in strokes:
        last = round(PIECES * (first + count) / points)
        knots = np.concatenate([[0] * 3, np.linspace(0, 1, count - 2), [1] * 3])
        cuts = np.linspace(0, 1, last - pieces + 1)
        curve = BSpline.design_matrix(cuts, knots, 3).toarray()  # (pieces + 1, count)
        own = slice(first, first + count)
        along[pieces:last, own] = (curve[1:] + curve[:-1]) / 2
        moves[pieces:last, own] = curve[1:] - curve[:-1]
        bends[first : first + count - 2, own] = np.diff(np.eye(count), 2, axis=0)
        first, pieces = first + count, last
    return Curve(along, moves, bends, np.array(round(PIECES * strokes[0] / points)))


def ring(points):
    """The Curve of one closed stroke: it ends where it begins, wherever its points are."""
    cuts, knots = np.linspace(0, points, PIECES + 1), np.arange(-3, points + 4)
    curve = BSpline.design_matrix(cuts, knots, 3).toarray()  # (49, K + 3)
    curve = np.c_[curve[:, :3] + curve[:, points:], curve[:, 3:points]]  # round the ring
    bends = np.diff(np.eye(points), 2, axis=0, append=np.eye(points)[:2])
    matrices = (curve[1:] + curve[:-1]) / 2, curve[1:] - curve[:-1], bends
    return Curve(*(matrix.astype(np.float32) for matrix in matrices), np.array(PIECES))


def ink(places, moves, width=WIDTH, side=28):
    """The pictures (n, 784), 0.01..1.00, of paths (n, pieces, 2)."""
    return 0.01 + 0.99 * drawn(places, moves, width, side)[0].reshape(len(places), side * side)


def drawn(places, moves, width=WIDTH, side=28):
    """The ink (n, 28, 28), 0..1, and what ink_slopes needs to go back.

    A bell over a plane is a bell over its rows times a bell over its columns. So all pieces' ink
    together is one product of matrices."""
    pixels, width = np.arange(side, dtype=places.dtype), np.asarray(width, places.dtype)
    bells = np.exp(-((pixels - places[..., None]) ** 2) / (2 * np.square(width)[..., None]))
    rows, columns = bells[:, :, 0], bells[:, :, 1]  # (n, 48, 28) each
    length = np.sqrt((moves**2).sum(axis=2, keepdims=True) + 1e-6)  # (n, 48, 1), never quite 0
    s = DARKNESS / (width * float(np.sqrt(2 * np.pi)))
    ink = 1 - np.exp(-s * (length * rows).transpose(0, 2, 1) @ columns)  # (n, 28, 28)
    return ink, (rows, columns, length)


def ink_slopes(slope, ink, kept, places, moves, width=WIDTH):
    """The loss's slope by the ink (n, 28, 28) -> by the places and by the moves, (n, 48, 2) each:
    drawn in a mirror."""
    rows, columns, length = kept
    pixels, width = np.arange(len(slope[0]), dtype=places.dtype), np.asarray(width, places.dtype)
    s = DARKNESS / (width * float(np.sqrt(2 * np.pi)))
    slope = slope * s * (1 - ink)  # by the sum f
    by_rows = columns @ slope.transpose(0, 2, 1)  # (n, 48, 28)
    by_columns = rows @ slope
    by_length = (by_rows * rows).sum(axis=2, keepdims=True)  # (n, 48, 1)
    down = length * (by_rows * rows * (pixels - places[:, :, :1])).sum(axis=2, keepdims=True)
    right = length * (by_columns * columns * (pixels - places[:, :, 1:])).sum(axis=2, keepdims=True)
    return np.concatenate([down, right], axis=2) / np.square(width), by_length * moves / length


class Hand(NamedTuple):
    """What chance does to n paths while they are drawn."""

    off: np.ndarray  # (n, K, 2): how far each point is from where it should be
    matrices: np.ndarray  # (n, 2, 2): turned, stretched and slanted around the picture's middle
    shifts: np.ndarray  # (n, 1, 2)
    width: np.ndarray  # (n, 1, 1), of the pen
    left: np.ndarray  # (n, 28, 28), 0..1: how much of the ink; in a patch it may be none


def trembling(rng, count, points, side=28, much=1.0):
    """A Hand for so many paths of so many points."""
    matrices, shifts = random_affine(
        rng, count, degrees=15 * much, scale=0.2 * much, shear=0.25 * much, shift=1.5 * much
    )
    off = 1.5 * much * rng.normal(0, 1, (count, points, 2))
    width = WIDTH * np.exp(0.25 * much * rng.uniform(-1, 1, (count, 1, 1)))
    patch = np.exp(-((np.arange(side) - rng.uniform(4, side - 4, (2, count, 1))) ** 2) / 8)
    missing = (
        (rng.random(count) < 0.6 * min(much, 1))[:, None, None]
        * patch[0][:, :, None]
        * patch[1][:, None]
    )
    hand = off, matrices, shifts[:, None], width, 1 - missing
    return Hand(*(amount.astype(np.float32) for amount in hand))


def trace(points, curve, hand, side=28):
    """Points (n, K, 2) -> the pictures (n, 784) that this hand draws, and what trace_slopes needs
    to go back."""
    points, middle = points + hand.off, (side - 1) / 2
    turned = hand.matrices.transpose(0, 2, 1)
    places = (curve.along @ points - middle) @ turned + middle + hand.shifts  # (n, 48, 2)
    moves = curve.moves @ points @ turned  # (n, 48, 2)
    ink, kept = drawn(places, moves, hand.width, side)  # (n, 28, 28)
    x = 0.01 + 0.99 * ink * hand.left
    return x.reshape(len(x), side * side), (places, moves, ink, kept)


def trace_slopes(slope, curve, hand, memory):
    """The loss's slope by the pictures (n, 784) -> by the points (n, K, 2): trace in a mirror."""
    places, moves, ink, kept = memory
    slope = 0.99 * slope.reshape(ink.shape) * hand.left
    by_places, by_moves = ink_slopes(slope, ink, kept, places, moves, hand.width)
    by_points = curve.along.transpose(0, 2, 1) @ (by_places @ hand.matrices)
    return by_points + curve.moves.transpose(0, 2, 1) @ (by_moves @ hand.matrices)


def effort(points, curve):
    """A small price, (n,), and its slope by the points (n, K, 2): on bends, and on an uneven pace,
    which would leave gaps between the pieces."""
    bends, moves = curve.bends @ points, curve.moves @ points
    length = np.sqrt((moves**2).sum(axis=2, keepdims=True) + 1e-6)  # (n, 48, 1)
    uneven = length - length.mean(axis=1, keepdims=True)
    price = 0.005 * (bends**2).sum(axis=(1, 2)) + 0.15 * (uneven**2).sum(axis=(1, 2))
    by_moves = 0.3 * uneven * moves / length
    slope = 0.01 * curve.bends.transpose(0, 2, 1) @ bends
    return price, slope + curve.moves.transpose(0, 2, 1) @ by_moves


def fitted(points, curve, side=28):
    """The points of a path as MNIST's digits are: 20 of 28 pixels high and at most 17 wide with the
    pen's own width, and centred by its ink."""
    path = curve.along @ points  # (n, 48, 2)
    size = np.maximum(path.max(axis=1) - path.min(axis=1), 1e-3)[:, None]  # (n, 1, 2)
    grow = side / 28 * np.array([17.5, 15], points.dtype) / size
    points = points * np.minimum(grow, grow[:, :, :1])  # wide ones are squeezed
    length = np.linalg.norm(curve.moves @ points, axis=2, keepdims=True)  # (n, 48, 1)
    centre = (length * (curve.along @ points)).sum(axis=1) / length.sum(axis=1)  # (n, 2)
    return points + (side - 1) / 2 - centre[:, None]


def scribbles(rng, closed, points):
    """Random smooth curves (n, K, 2): sums of waves, the longer the higher. Those that are
    `closed` (n,) come round to where they began."""
    share = (np.arange(points)[:, None] + 0.5) / points  # (K, 1) of the way
    half, whole = np.arange(1, 7), np.arange(1, 4)
    turns = 2 * np.pi * share * whole
    waves = np.cos(np.pi * share * half) / half  # (K, 6)
    round_waves = np.concatenate([np.cos(turns) / whole, np.sin(turns) / whole], axis=1)  # (K, 6)
    waves = np.where(closed[:, None, None], round_waves, waves)
    return (waves @ rng.normal(0, 1, (len(closed), 6, 2))).astype(np.float32)


def beginnings(rng, kinds, side=28):
    """Points (n, K, 2) and their Curve of scribbles of these kinds (n,): 0 is one stroke, 1 two
    strokes, 2 a ring."""
    curves = [spline((POINTS,)), spline((7, POINTS - 7)), ring(POINTS)]
    curve = Curve(*(np.stack(matrices)[kinds] for matrices in zip(*curves, strict=True)))
    return fitted(scribbles(rng, kinds == 2, POINTS), curve, side), curve


def strangeness(points, curve, canvas, side=28):
    """How little the pictures look like any digit, (n,), and its slope by the points (n, K, 2):
    half of |r|^2 + 0.3 max(0, |z| - 6.5)^2, where r is what no digits hold, and |z| how many
    spreads the picture is from their mean."""
    places, moves = curve.along @ points, curve.moves @ points
    ink, kept = drawn(places, moves, side=side)
    off = 0.01 + 0.99 * ink.reshape(len(ink), -1) - canvas.mean  # (n, 784)
    spread = np.maximum(np.linalg.norm(canvas.directions, axis=1), 0.001)  # (80,)
    axes = canvas.directions / spread[:, None]  # (80, 784), each of length 1
    rest = off - (off @ axes.T) @ axes  # r (n, 784)
    z = (off @ axes.T) / spread  # (n, 80)
    size = np.linalg.norm(z, axis=1)  # (n,)
    far = np.maximum(0, size - 6.5)
    by_z = 0.3 * (far / np.maximum(size, 0.001))[:, None] * z  # (n, 80)
    slope = 0.99 * (rest + (by_z / spread) @ axes).reshape(ink.shape)
    by_places, by_moves = ink_slopes(slope, ink, kept, places, moves)
    slope = curve.along.transpose(0, 2, 1) @ by_places + curve.moves.transpose(0, 2, 1) @ by_moves
    return ((rest**2).sum(axis=1) + 0.3 * far**2) / 2, slope


def untidiness(points, curve, side=28):
    """What is judged only, not descended on, (n,): ink on ink; two strokes, above all if they do
    not meet; and, of a single stroke, an end that comes near the path but does not reach it."""
    places, moves = curve.along @ points, curve.moves @ points
    ink = drawn(places, moves, side=side)[0]
    layers = -np.log(1 - np.minimum(ink, 0.999999)) / DARKNESS  # (n, 28, 28): 1 amid one stroke
    blots = np.maximum(0, layers - 1.3).sum(axis=(1, 2))
    apart = places[:, :, None] - places[:, None]  # (n, 48, 48, 2)
    apart = np.sqrt((apart**2).sum(axis=3))  # pixels; a stroke is 3 wide
    travelled = np.linalg.norm(moves, axis=2).cumsum(axis=1)  # (n, 48)
    ends = apart[:, [0, -1]]  # (n, 2, 48)
    beside = abs(travelled[:, [0, -1], None] - travelled[:, None]) < 14
    near = np.where(beside, np.inf, ends).min(axis=2)  # (n, 2)
    loose = np.maximum(0, 1 - abs(near - 5) / 4).max(axis=1)
    second = np.arange(PIECES) >= curve.second[:, None]  # (n, 48)
    across = second[:, None] > second[:, :, None]  # (n, 48, 48)
    gap = np.where(across, apart, np.inf).min(axis=(1, 2))
    lifted = 0.5 + np.maximum(0, gap - 1.5)
    return blots + np.where(curve.second < PIECES, lifted, 2.5 * loose)


def absent_minded(net, rng):
    """The network with a random half of its hidden nodes away, and the others twice as loud."""
    other = copy.copy(net)
    halves = [2.0 * (rng.random((len(w), 1)) < 0.5) for w in net.weights[1:]]
    hidden = [w * half.astype(w.dtype) for w, half in zip(net.weights[1:], halves, strict=True)]
    other.weights = [net.weights[0], *hidden]
    return other


def write(net, targets, canvas, *, starts=120, steps=200, seed=0):
    """Targets (n, 10), a digit or several -> Written: paths that `net` takes for them, by gradient
    descent (Adam) on the points that the path is made of.

    Descent alone ends where only this network can read. So the hand trembles: in each step every
    point is off by a pixel or two, the path turned, stretched, slanted and shifted, the pen thinner
    or thicker, and often a patch of ink is missing. The reader is absent-minded: in each step
    another half of the network's hidden nodes is away. And what no digits look like has a price.

    The pen begins with many scribbles: a third of them one stroke, a third two, a third closed.
    After a quarter of the steps the best eighth goes on, and of these the best is kept. It costs
    least: doubt of the absent-minded network over 24 drawings by a trembling hand, doubt of the
    whole one about the finished picture, strangeness, effort and untidiness.

    canvas  canvas_of(pictures like those that net has learned from)
    starts  paths to begin with for each target
    steps   of descent

    ValueError for starts or steps below 1, and for a canvas of another size than net's inputs.
    """
    checks.counts(starts=starts, steps=steps)
    checks.seeded(seed)
    rows, side = net.as_targets(targets), checks.fitting_canvas(net, canvas)  # (n, 10)
    loss, rng = steep_loss(net), np.random.default_rng(seed)
    count, rows = len(rows), np.repeat(rows, starts, axis=0)  # (n * 120, 10)
    points, curve = beginnings(rng, np.tile(np.resize([0, 1, 2], starts), count), side)
    mean, square = np.zeros_like(points), np.zeros_like(points)  # of the slopes so far, for Adam
    with one_thread():
        for step in range(1, steps + 1):
            hand = trembling(rng, len(points), points.shape[1], side)
            x, memory = trace(points, curve, hand, side)
            by_x = absent_minded(net, rng).input_gradient(x, rows, loss) * len(x)  # of each one's
            slope = trace_slopes(by_x, curve, hand, memory)  # own loss, not of the mean of all
            slope += effort(points, curve)[1] + strangeness(points, curve, canvas, side)[1]
            mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
            fair = mean / (1 - 0.9**step), square / (1 - 0.99**step)
            rate = float(0.02 + 0.2 * (1 + np.cos(np.pi * step / steps)))  # pixels a step
            points = fitted(points - rate * fair[0] / (np.sqrt(fair[1]) + 1e-8), curve, side)
            if step in (steps // 4, steps):
                keep = 1 if step == steps else -(-starts // 8)
                kept = best(net, points, curve, rows, canvas, count, keep)
                points, mean, square, rows = points[kept], mean[kept], square[kept], rows[kept]
                curve = Curve(*(matrices[kept] for matrices in curve))
    places, moves = curve.along @ points, curve.moves @ points
    return Written(ink(places, moves, side=side), places, moves)


def best(net, points, curve, rows, canvas, count, keep):
    """The numbers of the best paths, so many of each of `count` targets."""
    side, rng = checks.side(net.layers[0]), np.random.default_rng(0)  # for each choice the same
    costs = 0.5 * effort(points, curve)[0] + untidiness(points, curve, side)
    costs = costs + 1.5 * strangeness(points, curve, canvas, side)[0]
    for much in [1.2] * 24 + [0]:  # the last one is what will be kept
        hand = trembling(rng, len(points), points.shape[1], side, much)
        reader = absent_minded(net, rng) if much else net
        outputs = reader.outputs(trace(points, curve, hand, side)[0]) + 1e-9
        share = outputs / outputs.sum(axis=1, keepdims=True)  # (n, 10)
        costs = costs - (rows * np.log(share)).sum(axis=1) * (1 / 24 if much else 5)
    order = costs.reshape(count, -1).argsort(axis=1)[:, :keep]
    return (order + len(points) // count * np.arange(count)[:, None]).ravel()
