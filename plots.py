"""The pictures of the notebooks. Only drawing: what is drawn was computed elsewhere.

Every function returns a Picture, which a notebook shows when it stands on a cell's last line, with
words for those who do not see it.
Digits are dark on light everywhere. The colours can be told apart by colour-blind readers too:
the blue and orange of Okabe and Ito, viridis for amounts, blue and red for signs.
"""

import time

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

import spoken
from easel import BLUE, GREY, ORANGE, SIGNS, TELLABLE, WIDTH, Picture
from easel import Film as Film  # for the notebooks


def _show_image(axes, image, **how):
    side = round(len(image) ** 0.5)
    axes.imshow(image.reshape(side, side), **how)
    axes.set(xticks=[], yticks=[])


def _caption(axes, text, **how):
    """A text as it is: dollars make no formula, halves of letters, as names of files have, no
    error."""
    text = str(text).encode(errors="replace").decode()
    axes.set_xlabel(text, fontsize=9, parse_math=False, **how)


def _cells(picture, rows, columns, images):
    """A framed cell of a grid for each image; cells that are left over stay empty."""
    grid = np.ravel(picture.subplots(rows, columns, squeeze=False))
    for axes in grid[len(images) :]:
        axes.set_axis_off()
    for axes, image in zip(grid, images, strict=False):
        axes.spines[:].set_color("lightgrey")
        yield axes, image


