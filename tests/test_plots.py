"""The pictures: that each is one, and shows what it was given."""

import io
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

import plots


def drawn(picture):
    """Its pixels, (height, width, 3) uint8, as a notebook shows them."""
    with Image.open(io.BytesIO(picture._repr_png_()[0])) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def has(pixels, color):
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((abs(pixels.astype(int) - wanted).max(axis=2) < 3).any())


def words(picture):
    """All texts in it."""
    drawn(picture)  # numbers on the axes are there only then
    return [text.get_text() for text in picture.findobj(Text)]


@pytest.fixture(scope="module")
def images():
    """Twelve images of a bright square, each in a place of its own; bytes."""
    images = np.zeros((12, 28, 28), np.uint8)
    for n, image in enumerate(images):
        image[2 * n : 2 * n + 4, 10:18] = 255
    return images.reshape(12, 784)


HISTORY = [
    {
        "epoch": 0.2,
        "loss": 0.2,
        "accuracy": 0.7,
        "validation_loss": 0.3,
        "validation_accuracy": 0.6,
    },
    {
        "epoch": 1.0,
        "loss": 0.1,
        "accuracy": 0.9,
        "validation_loss": 0.2,
        "validation_accuracy": 0.8,
    },
]


@pytest.mark.parametrize(
    "caption", [r"$\frac{$", "$x$", "$", "<b>", "\ud800", None, 3, b"x"], ids=ascii
)
def test_a_caption_is_no_formula(images, caption):
    expected = "?" if caption == "\ud800" else str(caption)
    for picture in (
        plots.digits(images[:3], [caption] * 3),
        plots.weights(images[:3] / 255, [caption] * 3),
    ):
        assert words(picture).count(expected) == 3
    assert r"$\frac{$" in words(plots.bars([1, 2], (r"$\frac{$", r"$\frac{$")))
    assert r"$\frac{$(z)" in words(plots.activation(np.tanh, np.tanh, r"$\frac{$"))


def test_digits_are_dark_on_light_as_bytes_and_as_fractions(images):
    as_bytes, as_fractions = (drawn(plots.digits(given)) for given in (images, images / 255))
    np.testing.assert_array_equal(as_bytes, as_fractions)
    assert 0.8 < (as_bytes == 255).mean() < 1
    assert (as_bytes == 0).any()
    assert drawn(plots.digits(images[0])).shape[1] > as_bytes.shape[1] / 5, "one image may be large"


def test_captions_stand_below_and_those_to_highlight_are_orange(images):
    captions = [f"a {n}\nor so" for n in range(12)]
    plain, marked = (plots.digits(images, captions, highlight=which) for which in ((), (3,)))
    assert {*captions} <= {*words(plain)}
    assert not has(drawn(plain), plots.ORANGE)
    assert has(drawn(marked), plots.ORANGE)


def test_a_network_says_its_nodes_and_weights():
    texts = words(plots.network((784, 100, 10)))
    for text in ("784 inputs", "100 hidden nodes", "10 outputs"):
        assert text in texts
    assert "784 × 100 = 78,400 weights" in texts
    assert texts.count("⋮") == 2, "two layers are abridged"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a few nodes leave room for the texts, too
        assert "⋮" not in words(plots.network((4, 3, 2)))


def test_a_curve_has_both_lines_and_room_for_what_is_to_come():
    picture = plots.curve(HISTORY, epochs=5)
    for axes, what in zip(picture.axes, ("loss", "accuracy"), strict=True):
        lines = {line.get_label(): line for line in axes.get_lines()}
        for label, key in (
            ("digits it trains on", what),
            ("digits held out", f"validation_{what}"),
        ):
            epochs, values = lines[label].get_data()
            assert list(epochs) == [0.2, 1.0]
            assert list(values) == [measured[key] for measured in HISTORY]
        assert axes.get_xlim() == (0, 5)
    assert has(drawn(picture), plots.BLUE) and has(drawn(picture), plots.ORANGE)
    assert plots.curve(HISTORY, epochs=0.5).axes[0].get_xlim() == (0, 1), "it went on further"
    drawn(plots.curve([]))  # nothing measured yet is no error


def test_a_live_curve_is_drawn_at_times_and_at_the_end(monkeypatch):
    shown = []
    handle = SimpleNamespace(update=shown.append)
    display = SimpleNamespace(display=lambda picture, display_id: shown.append(picture) or handle)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    now = [100.0]
    monkeypatch.setattr(plots.time, "monotonic", lambda: now[0])
    live = plots.LiveCurve(2)
    assert len(shown) == 1, "empty axes at once"
    for part in range(1, 11):
        live({"epoch": 3 + part / 5, "loss": 1 / part, "accuracy": part / 10})
        now[0] += 0.2
    points = [len(picture.axes[0].get_lines()[0].get_xdata()) for picture in shown[1:]]
    assert points == [1, 4, 7, 10], "the first, each after more than half a second, and the last"
    assert shown[-1].axes[0].get_xlim() == (0, 5), "it had been trained for three epochs before"


