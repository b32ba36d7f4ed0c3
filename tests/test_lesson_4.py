"""Lesson 4: its exercises take right answers, and what it says of models and octets is measured."""

import json
import re

import numpy as np
import pytest
from conftest import ROOT

from lessons import log_features, log_lines, log_models

NOTEBOOK = ROOT / "lessons" / "4_web_requests.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
BLANK = re.compile(r"^(\w+) = \.\.\.", re.MULTILINE)
NOT_YET = "not yet: put your answer where the three dots are, and run the cell again\n"
ANSWERS = ["known_and_not", "share", "hidden", "outputs", "p", "borders"]
GUESSES = 7


def source(cell):
    return "".join(cell["source"])


def answers():
    """Name of each blank that is no guess -> its line in the fold that follows."""
    found = {}
    for cell, after in zip(CELLS, CELLS[1:], strict=False):
        names = [name for name in BLANK.findall(source(cell)) if name != "guess"]
        if names:
            assert source(after).startswith("<details><summary>Hint</summary>")
            (lines,) = re.findall(r"```python\n(.*?)\n```", source(after), re.DOTALL)
            found |= dict(line.split(" = ", 1) for line in lines.splitlines())
    return found


def run(fill, cells=CELLS):
    """The lesson's cells in one place on a third of its requests, with blanks filled by `fill`."""
    place = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            code = source(cell).replace("lines = 10_000 ", "lines = 3_000 ")
            exec(BLANK.sub(lambda blank: f"{blank[1]} = {fill(blank[1])}", code), place)
    return place


@pytest.fixture(scope="module")
def filled():
    """The lesson with all answers filled in: its variables, and what its cells printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(NOTEBOOK.parent)
        found, said = answers(), []
        patch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
        return run(lambda name: found.get(name, "...")), said


def test_there_are_answers_to_all_exercises_and_none_to_guesses():
    assert list(answers()) == ANSWERS
    blanks = [name for cell in CELLS for name in BLANK.findall(source(cell))]
    assert blanks.count("guess") == GUESSES
    assert len(blanks) == GUESSES + len(ANSWERS)


def test_the_folded_answers_are_right(filled):
    _, said = filled
    assert said.count("right!") == len(ANSWERS)
    assert said.count(NOT_YET.strip()) == GUESSES
    assert not [line for line in said if line.startswith("not quite")]


def test_committed_with_nothing_filled_in():
    printed = "".join("".join(o.get("text", [])) for c in CELLS for o in c.get("outputs", []))
    assert printed.count(NOT_YET) == GUESSES + len(ANSWERS)


def test_the_three_published_lines(filled):
    place, _ = filled
    assert len(place["known"]) == 23
    third = place["of"]["third"]
    assert (len(third & set(place["known"])), len(third)) == (5, 9)
    untimed = place["published"]["third"].replace("[20/Dec/2011:20:00:01 +0400] ", "")
    assert "2011" not in untimed
    assert log_features.features(log_lines.parse(untimed)) == third


def test_neighbours_of_bots_pay_for_the_first_octet(filled):
    """All else equal: the same good requests, from the flood's octets and from another one."""
    place, _ = filled

    def suspicion(judge, first):
        sent = [entry._replace(address=f"{first}.0.0.1") for entry in place["sent"]]
        return judge.probabilities(sent).mean()

    octet, without = place["octet"], place["without"]
    theirs = np.mean([suspicion(octet, first) for first in place["theirs"]])
    elsewhere = np.mean([suspicion(octet, first) for first in (241, 245, 248, 252)])
    assert theirs > 1.2 * elsewhere
    assert np.isclose(suspicion(without, 243), suspicion(without, 241))


# --- log_models -----------------------------------------------------------------------------------


def test_by_chance_draws_addresses_not_requests():
    wrong = np.repeat([1, 0], 500)
    alone = log_models.by_chance(wrong, np.arange(1000))
    together = log_models.by_chance(wrong, np.repeat(np.arange(10), 100))
    assert abs(alone.mean() - 0.5) < 0.01
    assert np.isclose(alone.std(), 0.5 / np.sqrt(1000), rtol=0.15)
    assert np.isclose(together.std(), 0.5 / np.sqrt(10), rtol=0.15)


def test_by_chance_weighs_addresses_by_their_requests():
    means = log_models.by_chance([1, 0, 0, 0], ["a", "b", "b", "b"])
    assert set(np.round(means, 3)) == {0, 0.25, 1}
    assert np.allclose(log_models.by_chance([1, 1, 1], ["a", "b", "b"]), 1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "milliseconds"),
        (0.002, "milliseconds"),
        (0.02, "hundredths of a second"),
        (0.5, "tenths of a second"),
        (3, "seconds"),
        (30, "seconds"),
    ],
)
def test_magnitude(seconds, words):
    assert log_models.magnitude(seconds) == words


def test_duration_hands_on_the_result():
    assert log_models.duration(max, 2, 3) == (3, "milliseconds")
