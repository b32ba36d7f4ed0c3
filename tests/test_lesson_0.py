"""Lesson 0: its exercises take right answers and say how far off others are, and its pictures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

import nn
import plots
from lessons import blackboard, exercise

LESSONS = Path(nn.__file__).parent / "lessons"
CELLS = json.loads((LESSONS / "0_mathematics.ipynb").read_text(encoding="utf-8"))["cells"]
BLANK = re.compile(r"^(\w+) = \.\.\.", re.MULTILINE)
NOT_YET = "not yet: put your answer where the three dots are, and run the cell again\n"


@pytest.fixture
def lesson(monkeypatch):
    """It runs in its folder, as in JupyterLab."""
    monkeypatch.chdir(LESSONS)
    return monkeypatch


@pytest.fixture
def check(capsys):
    def said(*arguments):
        exercise.check(*arguments)
        return capsys.readouterr().out.strip()

    return said


def source(cell):
    return "".join(cell["source"])


def exercises():
    """Name of the blank, if it is no guess -> the answer in the fold that follows: one line."""
    found = {}
    for cell, after in zip(CELLS, CELLS[1:], strict=False):
        blank = BLANK.search(source(cell))
        if blank and blank[1] != "guess":
            (answer,) = re.findall(r"```python\n(.*)\n```", source(after))
            assert source(after).startswith("<details><summary>Hint</summary>")
            found[blank[1]] = answer
    return found


def guesses():
    return sum(bool(re.search(r"^guess = \.\.\.", source(c), re.MULTILINE)) for c in CELLS)


def run(fill):
    """All the lesson's cells in one place, with its blanks filled by `fill(name)`."""
    place = {}
    for cell in CELLS:
        if cell["cell_type"] == "code":
            exec(BLANK.sub(lambda blank: fill(blank[1]), source(cell)), place)
    return place


def checked(text):
    return re.findall(r"^(?:right!|not yet|not quite|yours has).*\n", text, re.MULTILINE)


# --- The exercises --------------------------------------------------------------------------------


def test_there_is_an_exercise_for_each_subject_with_hint_and_answer():
    assert list(exercises()) == [
        "place",
        "total",
        "sums",
        "shape",
        "steepness",
        "bottom",
        "through",
    ]


def test_runs_from_top_to_bottom_with_nothing_filled_in(lesson, capsys):
    run(lambda name: f"{name} = ...")
    assert checked(capsys.readouterr().out) == [NOT_YET] * (len(exercises()) + guesses())


def test_committed_with_nothing_filled_in():
    printed = ["".join(o.get("text", [])) for cell in CELLS for o in cell.get("outputs", [])]
    assert printed.count(NOT_YET) == len(exercises()) + guesses()


def test_the_folded_answers_are_right(lesson, capsys):
    found = exercises() | {"guess": "guess = ..."}
    run(found.get)
    lines = [line for line in checked(capsys.readouterr().out) if line != NOT_YET]
    assert lines == ["right!\n"] * len(exercises())


@pytest.mark.parametrize("off, how", [(1, "large"), (-1, "small")])
def test_wrong_answers_are_told_how_far_off_they_are(lesson, capsys, off, how):
    answers = {name: line.split(" = ", 1)[1] for name, line in exercises().items()}
    wrong = {name: f"{name} = np.add({answer}, {off})" for name, answer in answers.items()}
    run((wrong | {"guess": "guess = ..."}).get)
    lines = [line for line in checked(capsys.readouterr().out) if line != NOT_YET]
    assert len(lines) == len(answers)
    for line in lines:
        assert re.search(rf"\b1 too {how}$", line), line


def test_the_check_goes_by_the_weights_as_somebody_changed_them(lesson, capsys):
    cells = [source(cell).replace("[0.5, -0.5, 0.25])  #", "[0.5, 1, -2])  #") for cell in CELLS]
    (weights,) = (cell for cell in cells if "[0.5, 1, -2]" in cell)
    (total,) = (cell for cell in cells if "total = ..." in cell)
    place = {"np": np}
    exec("from lessons import blackboard\nfrom lessons.exercise import check\n" + weights, place)
    exec(BLANK.sub(exercises()["total"], total), place)
    exec(BLANK.sub("total = 1", total), place)
    assert checked(capsys.readouterr().out) == ["right!\n", "not quite: 1 is 4.5 too large\n"]


# --- What check says ------------------------------------------------------------------------------


def test_check_takes_a_rounded_number_but_not_another_one(check):
    assert check(0.33, 1 / 3) == "right!"
    assert check(-6, -6.0000001) == "right!"
    assert check(0, 1e-12) == "right!"
    assert check(0.3, 1 / 3) == "not quite: 0.3 is 0.0333 too small"
    assert check(6, -6) == "not quite: 6 is 12 too large"