def test_a_confusion_matrix_colours_the_mistakes_alone():
    matrix = np.diag([50] * 10)
    assert {"50", "0"} <= {*words(plots.confusion(matrix))}
    matrix[3, 8] = 7
    picture = plots.confusion(matrix)
    shades = np.asarray(picture.axes[0].images[0].get_array())
    assert shades[3, 8] == 7 and shades.sum() == 7
    assert "7" in words(picture)


def test_an_answer_is_ten_bars_the_largest_in_orange(images):
    outputs = np.linspace(0.1, 0.6, 10)
    outputs[4] = 0.9
    photo = images[0].reshape(28, 28)
    for given, count in (((images[0], outputs), 1), ((photo, outputs, images[1]), 2)):
        *pictures, bars = plots.answer(*given).axes
        assert len(pictures) == count
        assert [round(bar.get_height(), 6) for bar in bars.patches] == list(outputs.round(6))
        colors = ["orange" if bar.get_facecolor()[0] > 0.5 else "blue" for bar in bars.patches]
        assert colors == ["blue"] * 4 + ["orange"] + ["blue"] * 5


def test_weights_up_are_red_and_down_are_blue_each_image_for_itself():
    rows = np.zeros((2, 784))
    rows[0, :392], rows[1, 392:] = 0.001, -5
    red, blue = (plots.weights(row) for row in rows)
    up, down = (drawn(picture).astype(int) for picture in (red, blue))
    assert (up[..., 0] - up[..., 2] > 50).any() and not (up[..., 2] - up[..., 0] > 50).any()
    assert (down[..., 2] - down[..., 0] > 50).any() and not (down[..., 0] - down[..., 2] > 50).any()
    assert {"first", "second"} <= {*words(plots.weights(rows, ["first", "second"]))}


def test_bars_a_node_and_an_activation():
    bars = plots.bars([1, -2, 3], ("node", "weight"))
    assert [bar.get_height() for bar in bars.axes[0].patches] == [1, -2, 3]
    assert {"node", "weight", "0", "1", "2"} <= {*words(bars)}

    out = np.array([1.0, -2.0] * 5)
    left, right = plots.node(np.linspace(-1, 2, 784), out).axes
    assert left.images[0].get_clim() == (-2, 2), "0 is white"
    assert [bar.get_height() for bar in right.patches] == list(out)

    line, slope = plots.activation(np.tanh, lambda z: 1 - np.tanh(z) ** 2, "tanh").axes[0].lines
    np.testing.assert_allclose(line.get_ydata(), np.tanh(line.get_xdata()))
    assert slope.get_ydata().max() == pytest.approx(1, abs=0.01)
    assert line.get_label() == "tanh(z)"


def test_histograms_show_shares_of_each_group():
    picture = plots.histograms({"flat": np.full((2, 5), 0.5), "ends": [0, 0, 0, 1]}, "activation")
    flat, ends = ([bar.get_height() for bar in axes.patches] for axes in picture.axes)
    assert max(flat) == pytest.approx(1) and sum(height > 0 for height in flat) == 1
    assert (ends[0], ends[-1]) == pytest.approx((0.75, 0.25)) and sum(ends) == pytest.approx(1)
    assert {"flat", "ends", "activation", "share"} <= {*words(picture)}


def test_activity_has_a_row_a_digit_from_0_to_1():
    active = np.linspace(0, 1, 30).reshape(10, 3)
    picture = plots.activity(active)
    (shades,) = picture.axes[0].images
    np.testing.assert_array_equal(shades.get_array(), active)
    assert shades.get_clim() == (0, 1)
    assert {"hidden node", "digit", "mean activation", "9"} <= {*words(picture)}


def test_steps_show_pictures_of_any_size_with_their_names():
    grey, ink = np.full((30, 20), 255), np.zeros((9, 9))
    grey[5:9, 5:9], ink[4, 4] = 0, 1  # dark ink, and bright
    picture = plots.steps({"grey": grey, "ink": ink, "level": 7})
    shown = [axes.images[0] for axes in picture.axes if axes.images]
    assert [image.get_array().shape for image in shown] == [(30, 20), (9, 9)]
    dark = [image.cmap(image.norm(value))[0] for image, value in zip(shown, (0, 1), strict=True)]
    assert dark == [0, 0]
    assert {"grey", "ink"} <= {*words(picture)} and "level" not in words(picture)


def test_losses_start_at_the_first_step_and_have_a_line_each():
    picture = plots.losses({"slow": [3, 2, 2], "fast": [3, 1]}, {"knows nothing": 2.5}, every=10)
    slow, fast, level = picture.axes[0].get_lines()
    assert slow.get_data()[0].tolist() == [0, 10, 20] and fast.get_data()[1].tolist() == [3, 1]
    assert slow.get_linestyle() != fast.get_linestyle(), "told apart without colours"
    assert set(level.get_ydata()) == {2.5}
    late = plots.losses({"measured after steps": [3, 2]}, every=10, first=5).axes[0].get_lines()[0]
    assert list(late.get_xdata()) == [5, 15]


