"""The pictures of lesson 0. Only drawing: what is drawn was computed in the lesson."""

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from easel import BLUE, GREY, ORANGE, WIDTH, Picture

COLORS = [BLUE, ORANGE, "black"]


def unrolled(image, row):
    """A digit (784,), one row of its picture marked, and the same 28 numbers in the line of 784."""
    begin = 28 * row
    where = f"row {row}: places {begin} to {begin + 27}"
    inked = np.count_nonzero(image[begin : begin + 28])
    said = f"A digit of 28 rows, and as a line of 784. Marked is {where}, {inked} with ink."
    picture = Picture(WIDTH, 2.8, said)
    left, right = picture.subplots(1, 2, width_ratios=[1, 2.4])
    left.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=255)
    left.add_patch(Rectangle((-0.5, row - 0.5), 28, 1, fill=False, edgecolor=ORANGE, linewidth=2))
    left.set(xlabel="28 columns", ylabel="28 rows", xticks=[], yticks=[row])
    right.axvspan(begin - 0.5, begin + 27.5, color=ORANGE, alpha=0.25, linewidth=0)
    right.plot(image, color=BLUE, linewidth=0.8, drawstyle="steps-mid")
    right.set(xlabel="place in the line of 784", ylabel="ink, 0 to 255", xlim=(0, 783))
    right.set_title(where, fontsize=10, color=ORANGE)
    return picture


def terms(x, weights):
    """A weighted sum: each product, orange if positive, else blue, begins where the last one ended;
    at the bottom the sum."""
    picture = Picture(WIDTH * 0.75, 0.5 + 0.4 * (len(x) + 1))
    axes, products = picture.subplots(), x * weights
    ends = np.cumsum(products)
    colors = [ORANGE if product >= 0 else BLUE for product in products]
    axes.barh(range(len(x)), products, left=ends - products, color=colors)
    axes.barh(len(x), ends[-1], color="black")
    names = [f"{a:g} × {b:g} = {a * b:g}" for a, b in zip(x, weights, strict=True)]
    names.append(f"sum = {ends[-1]:g}")
    picture.alt = f"A weighted sum: {'; '.join(names)}."
    axes.set_yticks(range(len(x) + 1), names)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    low, high = min(0, *ends), max(0, *ends)
    room = 0.05 * (high - low) or 1
    axes.set_xlim(low - room, high + room)
    return picture


def product(x, weights, row, column):
    """x (n, k) @ weights (k, m), written so that each sum stands to the right of its row and below
    its column. One of them is marked, and worked out above."""
    sums = x @ weights
    (n, k), m = x.shape, weights.shape[1]
    picture = Picture(0.75 * (k + m) + 1.5, 0.42 * (k + n) + 0.9)
    axes = picture.subplots()

    def table(numbers, down, right, name, marked):
        for (i, j), number in np.ndenumerate(numbers):
            color = ORANGE if marked(i, j) else "none"
            axes.add_patch(Rectangle((right + j, down + i), 1, 1, facecolor=color, alpha=0.35))
            axes.text(right + j + 0.5, down + i + 0.5, f"{number:g}", ha="center", va="center")
        rows, columns = numbers.shape
        axes.add_patch(Rectangle((right, down), columns, rows, fill=False, edgecolor=GREY))
        axes.text(right + columns + 0.15, down + rows / 2, name, va="center", color=BLUE)

    gap = 0.4
    table(x, k + gap, 0, "", lambda i, j: i == row)
    table(weights, 0, k + gap, f"W {weights.shape}", lambda i, j: j == column)
    table(sums, k + gap, k + gap, f"X @ W {sums.shape}", lambda i, j: (i, j) == (row, column))
    axes.text(k - 0.1, k + gap - 0.15, f"X {x.shape}", ha="right", va="bottom", color=BLUE)
    steps = " + ".join(f"{a:g}·{b:g}" for a, b in zip(x[row], weights[:, column], strict=True))
    axes.set_title(f"{steps} = {sums[row, column]:g}", fontsize=10)
    picture.alt = (
        f"X {x.shape} @ W {weights.shape} = {sums.shape}: the rows {sums.tolist()}. "
        f"Marked in row {row}, column {column}: {steps} = {sums[row, column]:g}."
    )
    axes.set(xlim=(-0.1, k + m + 2.6), ylim=(k + n + gap + 0.1, -0.1), aspect=0.6)
    axes.set_axis_off()
    return picture


def tangents(curves, at, low=-1.0, high=5.0):
    """Curves, name -> (function, its slope at `at`), and the straight line that touches each."""
    said = [f"{name}: at {f(at):.3g}, slope {slope:.2f}" for name, (f, slope) in curves.items()]
    said = f"Curves, and the lines that touch them at w = {at:g}. {'; '.join(said)}."
    picture = Picture(WIDTH * 0.7, 3.0, said)
    axes, w = picture.subplots(), np.linspace(low, high, 200)
    near = at + np.array([-1, 1])
    for color, (name, (curve, slope)) in zip(COLORS, curves.items(), strict=False):
        axes.plot(w, curve(w), color=color, alpha=0.5)
        axes.plot(at, curve(at), "o", color=color)
        line = curve(at) + slope * (near - at)
        axes.plot(near, line, color=color, linewidth=2.5, label=f"{name}: slope {slope:.2f}")
    axes.set(xlabel="w", ylabel="loss", xlim=(low - 0.2, high + 0.2))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return picture


def walk(curve, places, low=-1.0, high=5.0):
    """A curve and a walk on it, from one place to the next."""
    picture = Picture(WIDTH * 0.6, 2.8)
    axes, w = picture.subplots(), np.linspace(low, high, 200)
    axes.plot(w, curve(w), color=BLUE, alpha=0.5)
    seen = [place for place in places if low <= place <= high]  # it may run away
    axes.plot(seen, curve(np.array(seen)), "o--", color=ORANGE, linewidth=0.8)
    title = f"from {places[0]:g} to {places[-1]:.4g} in {len(places) - 1} steps"
    axes.set(xlabel="w", ylabel="loss", xlim=(low - 0.2, high + 0.2), title=title)
    axes.grid(alpha=0.3)
    return picture


def chain(names, values, slopes):
    """Boxes in a row, each with its value; over the arrow to the next, how much faster that one
    moves; below, all the way through."""
    through = f"{' × '.join(f'{slope:.3f}' for slope in slopes)} = {np.prod(slopes):.4f}"
    boxes = ", ".join(f"{name}: {value:.3f}" for name, value in zip(names, values, strict=True))
    picture = Picture(WIDTH, 1.7, f"From one to the next: {boxes}. Slopes: {through}.")
    axes = picture.subplots()
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        frame = dict(boxstyle="round,pad=0.05", facecolor="white", edgecolor=BLUE)
        axes.add_patch(FancyBboxPatch((2 * place - 0.45, -0.3), 0.9, 0.6, **frame))
        axes.text(2 * place, 0.1, name, ha="center", va="center")
        axes.text(2 * place, -0.14, f"{value:.3f}", ha="center", va="center", color=BLUE)
    for place, slope in enumerate(slopes):
        how = dict(arrowstyle="->", color=GREY)
        axes.annotate("", (2 * place + 1.5, 0), (2 * place + 0.5, 0), arrowprops=how)
        axes.text(2 * place + 1, 0.12, f"× {slope:.3f}", ha="center", color=ORANGE)
    axes.text(len(slopes), -0.75, through, ha="center", color=ORANGE)
    axes.set(xlim=(-0.6, 2 * len(slopes) + 0.6), ylim=(-0.95, 0.5))
    axes.set_axis_off()
    return picture