def test_check_compares_many_numbers(check):
    assert check([0.5, 2, -3], [0.5, 2, -3]) == "right!"
    assert check((784, 100), (784, 100)) == "right!"
    assert check((784, 101), (784, 100)).startswith("not quite: 1 of 2")  # no rounding there
    assert check(295, 294) == "not quite: 295 is 1 too large"
    expected = "not quite: 2 of 3 are right, and the farthest is 6 too large"
    assert check([0.5, 2, 3], [0.5, 2, -3]) == expected


def test_check_tells_a_wrong_count(check):
    assert check(3, [0.5, 2]) == "yours has a single number, but there should be 2 numbers"
    assert check([1, 2], 5) == "yours has 2 numbers, but there should be a single number"
    wanted = "yours has the shape (1, 2), but there should be 2 numbers"
    assert check([[1, 2]], [1, 2]) == wanted


@pytest.mark.parametrize("nothing", [..., [..., 1], (..., ...)])
def test_check_waits_for_an_answer(check, nothing):
    assert check(nothing, [1, 2]) == NOT_YET.strip()


@pytest.mark.parametrize("odd", ["six", None, [1, "a"], [[1], [1, 2]], {"a": 1}, len])
def test_check_does_not_stumble_over_what_is_no_number(check, odd):
    assert check(odd, [1, 2]).endswith("is not made of numbers")


def test_check_never_takes_nan(check):
    assert check(np.nan, 0.5).startswith("not quite")
    assert check([np.nan, 1], [1, 1]).startswith("not quite: 1 of 2")


# --- The pictures ---------------------------------------------------------------------------------


def texts(picture):
    axes = picture.axes
    return [text.get_text() for ax in axes for text in (*ax.texts, ax.title)]


def test_product_writes_all_sums_and_works_one_out(lesson):
    x, w = np.array([[2, 1, 3], [1, 0, 2]]), np.array([[0.5, 1], [-1, 2], [0.25, 0]])
    written = texts(blackboard.product(x, w, 0, 1))
    assert {f"{number:g}" for number in (x @ w).ravel()} <= set(written)
    assert "2·1 + 1·2 + 3·0 = 4" in written
    assert "X @ W (2, 2)" in written


def test_terms_end_at_the_sum(lesson):
    x, w = np.array([2.0, 1.0, 3.0]), np.array([0.5, -1.0, 0.25])
    (axes,) = blackboard.terms(x, w).axes
    last, total = axes.patches[2], axes.patches[3]
    assert np.isclose(last.get_x() + last.get_width(), x @ w)
    assert np.isclose(total.get_width(), x @ w)


def test_positive_is_orange_and_negative_blue_in_all_bars(lesson):
    (axes,) = blackboard.terms(np.array([2.0, 1.0]), np.array([0.5, -1.0])).axes
    _, right = plots.node(np.zeros(784), [0.5, -1.0]).axes
    for bars in (axes.patches, right.patches):
        assert [to_hex(bar.get_facecolor()).upper() for bar in bars[:2]] == [
            plots.ORANGE,
            plots.BLUE,
        ]


def test_chain_multiplies(lesson):
    written = texts(blackboard.chain("wzaL", [0.5, 1, 0.7, 0.2], [2, 0.2, 0.7]))
    assert "2.000 × 0.200 × 0.700 = 0.2800" in written


def test_unrolled_marks_the_row_in_the_line(lesson):
    image = np.arange(784) % 256
    _, line = blackboard.unrolled(image, 27).axes
    assert line.get_title() == "row 27: places 756 to 783"


CHANGES = [  # what stands in a cell, what somebody may put there instead
    ("which = 0 ", "which = 3999 "),
    ("row = 14 ", "row = 27 "),
    ("[0.5, -0.5, 0.25])  #", "[0, 0, 0])  #"),
    ("row, column = 0, 1 ", "row, column = 1, 2 "),
    ("at = 3.0 ", "at = -1 "),
    ("rate, w = 0.2, 4.5 ", "rate, w = 1.1, 5 "),
    ("x, w, t = 2.0, 0.5, 0.0 ", "x, w, t = -3, 3, 1 "),
]


def test_every_number_can_be_changed_within_its_range(lesson):
    for old, _ in CHANGES:
        assert any(old in source(cell) for cell in CELLS), old
    drawn, place = 0, {}
    for cell in CELLS:
        code = source(cell)
        for old, new in CHANGES:
            code = code.replace(old, new)
        if cell["cell_type"] == "code":
            *rest, last = code.splitlines()
            if last.startswith(("blackboard.", "plots.")):  # draw it, as the notebook would
                last = f"assert ({last})._repr_png_()"
                drawn += 1
            exec("\n".join([*rest, last]), place)
    assert drawn >= 8
