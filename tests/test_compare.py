"""What compare.py finds, and lets pass, between a notebook and another run of it."""

import base64
import io

import compare
import nbformat.v4
import numpy as np
import PIL.Image
import pytest


def png(*dots, size=(40, 60)):
    """A white picture with black dots, as a notebook keeps it."""
    grey, file = np.full(size, 255, np.uint8), io.BytesIO()
    for dot in dots:
        grey[dot] = 0
    PIL.Image.fromarray(grey).save(file, format="png")
    return base64.b64encode(file.getvalue()).decode()


def notebook(*data, source="print(1)"):
    """With one cell that shows these: printed text, or a dictionary of kinds."""
    new = nbformat.v4.new_output
    outputs = [
        new("stream", text=what) if isinstance(what, str) else new("display_data", what)
        for what in data
    ]
    cells = [nbformat.v4.new_markdown_cell(), nbformat.v4.new_code_cell(source, outputs=outputs)]
    return nbformat.v4.new_notebook(cells=cells)


def found(before, now, source="print(1)"):
    return list(compare.differences(notebook(*before, source=source), notebook(*now)))


def test_the_same_is_the_same():
    what = ["98.00 %\n", {"text/html": "<td>0.5</td>", "image/png": png((1, 1))}]
    assert found(what, what) == []
    assert found([{"a": "1", "b": "2"}], [{"b": "2", "a": "1"}]) == [], "in whatever order"


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ("a\nhas 98.00 %", "a\nhas 97.99 %", "'has 98.00 %' is now 'has 97.99 %'"),
        ("right", "wrong", "'right' is now 'wrong'"),
        ("1 2", "1", "'1 2' is now '1'"),
        ("a\nb", "a", "is now"),
        ({"text/html": "<td>1</td>"}, {"text/html": "<td>2</td>"}, "is now"),
        ({"text/plain": "1"}, {"text/html": "1"}, "shows ['text/html'], not ['text/plain']"),
        ({"text/plain": "Loss, 3 to 1"}, {"text/plain": "Loss, 3 to 2"}, "is now 'Loss, 3 to 2'"),
        ({"image/png": png()}, {"image/png": png(size=(40, 61))}, "another picture"),
        ({"image/png": png()}, {"image/png": png(slice(0, 3))}, "another picture"),
    ],
)
def test_what_differs_is_found(before, now, says):
    (what,) = found([before], [now])
    assert what.startswith("cell 1: ") and says in what
    assert found([before], []), "nothing at all is shown"


def test_a_letter_that_moved_by_a_pixel_passes():
    assert not found([{"image/png": png((1, 1))}], [{"image/png": png((1, 2))}])


@pytest.mark.parametrize(
    ("now", "passes"), [("took 9 s", True), ("took 12 s", False), ("needs 10 s", False)]
)
def test_a_cell_may_state_how_much_its_numbers_differ(now, passes):
    assert (found(["took 10 s"], [now], "f()  # varies by 15 %") == []) is passes
    assert found(["took 10 s"], [now], "f()")


@pytest.mark.parametrize(
    ("now", "passes"), [("took 90 s", True), ("took 9,000 s", False), ("needs 10 s", False)]
)
def test_times_may_vary_but_not_without_bounds(now, passes):
    assert (found(["took 10 s"], [now], "f()  # times vary") == []) is passes
    assert found(["took 10 s"], [now], "f()  # how varied they are")


def test_a_cell_may_differ_from_run_to_run():
    assert not found(["took 10 s"], ["took an hour"], "clock()  # varies from run to run")
