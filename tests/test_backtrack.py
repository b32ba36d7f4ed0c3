"""backtrack.ipynb: its exercises and guesses, its pictures, and the network that comes with it."""

import contextlib
import io
import json
import re
import shutil

import numpy as np
import pytest
from conftest import ROOT
from threadpoolctl import threadpool_limits

import storage
from nonsense import UNSEEN

CELLS = json.loads((ROOT / "backtrack.ipynb").read_text(encoding="utf-8"))["cells"]
BLANK = re.compile(r"^(\w+) = \.\.\.", re.MULTILINE)
NOT_YET = "not yet: put your answer where the three dots are, and run the cell again\n"


def source(cell):
    return "".join(cell["source"])


def code():
    return [source(cell) for cell in CELLS if cell["cell_type"] == "code"]


def exercises():
    """Name of the blank -> the answer in the fold that follows, a line of Python."""
    found = {}
    for cell, after in zip(CELLS, CELLS[1:], strict=False):
        blank = BLANK.search(source(cell))
        if blank and blank[1] != "guess":
            (answer,) = re.findall(r"```python\n(.*)\n```", source(after))
            assert source(after).startswith("<details><summary>Hint</summary>")
            assert answer.startswith(f"{blank[1]} = ")
            found[blank[1]] = answer
    return found


def guesses():
    return [cell for cell in code() if re.search(r"^guess = \.\.\.", cell, re.MULTILINE)]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """What the cells leave behind, and print, on the sample with the exercises done."""
    folder = tmp_path_factory.mktemp("backtrack")
    for name in ("data/default.npz", "data/digits.npz", "benchmarks/dreams.json"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    answers, place, printed = exercises(), {}, io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        threadpool_limits(1),  # the notebook sets it, too; this gives back what was before
        contextlib.redirect_stdout(printed),
    ):
        patch.chdir(folder)
        patch.setenv("MNIST_MIRRORS", "")
        patch.setenv("MNIST_DIR", str(folder))
        for cell in code():
            if not any(word in cell for word in ("found()", "getsource", "ImaginePanel")):
                exec(BLANK.sub(lambda blank: answers.get(blank[1], blank[0]), cell), place)
    return place, printed.getvalue()


# --- The exercises and the guesses ----------------------------------------------------------------


def test_there_are_exercises_with_hint_and_answer_and_guesses_without():
    assert list(exercises()) == ["lost", "logit", "made", "by_amounts", "inward"]
    assert len(guesses()) == 7
    prose = [source(cell) for cell in CELLS if cell["cell_type"] == "markdown"]
    for kind, count in (("Exercise", 5), ("Guess", 7)):
        numbers = re.findall(rf"\*\*{kind} (\d)\.\*\*", "\n".join(prose))
        assert numbers == [str(n) for n in range(1, count + 1)]


def test_committed_with_nothing_filled_in():
    printed = ["".join(o.get("text", [])) for cell in CELLS for o in cell.get("outputs", [])]
    assert printed.count(NOT_YET) == len(exercises()) + len(guesses())


def test_the_folded_answers_are_right(done):
    _, printed = done
    assert printed.count("right!\n") == len(exercises())
    assert printed.count(NOT_YET) == len(guesses())


def test_exercises_can_be_done_after_all_has_run(done, capsys):
    place, _ = done
    for cell in code():
        blank = BLANK.search(cell)
        if blank and blank[1] in exercises():
            exec(cell.replace(blank[0], exercises()[blank[1]]), dict(place))
            assert capsys.readouterr().out == "right!\n", blank[1]


def test_each_guess_is_judged_by_the_network_at_hand(done, capsys):
    place, _ = done
    for cell in guesses():
        right = []
        asked = {"check": lambda yours, answer, within=None, right=right: right.append(answer)}
        exec(cell, place | asked)
        (answer,) = right
        assert np.ndim(answer) == 0 and 0 <= answer <= 100
        exec(cell.replace("guess = ...", "guess = -100"), dict(place))
        assert capsys.readouterr().out.startswith("not quite: -100 is ")


# --- What is made by hand -------------------------------------------------------------------------


def test_what_is_made_by_hand_is_what_the_module_makes():
    asserted = "\n".join(line for cell in code() for line in cell.splitlines() if "assert" in line)
    for pair in ("image, net.backquery(digit)", "pulled, imagine(net", "by_hand, imagined"):
        assert pair in asserted


def test_the_network_draws_ten_digits_that_all_can_read(done):
    place, _ = done
    assert place["read"]["the network"][-1] == 10
    assert min(place["read"]["support vectors"][-1], place["read"]["neighbours"][-1]) >= 9


def test_it_learns_to_refuse_nonsense_also_of_kinds_it_was_not_shown(done):
    place, _ = done
    digits, *kinds = (place["rows"][name] for name in ("digits", "noise", "shuffled", "inverted"))
    before, after = zip(*kinds, strict=True)
    assert max(after) <= 1 < min(before)
    assert digits[1] >= 0.85 * digits[0]  # of the sample's few digits
    assert all(place["rows"][name][1] < place["rows"][name][0] / 2 for name in UNSEEN)


# --- The pictures and the network -----------------------------------------------------------------


def test_all_pictures_have_one_size():
    calls = [line for cell in code() for line in cell.splitlines() if "plots.digits(" in line]
    assert len(calls) >= 10
    pages = "[many, people]", "dreamt["  # of many, to be seen at once
    small = [line for line in calls if not any(page in line for page in pages)]
    assert len(small) == len(calls) - len(pages)
    assert not [line for line in small if "columns=5" not in line]


def test_the_network_that_comes_with_it_is_that_of_the_first_notebook(sample):
    net = storage.load(ROOT / "data" / "default.npz")
    assert (net.layers, net.hidden, net.output) == ((784, 100, 10), "sigmoid", "sigmoid")
    assert (net.loss_name, net.biases, net.epoch) == ("squared error", [], 10)
    assert net.accuracy(sample[1].images, sample[1].labels) > 0.98  # it has seen most of them
