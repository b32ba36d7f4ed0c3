"""The pictures of lessons 0, 1 and 2 show what they were given, and say so."""

import numpy as np
import pytest
from test_plots import drawn, has, words

from lessons import blackboard, sketches
from plots import BLUE, ORANGE

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
EITHER = np.array([0, 1, 1, 0])


def test_curves_have_their_names_and_perhaps_a_dot():
    lines = {"up": [0, 1, 2], "down": [2, 1, 0]}
    picture = sketches.curves([5, 6, 7], lines, ("x", "y"), dot=(6, 1))
    shown = picture.axes[0].get_lines()
    assert [list(line.get_ydata()) for line in shown] == [[0, 1, 2], [2, 1, 0], [1]]
    assert {"up", "down", "x", "y"} <= {*words(picture)}
    assert "up" not in words(sketches.curves([5, 6, 7], {"up": [0, 1, 2]}, ("x", "y")))


def test_fields_show_the_answer_at_each_place_and_the_border():
    answers = {f"first input {n}": lambda points: points[:, 0] for n in range(4)}
    picture = sketches.fields(answers, CORNERS, EITHER, low=0, high=1)
    assert {*answers, "second input", "output"} <= {*words(picture)}
    shades = picture.axes[0].collections[0]
    assert shades.get_clim() == (0, 1), "the same colours in each"
    np.testing.assert_allclose(shades.get_array()[7], np.linspace(0, 1, 100))
    (border,) = picture.axes[0].collections[1].get_paths()
    np.testing.assert_allclose(border.vertices[:, 0], 0.5)
    assert has(drawn(picture), ORANGE) and has(drawn(picture), BLUE)


def test_an_arrow_begins_on_the_border():
    picture = sketches.fields({"or": lambda points: points.max(axis=1)}, CORNERS)
    arrow = sketches.arrow(picture, [3, 4], -5).axes[0].collections[-1]
    assert (arrow.X[0], arrow.Y[0]) == pytest.approx((0.6, 0.8))  # 3 * 0.6 + 4 * 0.8 - 5 = 0
    assert (arrow.U[0], arrow.V[0]) == (3, 4)


def test_parted_shows_both_kinds_and_the_borders_between():
    picture = sketches.parted(CORNERS, EITHER == 1, {"nn.py": ([1, 2], -1)}, ("a", "b"))
    no, yes = (dots.get_offsets().tolist() for dots in picture.axes[0].collections)
    assert no == [[0, 0], [1, 1]] and yes == [[0, 1], [1, 0]]
    (border,) = picture.axes[0].get_lines()
    np.testing.assert_allclose(border.get_xydata() @ [1, 2], 1)
    assert {"no", "yes", "nn.py", "a", "b"} <= {*words(picture)}


def test_walks_lie_on_a_landscape_that_is_lowest_in_the_valley():
    paths = {"short": np.array([[0, 0], [1, 1]]), "long": np.array([[0, 0], [9, 3], [2, 2]])}
    picture = sketches.walks(lambda w: ((w - [2, 1]) ** 2).sum(axis=1), paths, np.array([2, 1]))
    for axes, path in zip(picture.axes, paths.values(), strict=True):
        walk, valley = axes.get_lines()
        np.testing.assert_array_equal(walk.get_xydata(), path)
        assert valley.get_xydata().tolist() == [[2, 1]]
        assert axes.get_xlim()[0] < 0 and axes.get_xlim()[1] > 9
    assert {"short", "long", "first weight", "second weight"} <= {*words(picture)}


def test_a_flow_has_each_number_in_its_place():
    nodes, lines = [[1, 2], [3]], [np.array([[0.25], [-0.5]])]
    picture = sketches.flow({"forward": (nodes, lines), "back": (nodes, lines)})
    texts = words(picture)
    for number in ("1.000", "2.000", "3.000", "0.250", "-0.500", "forward", "back"):
        assert number in texts
    assert len(picture.axes[0].get_lines()) == 2


def test_each_says_what_it_shows():
    """In words, for those who do not see it."""
    field = sketches.fields({"first": lambda points: points[:, 0]}, CORNERS, low=0, high=1)
    at_dots = (
        "at the dots (0, 0), (0, 1), (1, 0), (1, 1). first: 0.00, 0.00, 1.00, 1.00, yes in 50%"
    )
    assert at_dots in str(field)
    assert str(sketches.arrow(field, [3, -4], -5)).endswith("The arrow goes 3 to the right, −4 up.")
    paths = {"a walk": np.array([[0, 0], [1, 1], [2, 1]])}
    walks = sketches.walks(lambda w: w.sum(axis=1) + 0.5, paths, np.array([0, 0]))
    assert "a walk: from a loss of 0.5 to 3.5 in 2 steps" in str(walks)
    flow = sketches.flow({"forward": ([[1, 2], [3]], [np.array([[0.25], [-0.5]])])})
    assert "in the nodes 1 2, then 3, on the lines 0.25 −0.5" in str(flow)
    assert "no, a dot 0 at 0, a dot 1 at 1" in str(sketches.parted(CORNERS, EITHER == 1))


def test_the_blackboard_says_what_it_shows():
    x, w = np.array([2.0, 1.0]), np.array([[0.5, 1], [2, 4]])
    assert "2 × 0.5 = 1; 1 × 2 = 2; sum = 3." in str(blackboard.terms(x, w[:, 0]))
    product = str(blackboard.product(np.array([x]), w, 0, 1))
    assert "the rows [[3.0, 6.0]]. Marked in row 0, column 1: 2·1 + 1·4 = 6." in product
    chain = str(blackboard.chain(["w", "z"], [0.5, 1], [2]))
    assert "w: 0.500, z: 1.000. Slopes: 2.000 = 2.0000." in chain
    touched = blackboard.tangents({"square": (np.square, 6.0)}, 3.0)
    assert str(touched).endswith("touch them at w = 3. square: at 9, slope 6.00.")
    image = np.zeros(784)
    image[28:31] = 200
    assert "Marked is row 1: places 28 to 55, 3 with ink." in str(blackboard.unrolled(image, 1))