def digits(images, captions=(), columns=10, highlight=(), of=""):
    """A grid of images (n, 784), bytes or 0..1, with a caption below each.

    Captions whose number is in `highlight` are orange: mistakes, say. `of` says to those who do
    not see them what they show: "sevens".
    """
    images = np.atleast_2d(images)
    columns = min(columns, max(len(images), 3))  # a few images need no wide strip
    rows, white = -(-len(images) // columns), 255 if images.dtype == np.uint8 else 1
    lines = max((str(caption).count("\n") + 1 for caption in captions), default=0)
    size = min(WIDTH / columns, 1.2)  # inches
    words = spoken.digits(len(images), columns, captions, highlight, of)
    picture = Picture(size * columns, rows * (size + 0.2 * lines), words)
    for n, (axes, image) in enumerate(_cells(picture, rows, columns, images)):
        _show_image(axes, image, cmap="gray_r", vmin=0, vmax=white)
        if n < len(captions):
            _caption(axes, captions[n], color=ORANGE if n in highlight else "black")
    return picture


def network(layers, shown=12):
    """The network as nodes and lines; a layer of more than `shown` nodes is abridged."""
    picture = Picture(WIDTH, 3.6)
    axes = picture.subplots()
    places = []
    for x, nodes in enumerate(layers):
        ys = np.linspace(-1, 1, min(nodes, shown)) * min(1, nodes / 10)
        places.append([(x, y) for k, y in enumerate(ys) if nodes <= shown or k != len(ys) // 2])
        if nodes > shown:
            axes.text(x, ys[len(ys) // 2], "⋮", ha="center", va="center", fontsize=16)
        kind = "inputs" if x == 0 else "outputs" if x == len(layers) - 1 else "hidden nodes"
        axes.text(x, 1.25, f"{nodes} {kind}", ha="center")
    for left, right in zip(places[:-1], places[1:], strict=True):
        for x0, y0 in left:
            for x1, y1 in right:
                axes.plot([x0, x1], [y0, y1], color=GREY, linewidth=0.3, zorder=1)
    for column in places:
        axes.scatter(*zip(*column, strict=True), s=60, color=BLUE, zorder=2)
    for x, (inputs, nodes) in enumerate(zip(layers[:-1], layers[1:], strict=True)):
        axes.text(x + 0.5, -1.3, f"{inputs} × {nodes} = {inputs * nodes:,} weights", ha="center")
    picture.alt = spoken.network(layers, [text.get_text() for text in axes.texts])
    axes.set_ylim(-1.1, 1.1)  # of ten nodes or more; with fewer the texts would be too far away
    axes.set_axis_off()
    return picture


def activation(function, slope, name):
    """An activation and its slope, from z = -6 to 6."""
    picture = Picture(WIDTH / 2, 2.6)
    axes, z = picture.subplots(), np.linspace(-6, 6, 201)
    axes.plot(z, function(z), color=BLUE, label=f"{name}(z)")
    axes.plot(z, slope(z), color=ORANGE, linestyle="--", label="its slope")
    axes.set(xlabel="z, the sum into a node", ylabel="activation")
    axes.grid(alpha=0.3)
    for text in axes.legend().get_texts():
        text.set_parse_math(False)
    return picture


def histograms(groups, label):
    """How the numbers of each group (name -> numbers, 0..1) are spread, side by side."""
    picture = Picture(WIDTH, 2.6, spoken.histograms(groups, label))
    grid = picture.subplots(1, len(groups), squeeze=False)[0]
    for axes, (name, numbers) in zip(grid, groups.items(), strict=True):
        numbers = np.ravel(numbers)
        share = np.full(len(numbers), 1 / len(numbers))
        axes.hist(numbers, bins=41, range=(0, 1), weights=share, color=BLUE)
        axes.set_title(name, fontsize=9, parse_math=False)
        axes.set_xlabel(label, fontsize=9, parse_math=False)
    grid[0].set_ylabel("share")
    return picture


def curve(history, epochs=None):
    """Loss and accuracy while training, on the training digits and the held-out ones."""
    picture = Picture(WIDTH, 3.0)
    for axes, what in zip(picture.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for key, color, style, label in (
            (what, BLUE, "-", "digits it trains on"),
            (f"validation_{what}", ORANGE, "--", "digits held out"),
        ):
            points = [(m["epoch"], m[key]) for m in history if key in m]
            if points:
                axes.plot(*zip(*points, strict=True), color=color, linestyle=style, label=label)
        end = max([epochs or 0, *(m["epoch"] for m in history)])  # it may have been trained before
        axes.set(xlabel="epochs", ylabel=what, xlim=(0, end or None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    axes.yaxis.set_major_formatter("{x:.1%}")
    if history:
        axes.legend()
    return picture


def losses(curves, levels=(), every=1, first=0):
    """How the loss of several trainings goes down: name -> losses, one each `every` steps.

    first   the step of the first of them
    levels  name -> a loss to compare with, drawn across
    """
    picture = Picture(WIDTH, 3.2)
    axes, styles = picture.subplots(), ("-", "--", "-.", ":")
    for i, (name, values) in enumerate(curves.items()):
        color = TELLABLE[i % len(TELLABLE)]
        steps = first + every * np.arange(len(values))
        axes.plot(steps, values, color=color, linestyle=styles[i % 4], label=name)
    for name, level in dict(levels).items():
        axes.axhline(level, color=GREY, linewidth=1)
        place = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
        axes.annotate(name, (1, level), (-4, -3), ha="right", va="top", fontsize=8, **place)
    axes.set(xlabel="steps", ylabel="loss", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", fontsize=8)
    picture.alt = spoken.figure(picture) + spoken.levels(dict(levels))
    return picture


class LiveCurve:
    """A callback for train: draws the curve while the network learns, twice a second at most, and
    when it is through: after `epochs`, counted from the first measurement."""

    def __init__(self, epochs):
        from IPython.display import display  # only in notebooks

        self.epochs, self.history, self.drawn = epochs, [], 0.0
        self.shown = display(curve([], epochs), display_id=True)

    def __call__(self, measurement):
        self.history.append(measurement)
        begun = int(self.history[0]["epoch"])  # 0, or more if the network was trained before
        last = measurement["epoch"] >= begun + self.epochs - 1e-9
        if last or time.monotonic() - self.drawn > 0.5:
            self.shown.update(curve(self.history, begun + self.epochs))
            self.drawn = time.monotonic()


def confusion(matrix):
    """How often digit (row) was read as digit (column). The right ones, the diagonal, are not
    coloured: there are so many that the mistakes beside them would all look alike."""
    mistakes = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    picture = Picture(5.2, 4.6, spoken.confusion(matrix, mistakes))
    axes = picture.subplots()
    shades = axes.imshow(mistakes, cmap="Oranges")
    for (row, column), count in np.ndenumerate(matrix):
        dark = mistakes[row, column] > mistakes.max() * 0.6
        axes.text(
            column,
            row,
            count,
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else "grey" if row == column else "black",
        )
    axes.set(xticks=range(len(matrix)), yticks=range(len(matrix)))
    axes.set(xlabel="the network says", ylabel="the digit is")
    picture.colorbar(shades, label="mistakes")
    return picture


def answer(image, outputs, seen=None):
    """A picture, perhaps what the network sees of it, and the ten outputs as bars."""
    pictures = [image] if seen is None else [image, seen]
    titles = ["a digit"] if seen is None else ["your picture", "what the network sees"]
    picture = Picture(WIDTH, 2.4, spoken.answer(titles, outputs))
    *lefts, right = picture.subplots(1, len(pictures) + 1, width_ratios=[1] * len(pictures) + [2])
    for axes, pixels, title in zip(lefts, pictures, titles, strict=True):
        if pixels.ndim == 1:
            _show_image(axes, pixels, cmap="gray_r")
        else:
            axes.imshow(pixels, cmap="gray")
            axes.set(xticks=[], yticks=[])
        axes.set_xlabel(title)
    colors = [ORANGE if n == np.argmax(outputs) else BLUE for n in range(len(outputs))]
    right.bar(range(len(outputs)), outputs, color=colors)
    right.set(xticks=range(len(outputs)), xlabel="digit", ylabel="output", ylim=(0, 1))
    return picture


def steps(pictures, columns=4):
    """Pictures of any size (name -> (height, width)), ink dark; what is no picture is left out.

    Those called grey are shown as they are, in all others the larger numbers are ink.
    """
    pictures = {name: one for name, one in pictures.items() if np.ndim(one) == 2}
    rows = -(-len(pictures) // columns)
    picture = Picture(WIDTH, 2.2 * rows, spoken.steps(pictures))
    for axes, (name, image) in _cells(picture, rows, columns, pictures.items()):
        axes.imshow(image, cmap="gray" if name == "grey" else "gray_r")
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(name, fontsize=9, parse_math=False)
    return picture


def weights(rows, captions=(), columns=10):
    """Weights to or from a picture, (n, 784): red pulls up, blue pulls down, white does nothing."""
    rows = np.atleast_2d(rows)
    count, size = -(-len(rows) // columns), WIDTH / columns
    height = count * (size + (0.25 if len(captions) else 0)) + 0.1
    picture = Picture(WIDTH, height, spoken.weights(rows, columns))
    for n, (axes, row) in enumerate(_cells(picture, count, columns, rows)):
        strongest = abs(row).max()
        _show_image(axes, row, cmap="RdBu_r", vmin=-strongest, vmax=strongest)
        if n < len(captions):
            _caption(axes, captions[n])
    return picture


def bars(values, label):
    """One bar a number."""
    picture = Picture(WIDTH, 2.0)
    axes = picture.subplots()
    axes.bar(range(len(values)), values, color=BLUE)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_xlabel(label[0], parse_math=False)
    axes.set_ylabel(label[1], parse_math=False)
    if len(values) <= 10:
        axes.set_xticks(range(len(values)))
    return picture


def shares(rows, labels):
    """Two shares, 0..1, a row (name -> (first, second)); `labels` says what the two are."""
    picture = Picture(WIDTH, 1 + 0.25 * len(rows), spoken.shares(rows, labels))
    axes, places = picture.subplots(), np.arange(len(rows))
    kinds = zip(zip(*rows.values(), strict=True), labels, ("o", "s"), (BLUE, ORANGE), strict=True)
    for values, label, marker, color in kinds:
        axes.plot(values, places, marker, color=color, label=label)
    axes.set_yticks(places, rows, parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.grid(alpha=0.3)
    axes.legend()
    return picture


def spread(values, of, counted):
    """How many of these shares, 0..1, lie where, and their mean."""
    picture = Picture(WIDTH, 2.2, spoken.spread(values, of, counted))
    axes = picture.subplots()
    axes.hist(values, bins=12, color=BLUE, edgecolor="white")
    axes.axvline(np.mean(values), color=ORANGE, linestyle="--", label="mean")
    axes.set(xlabel=of, ylabel=counted)
    axes.xaxis.set_major_formatter("{x:.1%}")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return picture


def heat(table, least, label):
    """A DataFrame of shares, 0..1, as a map whose darkest shade is `least` and all below."""
    picture = Picture(6, 2.6, spoken.heat(table, label))
    axes = picture.subplots()
    shades = axes.imshow(table, cmap="viridis", aspect="auto", vmin=least)
    axes.set_xlabel(table.columns.name.replace("_", " "))
    axes.set_ylabel(table.index.name.replace("_", " "))
    axes.set_xticks(range(table.shape[1]), table.columns)
    axes.set_yticks(range(table.shape[0]), table.index)
    picture.colorbar(shades, label=label, format="{x:.0%}", extend="min")
    return picture


def activity(active):
    """How active each node is for each digit: means (10, nodes) from 0 to 1, a row a digit."""
    picture = Picture(WIDTH, 2.6, spoken.activity(active))
    axes = picture.subplots()
    shades = axes.imshow(active, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    axes.set(xlabel="hidden node", ylabel="digit", yticks=range(len(active)))
    picture.colorbar(shades, label="mean activation")
    return picture


def node(into, out):
    """A hidden node: its weights from the picture (784,) and to the digits (10,)."""
    picture = Picture(WIDTH, 2.6, spoken.node(into, out))
    left, right = picture.subplots(1, 2, width_ratios=[1, 2])
    strongest = abs(into).max()
    _show_image(left, into, cmap="RdBu_r", vmin=-strongest, vmax=strongest)
    left.set_xlabel("red excites it, blue inhibits it")
    colors = [ORANGE if weight > 0 else BLUE for weight in out]  # for the digit, against it
    right.bar(range(len(out)), out, color=colors)
    right.axhline(0, color="black", linewidth=0.6)
    right.set(xticks=range(len(out)), xlabel="digit", ylabel="weight to the digit")
    return picture


def blame(net, x, targets):
    """An image (1, 784), the slopes of the loss by the weights from it to each hidden node, and the
    outputs (bars) beside their targets (lines). Orange is above 0, blue below."""
    _, hidden, outputs = activations = net.forward(x)
    slopes = net.backprop(x, targets)[0][0].T  # (100, 784)
    delta = net.deltas(activations, targets)[-1][0]  # (10,)
    side, columns = round(x.size**0.5), int(np.ceil(hidden.size**0.5))
    tiles = np.zeros((columns**2, side + 2, side + 2))
    tiles[: len(slopes), 1:-1, 1:-1] = slopes.reshape(-1, side, side)
    wall = tiles.reshape(columns, columns, side + 2, side + 2).swapaxes(1, 2)
    loss, signs = net.loss(x, targets), LinearSegmentedColormap.from_list("", SIGNS)
    picture = Picture(WIDTH, 3.0, spoken.blame(loss, slopes, outputs[0], targets[0]))
    left, middle, right = picture.subplots(1, 3)
    _show_image(left, x[0], cmap="gray_r", vmin=0, vmax=1)
    _caption(left, f"loss {loss:.4f}")
    most = abs(slopes).max() or 1
    _show_image(middle, wall.ravel(), cmap=signs, vmin=-most, vmax=most)
    _caption(middle, f"slopes of {slopes.size:,} weights")
    colors = [ORANGE if one > 0 else BLUE for one in delta]
    right.barh(range(outputs.size), outputs[0], color=colors)
    right.vlines(
        targets[0], *(np.arange(outputs.size) + [[-0.45], [0.45]]), color="black", linewidth=3
    )
    right.set(yticks=range(outputs.size), xlim=(0, 1), xlabel="output; a line: its target")
    right.invert_yaxis()
    return picture
