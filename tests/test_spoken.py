"""What is said of a picture that says nothing of itself, and how numbers and captions are told."""

import datetime

import numpy as np
import pytest

import spoken
from easel import Picture


def said(draw, **axes):
    """Of what is drawn on a picture's only axes."""
    picture = Picture()
    draw(picture.subplots(**axes))
    return spoken.figure(picture)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.12345, "0.123"), (-2, "−2"), (999.4, "999"), (78_400, "78,400"), (1e-7, "1e−07")],
)
def test_numbers_have_three_digits_or_all_before_the_point(value, words):
    assert spoken.number(value) == words


def test_captions_are_told_and_of_many_the_most_frequent():
    assert spoken.digits(1, 3, ["a 4?"]) == "A picture: a 4?"
    assert spoken.digits(10, 10, of="sevens") == "A row of 10 pictures of sevens."
    marked = "A row of 2 pictures: says 3; says 8 (orange)."
    assert spoken.digits(2, 3, ["says 3", "says 8"], highlight=[1]) == marked
    many = "3 rows of 10 pictures, below them most often: 7 (20 times); 1 (10 times)."
    assert spoken.digits(30, 10, [7] * 20 + [1] * 10) == many


def test_no_mistake_is_said_to_be_none():
    matrix = np.diag([3, 4])
    assert "7 of 7 rightly; most often mistaken: none" in spoken.confusion(matrix, matrix * 0)


def test_axes_say_their_names_and_where_lines_end():
    def draw(axes):
        axes.plot([0, 1, 2], [4, 1, 2], label="down")
        axes.plot([0, 1, 2], [0, 5, 4])
        axes.axhline(3)
        axes.set(title="Two", xlabel="steps", ylabel="loss")

    words = "Two, loss by steps: down, from 4 at 0 to 2 at 2, lowest 1 at 1; "
    assert said(draw) == words + "from 0 at 0 to 4 at 2, highest 5 at 1."


def test_bars_and_dots_say_where_they_are():
    lying = said(lambda axes: axes.barh(["lottery", "to", "free"], [4, 2, -1], label="net"))
    assert lying == "Net, 3 bars, lowest −1 at free, highest 4 at lottery."
    assert said(lambda axes: axes.bar([0, 1], [3, 2])) == "2 bars, lowest 2 at 1, highest 3 at 0."
    few = "Bot, a dot 3 at 1, a dot 5 at 2."
    assert said(lambda axes: axes.scatter([1, 2], [3, 5], label="bot")) == few
    assert said(lambda axes: axes.plot(range(9), [2] * 9, "o")) == "9 dots around 2 at 4."


def test_a_letter_stays_small():
    assert said(lambda axes: axes.set_xlabel("w, a weight")) == "w, a weight."


def test_each_axes_has_a_sentence_and_a_colour_bar_none():
    picture = Picture()
    left, right = picture.subplots(1, 2)
    picture.colorbar(left.imshow(np.eye(3, 4)), label="ink")
    right.plot([1, 2], [3, 4])
    assert spoken.figure(picture) == "An image, 3 by 4. From 3 at 1 to 4 at 2."


def test_many_lines_are_not_all_told():
    words = said(lambda axes: axes.plot(np.eye(20)))
    assert words.count("from") + words.count("From") == spoken.FEW
    assert words.endswith("; and 12 more.")


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: None,
        lambda axes: axes.plot([], []),
        lambda axes: axes.plot([np.nan, 1], [1, np.inf]),
        lambda axes: axes.plot([datetime.date(2020, 1, 1), datetime.date(2020, 2, 1)], [3, 1]),
        lambda axes: axes.bar([], []),
        lambda axes: axes.bar(["a"], [np.nan]),
        lambda axes: axes.scatter([], []),
        lambda axes: axes.hist([1, 2, 2]),
        lambda axes: axes.errorbar([1, 2], [3, 4], [0.1, 0.2]),
        lambda axes: axes.stem([1, 2], [3, 4]),
        lambda axes: axes.boxplot([1, 2, 3]),
        lambda axes: axes.pie([1, 2]),
        lambda axes: axes.imshow(np.zeros((2, 2, 3))),
        lambda axes: axes.quiver([0], [0], [1], [1]),
        lambda axes: axes.fill_between([1, 2], [3, 4]),
    ],
)
def test_whatever_a_learner_draws_it_finds_words(draw):
    assert said(draw).endswith(".")
    for kind in ("polar", "3d"):
        picture = Picture()
        picture.subplots(subplot_kw={"projection": kind}).plot([1, 2], [3, 4])
        assert str(picture).endswith(".")