def test_shares_are_a_row_each_from_the_top_and_two_kinds_of_dots():
    axes = plots.shares({"one": (0.5, 0.25), "two": (1, 0.75)}, ["old", "new"]).axes[0]
    old, new = axes.get_lines()
    assert old.get_data()[0].tolist() == [0.5, 1] and new.get_data()[0].tolist() == [0.25, 0.75]
    assert old.get_marker() != new.get_marker()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two"]
    assert axes.yaxis_inverted()


def test_spread_counts_all_and_marks_the_mean():
    axes = plots.spread([0.1, 0.2, 0.6], "right", "networks").axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == 3
    assert axes.get_lines()[0].get_xdata()[0] == pytest.approx(0.3)


def test_heat_is_darkest_at_the_least():
    index, columns = pd.Index([1, 2], name="hidden_nodes"), pd.Index([0.1, 1], name="learning_rate")
    axes, bar = plots.heat(pd.DataFrame([[0.5, 0.9], [0.1, 0.8]], index, columns), 0.8, "x").axes
    assert axes.get_images()[0].get_clim() == (0.8, 0.9)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("learning rate", "hidden nodes")


# --- In words -------------------------------------------------------------------------------------


def test_each_picture_says_what_it_shows(images, trained, sample):
    """A call for each function, and what its words must have in them."""
    rows, outputs = np.zeros((2, 784)), np.linspace(0, 0.9, 10)
    rows[1, 5], active = -0.25, np.zeros((10, 4))
    active[3, :2] = 0.75
    x, targets = trained.as_input(sample[1].images[:1]), trained.as_targets(sample[1].labels[:1])
    matrix = np.diag([50] * 10)
    matrix[4, 9], matrix[3, 8], matrix[5, 3] = 7, 2, 1
    up, across = pd.Index([1, 2], name="hidden_nodes"), pd.Index([0.1, 1], name="learning_rate")
    heat = pd.DataFrame([[0.5, 0.9], [0.125, 0.8]], up, across)
    cases = {
        plots.digits: [(images, range(12)), "2 rows of 10 pictures, 12 in all: 0; 1; 2;"],
        plots.network: [((784, 100, 10),), "784 inputs, 100 hidden nodes, 10 outputs"],
        plots.activation: [(np.tanh, lambda z: 1 - np.tanh(z) ** 2, "tanh"), "highest 1 at 0"],
        plots.histograms: [({"a": [0, 0, 0.5, 1]}, "output"), "a: 50% below 0.1, 25% above 0.9"],
        plots.curve: [(HISTORY,), "digits held out, from 0.3 at 0.2 to 0.2 at 1"],
        plots.losses: [
            ({"fast": [3, 1]}, {"none": 2.5}),
            "fast, from 3 at 0 to 1 at 1. Across: no",
        ],
        plots.confusion: [(matrix,), "500 of 510 rightly; most often mistaken: 4 as 9, 7 times; 3"],
        plots.answer: [(images[0], outputs), "0.90 for 9, then 0.80 for 8"],
        plots.steps: [({"ink": np.zeros((9, 8))},), "ink, 9 by 8 pixels"],
        plots.weights: [(rows,), "A row of 2 pictures of weights, from −0.25 to 0"],
        plots.bars: [(outputs, ("node", "z")), "10 bars, lowest 0 at 0, highest 0.9 at 9"],
        plots.shares: [({"one": (0.5, 0.25)}, ["old", "new"]), "old and new: one 50.0% and 25.0%"],
        plots.spread: [([0.1, 0.2, 0.6], "right", "nets"), "10.0% to 60.0%, their mean 30.0%"],
        plots.heat: [(heat, 0.8, "right"), "lowest 12.5% at hidden nodes 2 and learning rate 0.1"],
        plots.activity: [(active,), "0 for 2, 2 for 3, 0 for 4"],
        plots.node: [
            (rows[1], outputs - 0.5),
            "from −0.25 to 0, and to the digits, highest 0.4 to 9",
        ],
        plots.blame: [(trained, x, targets), f"loss {trained.loss(x, targets):.4f}"],
    }
    public = [one for name, one in vars(plots).items() if not name.startswith("_")]
    drawing = {one for one in public if getattr(one, "__module__", "") == "plots"}
    assert drawing - {plots.LiveCurve} == {*cases}, "a case for each function"
    for draw, (given, words) in cases.items():
        assert words in str(draw(*given)), draw.__name__


def test_the_live_curve_says_what_was_measured(monkeypatch):
    shown = []
    display = SimpleNamespace(
        display=lambda picture, display_id: SimpleNamespace(update=shown.append)
    )
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    live = plots.LiveCurve(1)
    for measured in HISTORY:
        live(measured)
    assert "digits it trains on, from 0.2 at 0.2 to 0.1 at 1" in str(shown[-1])
