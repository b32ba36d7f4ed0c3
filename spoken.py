"""What is said of a picture to those who do not see it, its *alternative text*: a sentence or two,
with what a reader would take from it. All numbers are computed from what is drawn.

A picture for which nothing stands here is described by what is on its axes: `figure`.
"""

from collections import Counter

import numpy as np
from matplotlib.category import StrCategoryFormatter
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer

FEW, MANY = 8, 20  # things on axes, and captions, that are told one by one


def number(value):
    """Three digits of it, or all those before the point. Its minus is one that is spoken, no
    hyphen."""
    long = 999.5 <= abs(value) < 1e9
    return (f"{value:,.0f}" if long else f"{value:.3g}").replace("-", "−")


def span(values):
    return f"from {number(np.min(values))} to {number(np.max(values))}"


# --- The pictures of plots.py: functions with its names -------------------------------------------


def digits(count, columns, captions=(), highlight=(), of=""):
    """In so many rows, and what stands below them; if that is much, the most frequent."""
    text = _grid(count, columns, of)
    below = [f"{c} (orange)" if n in highlight else str(c) for n, c in enumerate(captions)]
    if len(below) > MANY:
        text += ", below them most often"
        below = [f"{words} ({n} times)" for words, n in Counter(below).most_common(MANY // 2)]
    text += f": {'; '.join(below)}" if below else ""
    return text if text[-1] in ".?!" else f"{text}."


def _grid(count, columns, of):
    rows, of = -(-count // columns), f" of {of}" if of else ""
    if count == 1:
        return f"A picture{of}"
    if rows == 1:
        return f"A row of {count} pictures{of}"
    return f"{rows} rows of {columns} pictures{of}" + f", {count} in all" * (count % columns > 0)


def weights(rows, columns):
    return f"{_grid(len(rows), columns, 'weights')}, {span(rows)}."


def network(layers, texts):
    return f"A network of {len(layers)} layers: {', '.join(text for text in texts if text != '⋮')}."


def histograms(groups, label):
    shares = [
        f"{name}: {np.mean(np.less(numbers, 0.1)):.0%} below 0.1, "
        f"{np.mean(np.greater(numbers, 0.9)):.0%} above 0.9"
        for name, numbers in groups.items()
    ]
    return f"How the {label} is spread. {'; '.join(shares)}."


def levels(levels):
    """What is drawn across lines, to compare them with; nothing if there is nothing."""
    texts = [f"{name}, at {number(level)}" for name, level in levels.items()]
    return f" Across: {'; '.join(texts)}." if texts else ""


def confusion(matrix, mistakes):
    places = [divmod(int(n), len(matrix)) for n in np.argsort(-mistakes, axis=None, kind="stable")]
    most = [place for place in places[:3] if mistakes[place]]
    pairs = [f"{was} as {read}, {mistakes[was, read]} times" for was, read in most]
    right = f"{np.trace(matrix):,} of {np.sum(matrix):,} rightly"
    return f"How each digit was read: {right}; most often mistaken: {'; '.join(pairs) or 'none'}."


def answer(titles, outputs):
    most = [f"{outputs[n]:.2f} for {n}" for n in np.argsort(outputs)[:-3:-1]]
    return f"{', '.join(titles).capitalize()}, and the outputs, highest {', then '.join(most)}."


def steps(pictures):
    sizes = [f"{name}, {len(one)} by {len(one[0])} pixels" for name, one in pictures.items()]
    return f"From step to step: {'; '.join(sizes)}."


def shares(rows, labels):
    pairs = [f"{name} {first:.1%} and {second:.1%}" for name, (first, second) in rows.items()]
    return f"Shares, {' and '.join(labels)}: {'; '.join(pairs)}."


def spread(values, of, counted):
    low, high, mean = np.min(values), np.max(values), np.mean(values)
    return f"{len(values)} {counted}, {of} from {low:.1%} to {high:.1%}, their mean {mean:.1%}."


def heat(table, label):
    up, across, cells = table.index, table.columns, table.to_numpy()
    texts = []
    for which, n in (("highest", np.nanargmax(cells)), ("lowest", np.nanargmin(cells))):
        row, column = np.unravel_index(n, cells.shape)
        where = f"at {up.name} {up[row]} and {across.name} {across[column]}".replace("_", " ")
        texts.append(f"{which} {cells[row, column]:.1%} {where}")
    return f"A map of {label}: {'; '.join(texts)}."


def activity(active):
    awake = np.sum(np.greater(active, 0.5), axis=1)  # nodes, of each digit
    texts = ", ".join(f"{count} for {digit}" for digit, count in enumerate(awake))
    return f"Of {len(active[0])} hidden nodes, so many are above one half in the mean: {texts}."


def node(into, out):
    most, least = np.argmax(out), np.argmin(out)
    ends = f"highest {number(out[most])} to {most}, lowest {number(out[least])} to {least}"
    return f"A node's weights from the picture, {span(into)}, and to the digits, {ends}."


def blame(loss, slopes, outputs, targets):
    n, count = np.argmax(targets), f"{slopes.size:,}"
    wanted = f"output {n} is {outputs[n]:.2f}, its target {targets[n]:.2f}"
    return f"A picture, its loss {loss:.4f}; {wanted}; slopes by {count} weights, {span(slopes)}."


# --- Any other picture ----------------------------------------------------------------------------


def figure(figure):
    """A sentence for each of its axes: what stands there, and where its lines and bars end."""
    drawn = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    return " ".join(filter(None, map(_sentence, drawn))) or "An empty picture."


def _sentence(axes):
    across, up, title = axes.get_xlabel(), axes.get_ylabel(), axes.get_title()
    head = ", ".join(filter(None, (title, f"{up} by {across}" if up and across else up or across)))
    lines = [line for line in axes.lines if line.get_transform() is axes.transData]
    bars = [each for each in axes.containers if isinstance(each, BarContainer)]
    dots = [each for each in axes.collections if isinstance(each, PathCollection)]
    things = [_line(line, *line.get_data(orig=False)) for line in lines]
    things += [_bars(each, axes) for each in bars]
    things += [_dots(each, *np.ma.getdata(each.get_offsets()).T) for each in dots]
    things += ["an image, {} by {}".format(*image.get_array().shape) for image in axes.images]
    things = list(filter(None, things))
    if len(things) > FEW:
        things[FEW:] = [f"and {len(things) - FEW} more"]
    text = ": ".join(filter(None, (head, "; ".join(things))))
    word = text[:2].isalpha()  # no x, or z
    return text and (text[0].upper() if word else text[0]) + text[1:] + "."


def _name(artist):
    """Its label; matplotlib's own begin with a line below, and say nothing."""
    label = str(artist.get_label() or "_")
    return "" if label.startswith("_") else f"{label}, "


def _line(line, x, y):
    """Where it begins and ends, and how much lower or higher it was on its way."""
    seen = np.isfinite(x) & np.isfinite(y)
    x, y = x[seen], y[seen]
    if len(y) < 2 or line.get_linestyle() == "None":
        return _dots(line, x, y)
    begin, end = (f"{number(y[n])} at {number(x[n])}" for n in (0, -1))
    text = f"{_name(line)}from {begin} to {end}"
    worth = 0.05 * np.ptp(y)  # telling
    if min(y[0], y[-1]) - y.min() > worth:
        text += f", lowest {number(y.min())} at {number(x[y.argmin()])}"
    if y.max() - max(y[0], y[-1]) > worth:
        text += f", highest {number(y.max())} at {number(x[y.argmax()])}"
    return text


def _dots(dots, x, y):
    """Where each lies, or where many lie in the mean."""
    if len(x) > 4:
        where = f"{len(x):,} dots around {number(np.mean(y))} at {number(np.mean(x))}"
    else:
        where = ", ".join(f"a dot {number(b)} at {number(a)}" for a, b in zip(x, y, strict=True))
    return where and f"{_name(dots)}{where}"


def _bars(bars, axes):
    values = np.asarray(bars.datavalues, float)
    if not np.isfinite(values).any():
        return ""
    lying = bars.orientation == "horizontal"
    names = (axes.yaxis if lying else axes.xaxis).get_major_formatter()
    ends = []
    for n in (np.nanargmin(values), np.nanargmax(values)):
        place = np.mean(bars[n].get_corners(), axis=0)[int(lying)]
        word = isinstance(names, StrCategoryFormatter)
        place = names.format_ticks([round(place)])[0] if word else number(place)
        ends.append(f"{number(values[n])} at {place}")
    return f"{_name(bars)}{len(values)} bars, lowest {ends[0]}, highest {ends[1]}"
