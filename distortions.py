"""Digits that are turned, stretched, slanted and shifted a little: more of them to learn from, and
more than one look at each.

Source: P. Simard, D. Steinkraus, J. Platt 2003, "Best Practices for Convolutional Neural Networks
Applied to Visual Document Analysis", section 2.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import checks
from machine import has_threads

LOOK = {  # how far more looks at an image are from it; chosen on held-out training digits
    "degrees": 9,
    "scale": 0.075,
    "shear": 0.12,
    "shift": 1.05,
}


def random_affine(rng, count, *, degrees=12, scale=0.12, shear=0.15, shift=1.2):
    """Random maps for `affine`, which say where each pixel is looked up: matrices (count, 2, 2) and
    shifts (count, 2). Each amount is drawn evenly from minus to plus its limit.

    degrees  to turn by
    scale    the fraction by which the place is farther from the centre (so the digit is smaller),
             down and, apart from that, across
    shear    columns aside for each row down
    shift    pixels down and across
    """
    checks.finite(degrees=degrees, scale=scale, shear=shear, shift=shift)
    turn, tall, wide, lean, down, across = (
        checks.generator(rng).uniform(-1, 1, (6, count)).astype(np.float32)
    )
    cos, sin = np.cos(np.deg2rad(degrees * turn)), np.sin(np.deg2rad(degrees * turn))
    none, one = np.zeros_like(turn), np.ones_like(turn)
    turning = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)  # (count, 2, 2)
    leaning = np.array([[one, none], [shear * lean, one]]).transpose(2, 0, 1)
    growing = np.array([[1 + scale * tall, none], [none, 1 + scale * wide]]).transpose(2, 0, 1)
    return turning @ leaning @ growing, shift * np.stack([down, across], axis=1)


def affine(images, matrices, shifts):
    """Images (n, side*side) in which each new pixel, at the place (row, column) counted from the
    picture's centre, is looked up in the old image at matrix @ place + shift, between pixels as
    the mix of the four around (bilinear); outside there is 0. As scipy.ndimage.affine_transform
    (order=1, mode="grid-constant") on each, within a grey level.

    matrices  (n, 2, 2), one an image, or (2, 2), one for all
    shifts    (n, 2) or (2,)

    ValueError if the rows are no square pictures.
    """
    images = checks.pictures(images, least=0)
    side, n = checks.side(images.shape[1]), len(images)
    matrices = checks.spread("matrices", matrices, (n, 2, 2))
    shifts = checks.spread("shifts", shifts, (n, 2))
    centre = np.float32((side - 1) / 2)
    inside = np.nextafter(np.float32(side + 1), np.float32(0))  # just short of the frame's far edge
    grid = np.indices((side, side), np.float32).reshape(2, -1) - centre  # (2, 784)
    new = np.empty_like(images)

    def work(chunk):
        old = np.zeros((len(images[chunk]), side + 2, side + 2), np.float32)  # a frame of 0 around
        old[:, 1:-1, 1:-1] = images[chunk].reshape(-1, side, side)
        places = matrices[chunk] @ grid + (shifts[chunk] + centre + 1)[:, :, None]  # (c, 2, 784)
        places = places.clip(0, inside)  # what is farther out is in the frame
        corners = places.astype(np.intp)  # the upper left one of the four pixels around
        down, right = (places - corners).swapaxes(0, 1)  # how far on from there, 0..1: (c, 784)
        begins = np.arange(len(old))[:, None] * (side + 2) ** 2  # of each picture, in a row of all
        index = begins + corners[:, 0] * (side + 2) + corners[:, 1]  # (c, 784)
        a, b, c, d = (old.ravel()[i:].take(index) for i in (0, 1, side + 2, side + 3))
        top, bottom = a + right * (b - a), c + right * (d - c)
        mixed = top + down * (bottom - top)  # (c, 784)
        new[chunk] = np.rint(mixed) if images.dtype.kind in "iu" else mixed

    # Few images at a time, as numbers that stay in the cache are at hand sooner. NumPy lets go of
    # Python's lock while it works, so that threads share the chunks.
    chunks = [slice(i, i + 200) for i in range(0, n, 200)]
    if has_threads():
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(work, chunks))
    else:
        list(map(work, chunks))
    return new


def distort(images, rng, **limits):
    """Images (n, side*side), each mapped in a way of its own, by chance. limits: those of
    random_affine."""
    images = checks.pictures(images, least=0)
    return affine(images, *random_affine(rng, len(images), **limits))


def ways(looks):
    """How the copies are distorted at which `look` looks, always the same: matrices (looks, 2, 2)
    and shifts (looks, 2)."""
    return random_affine(np.random.default_rng(0), looks, **LOOK)


def look(net, images, looks):
    """What `net` says, (n, 10), when it looks several times: at so many copies of each image,
    distorted in always the same ways, by LOOK at most. The sums that reach its last nodes are
    averaged; with softmax that averages the answers' logarithms. One look is net.outputs(images).

    ValueError for rows that are no square pictures, and for less than one look.
    """
    checks.counts(looks=looks)
    copies = [images]
    if looks > 1:
        copies = (affine(images, *way) for way in zip(*ways(looks), strict=True))
    z = sum(net.last_sums(copy) for copy in copies) / int(looks)  # (n, 10)
    return net.activation(-1).value(z)
