"""The exercises of neural_network.ipynb and of lessons 1 and 2: functions to fill in, whose folded
answers are right and whose checks see a wrong one; and the guesses, which have one answer each."""

import json
import re
import warnings

import numpy as np
import pytest
from conftest import ROOT

from lessons import shortcut
from lessons.exercise import check
from nn import NeuralNetwork

NAMES = {  # a notebook -> its exercises; how many guesses; the first cell that is not run here
    "neural_network.ipynb": (["my_forward", "my_delta", "my_slope"], 6, "def measured_slope"),
    "lessons/1_neuron.ipynb": (["my_neuron", "my_step"], 4, None),
    "lessons/2_backpropagation.ipynb": (
        ["my_delta", "my_training", "my_measured"],
        3,
        "def measured(",
    ),
}
NOT_YET = "not yet: put your answer where the three dots are, and run the cell again\n"
BLANK = re.compile(r"def (\w+)\(.*\):\n    return \.\.\..*\n")


def cells(name):
    found = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def code(name):
    return [cell["source"] for cell in cells(name) if cell["cell_type"] == "code"]


def exercises(name):
    """Name of the blank -> the answer in the fold that follows: a function."""
    found, notebook = {}, cells(name)
    for place, cell in enumerate(notebook):
        blank = cell["cell_type"] == "code" and BLANK.match(cell["source"])
        if blank:
            after = notebook[place + 1]["source"]
            (answer,) = re.findall(r"```python\n(def .*?)```", after, re.DOTALL)
            assert "<details><summary>Hint</summary>" in after
            assert answer.startswith(f"def {blank[1]}(")
            found[blank[1]] = answer
    return found


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The cells of a notebook, one after another on the sample, with its blanks filled; returns
    what they hand to `check`: name of the blank -> (yours, right), and the guessed numbers."""

    def run(name, fill, change=lambda source: source):
        folder = (ROOT / name).parent
        monkeypatch.setenv("MNIST_MIRRORS", "")
        monkeypatch.setenv("MNIST_DIR", str(tmp_path))
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(str(folder))  # as a kernel has it
        place, checked, guessed = {}, {}, []
        for source in code(name):
            if NAMES[name][2] and source.startswith(NAMES[name][2]):
                break
            if "Panel(" in source:
                continue  # they have tests of their own
            blank, told = BLANK.match(source), []
            if blank:
                source = source[: blank.start()] + fill(blank) + source[blank.end() :]
            place["check"] = lambda *both, told=told: told.append(both)
            exec(change(source.replace("steps = 20_000  #", "steps = 2_000  #")), place)
            if blank:
                (checked[blank[1]],) = told
            else:
                guessed += [float(right) for _, right in told]
        return checked, guessed

    return run


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_has_its_hint_and_answer_and_all_are_numbered(name):
    names, guesses, _ = NAMES[name]
    assert list(exercises(name)) == names
    blanks = re.findall(r"^guess = \.\.\.", "\n".join(code(name)), re.MULTILINE)
    assert len(blanks) == guesses
    prose = "\n".join(c["source"] for c in cells(name) if c["cell_type"] == "markdown")
    for kind, count in (("Exercise", len(names)), ("Guess", guesses)):
        numbers = re.findall(rf"\*\*{kind} (\d)\.\*\*", prose)
        assert numbers == [str(n) for n in range(1, count + 1)]


@pytest.mark.parametrize("name", NAMES)
def test_committed_with_nothing_filled_in(name):
    outputs = [output for cell in cells(name) for output in cell.get("outputs", [])]
    printed = ["".join(output.get("text", [])) for output in outputs]
    names, guesses, _ = NAMES[name]
    assert "".join(printed).count(NOT_YET) == len(names) + guesses


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_answers_are_right_and_zeros_are_not(name, run, capsys):
    answers = exercises(name)
    checked, _ = run(name, lambda blank: answers[blank[1]])
    assert list(checked) == list(answers)
    capsys.readouterr()
    for yours, right in checked.values():
        check(yours, right)
        assert capsys.readouterr().out == "right!\n"
        check(np.zeros_like(yours), right)
        assert capsys.readouterr().out.startswith("not quite: ")


@pytest.mark.parametrize("seed", range(5))
def test_guesses_of_lesson_1_have_one_answer_whatever_the_seed(seed, run):
    def change(source):
        return source.replace("seed = 0  #", f"seed = {seed}  #")

    _, guessed = run("lessons/1_neuron.ipynb", lambda blank: blank[0], change)
    assert guessed == pytest.approx([0.88, 3, 0.5, 3], abs=0.01)


def test_guesses_of_lesson_2_before_the_digits(run):
    _, guessed = run("lessons/2_backpropagation.ipynb", lambda blank: blank[0])
    assert guessed == pytest.approx([1 / 3, 4], abs=0.01)


# The other guesses take trainings, so here they are asked on few digits.


@pytest.mark.parametrize("seed", range(5))
def test_guesses_of_the_first_notebook_have_one_answer_whatever_the_seed(seed, sample):
    few = sample[0].images[:1000], sample[0].labels[:1000]
    knobs = {"rotations": (), "progress": False}

    def last(net, **more):
        return net.train(*few, **knobs, **more)[-1]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it does not learn, at a rate of 30 and from zeros
        losses = {
            rate: last(NeuralNetwork(seed=seed), learning_rate=rate, epochs=5)["loss"]
            for rate in (0.03, 0.3, 3, 30)
        }
        zeros = NeuralNetwork(
            initial=lambda rng, shape: np.zeros(shape), seed=seed, dtype=np.float64
        )
        last(zeros, epochs=1)
    assert min(losses, key=losses.get) == 3
    assert len(np.unique(zeros.weights[0].T.round(6), axis=0)) == 1
    sure = NeuralNetwork(output="softmax", loss="cross-entropy", biases=True, seed=seed)
    assert last(sure, epochs=40)["accuracy"] > 0.99


def test_the_shortcut_is_ahead_at_first_whatever_the_seed(sample):
    few = (sample[0].images[:1000], sample[0].labels[:1000]), sample[1][:2]
    for seed in range(5):
        exact, short = (shortcut.accuracy(k, 3.0, seed, *few, 3) for k in ("exact", "shortcut"))
        assert short > exact
