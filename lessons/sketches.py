"""The pictures of lessons 1 and 2. Only drawing: what is drawn was computed in the lesson."""

import numpy as np

import spoken
from easel import BLUE, GREY, ORANGE, WIDTH, Picture

STYLES = [(BLUE, "-"), (ORANGE, "--"), ("black", ":"), (GREY, "-.")]


def curves(across, lines, labels, dot=None):
    """Lines over the same numbers: name -> as many values. Perhaps a dot at (x, y)."""
    picture = Picture(WIDTH * 0.6, 2.8)
    axes = picture.subplots()
    for (name, values), (color, style) in zip(lines.items(), STYLES, strict=False):
        axes.plot(across, values, color=color, linestyle=style, label=name)
    if dot:
        axes.plot(*dot, "o", color=BLUE)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.grid(alpha=0.3)
    if len(lines) > 1:
        axes.legend(fontsize=9)
    return picture


# --- Two inputs are a plane -----------------------------------------------------------------------


def fields(answers, points, yes=(), low=-0.5, high=2.0, names=("first input", "second input")):
    """What nodes answer to each pair of inputs: name -> a function (n, 2) -> (n,), 0 to 1.

    White lines: where the answer is one half. Dots: points (n, 2), orange where `yes` is true.
    """
    columns = min(3, len(answers))
    rows = -(-len(answers) // columns)
    picture = Picture(WIDTH if columns > 1 else WIDTH / 2, 2.5 * rows if columns > 1 else 3.0)
    said = []
    side = np.linspace(low, high, 100)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)  # (10_000, 2)
    cells = picture.subplots(rows, columns, squeeze=False)
    for axes in cells.flat[len(answers) :]:
        axes.set_axis_off()
    for axes, (name, answer) in zip(cells.flat, answers.items(), strict=False):
        shades = answer(grid).reshape(100, 100)
        drawn = axes.pcolormesh(side, side, shades, cmap="viridis", vmin=0, vmax=1, rasterized=True)
        if shades.min() < 0.5 < shades.max():
            axes.contour(side, side, shades, levels=[0.5], colors="white")
        axes.scatter(*points.T, color=_dots(points, yes, "white"), edgecolor="black", zorder=3)
        axes.set(xlabel=names[0], ylabel=names[1], aspect="equal")
        axes.set_title(name, fontsize=10)
        at_dots = ", ".join(f"{value:.2f}" for value in answer(points))
        said.append(f"{name}: {at_dots}, yes in {np.mean(shades > 0.5):.0%} of the plane")
    picture.colorbar(drawn, ax=cells, label="output", shrink=0.8)
    dots = ", ".join(f"({first:g}, {second:g})" for first, second in points)
    picture.alt = f"Outputs for {names[0]} and {names[1]}, at the dots {dots}. {'; '.join(said)}."
    return picture


def arrow(picture, weights, bias):
    """The weights on a field, a fifteenth as long, from the border's point nearest to (0, 0)."""
    weights = np.asarray(weights)
    foot = -bias * weights / (weights @ weights)
    how = dict(angles="xy", scale_units="xy", scale=15, width=0.02, color=ORANGE)
    picture.axes[0].quiver(*foot, *weights, **how)
    right, up = map(spoken.number, weights)
    picture.alt += f" The arrow goes {right} to the right, {up} up."
    return picture


def parted(points, yes, borders=(), names=("first input", "second input")):
    """Examples (n, 2), those of yes in orange; and borders, name -> (weights, bias)."""
    picture = Picture(WIDTH * 0.6, 3.4)
    axes = picture.subplots()
    low, high = points.min() - 0.4, np.quantile(points, 0.99) + 0.4
    size = 150 if len(points) < 10 else 8
    for answer, color, name in ((False, BLUE, "no"), (True, ORANGE, "yes")):
        axes.scatter(*points[np.equal(yes, answer)].T, s=size, color=color, label=name)
    for (name, (weights, bias)), (color, style) in zip(
        dict(borders).items(), (("black", "-"), ("white", ":")), strict=False
    ):
        across = np.array([low, high])
        up = -(across * weights[0] + bias) / weights[1]  # solved for the second input
        axes.plot(across, up, style, color=color, linewidth=2, label=name)
    axes.set(xlim=(low, high), ylim=(low, high), xlabel=names[0], ylabel=names[1], aspect="equal")
    axes.set_facecolor("whitesmoke")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), facecolor="lightgrey")
    return picture


def _dots(points, yes, otherwise):
    return [ORANGE if one else BLUE for one in yes] if len(yes) else [otherwise] * len(points)


# --- Two weights are a landscape ------------------------------------------------------------------


def walks(loss, paths, valley):
    """The landscape of a loss, a function (n, 2) -> (n,), and walks, name -> places (steps, 2)."""
    ends = []
    for name, places in paths.items():
        first, last = map(spoken.number, loss(places[[0, -1]]))
        ends.append(f"{name}: from a loss of {first} to {last} in {len(places) - 1} steps")
    picture = Picture(WIDTH, 3.1, f"Walks in a landscape of two weights. {'; '.join(ends)}.")
    every = np.concatenate([*paths.values(), [valley]])
    low, high = every.min(axis=0), every.max(axis=0)
    low, high = low - 0.15 * (high - low), high + 0.15 * (high - low)
    sides = [np.linspace(*ends, 80) for ends in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)  # (6400, 2)
    heights = loss(grid).reshape(80, 80)
    levels = np.quantile(heights, np.linspace(0, 1, 16) ** 1.5)
    row = picture.subplots(1, len(paths), sharey=True, squeeze=False)[0]
    for axes, (name, places) in zip(row, paths.items(), strict=True):
        axes.contourf(*sides, heights, levels=levels, cmap="viridis")
        axes.plot(*np.transpose(places), "o-", color="white", markersize=3, linewidth=0.8)
        axes.plot(*valley, "*", color=ORANGE, markersize=12)
        axes.set(xlabel="first weight", aspect="equal")  # a ravine looks as narrow as it is
        axes.set_title(name, fontsize=10)
    row[0].set_ylabel("second weight")
    return picture


# --- Numbers that flow through a small network ----------------------------------------------------


def flow(sides):
    """A network drawn several times: title -> (numbers of the nodes, a list a layer; of the lines,
    a matrix (nodes, nodes of the next layer) a gap)."""
    said = [
        f"{title}, in the nodes {_all(nodes)}, on the lines {_all(lines)}"
        for title, (nodes, lines) in sides.items()
    ]
    picture = Picture(WIDTH, 2.8, f"From layer to layer. {'; '.join(said)}.")
    row = picture.subplots(1, len(sides), squeeze=False)[0]
    for axes, (title, (nodes, lines)), (color, _) in zip(row, sides.items(), STYLES, strict=False):
        for layer, values in enumerate(nodes):
            for n, value in enumerate(values):
                box = dict(boxstyle="circle", facecolor="white", edgecolor=color)
                _number(axes, layer, n - len(values) / 2, value, fontsize=9, bbox=box)
        for layer, matrix in enumerate(lines):
            for (i, j), value in np.ndenumerate(matrix):
                start, end = i - len(matrix) / 2, j - matrix.shape[1] / 2
                axes.plot([layer, layer + 1], [start, end], color=GREY, zorder=0)
                y = start + 0.35 * (end - start)  # a little left of the middle, where lines cross
                box = dict(facecolor="white", edgecolor="none", pad=1)
                _number(axes, layer + 0.35, y, value, color=color, bbox=box)
        axes.set(title=title, xlim=(-0.3, 2.3), ylim=(0.4, -1.4))
        axes.set_axis_off()
    return picture


def _all(layers):
    """The numbers of each layer, in words."""
    return ", then ".join(" ".join(map(spoken.number, np.ravel(layer))) for layer in layers)


def _number(axes, x, y, value, **how):
    axes.text(x, y, f"{value:.3f}", ha="center", va="center", **how)
