"""The exercises of neural_network.ipynb and of lessons 1 and 2: functions to fill in, whose folded
answers are right and whose checks see a wrong one. And the guesses of all notebooks, whose answers
are computed, and are the same whatever the seed."""

import ast
import json
import re
import warnings

import joblib
import numpy as np
import pytest
import slices
from conftest import ROOT
from threadpoolctl import threadpool_limits

import storage
from lessons import exercise
from lessons.exercise import check, nearest
from nn import NeuralNetwork

EXERCISES = {  # a notebook -> its exercises
    "neural_network.ipynb": ["my_forward", "my_delta", "my_slope"],
    "lessons/1_neuron.ipynb": ["my_neuron", "my_step"],
    "lessons/2_backpropagation.ipynb": ["my_delta", "my_training", "my_measured"],
}
GUESSES = {  # a notebook -> how many guesses; what is replaced to be done sooner, or by the seed
    "backtrack.ipynb": (7, {"(net, 40_000)": "(net, 5_000)", "SVC(C=5).fit(*taught)": "None"}),
    "neural_network.ipynb": (6, {"callback=live, ": "progress=False, "}),
    "lessons/0_mathematics.ipynb": (3, {}),
    "lessons/1_neuron.ipynb": (4, {"steps = 20_000 ": "steps = 2_000 "}),
    "lessons/2_backpropagation.ipynb": (
        3,
        {"digits = 2000 ": "digits = 1000 ", "seeds = range(3) ": "seeds = [{seed}] "},
    ),
    "lessons/3_relu_softmax.ipynb": (3, {"epochs=500, ": "epochs=200, "}),
    "lessons/4_web_requests.ipynb": (
        7,
        {"lines = 10_000 ": "lines = 3_000 ", "[20, 5, 1]": "[5]", "[0.1, 0.3, 1]": "[0.3]"},
    ),
    "lessons/5_many_networks.ipynb": (
        2,
        {
            "networks = 20 ": "networks = 8 ",
            "in range(networks)": "in range({seed} * 8, {seed} * 8 + 8)",
        },
    ),
    "lessons/6_ninety_nine.ipynb": (
        2,
        {"epochs = 10 ": "epochs = 5 ", "looks = 16 ": "looks = 8 "},
    ),
    "lessons/7_in_a_library.ipynb": (3, {}),
    "lessons/8_what_now.ipynb": (3, {"steps = 600 ": "steps = 300 "}),
}
KNOWN = {  # a notebook -> number of a guess -> its answer, where a pencil or an experiment tells it
    "neural_network.ipynb": {4: 3, 5: 1, 6: 100},
    "lessons/1_neuron.ipynb": {1: 0.88, 2: 3, 3: 0.5, 4: 3},
    "lessons/2_backpropagation.ipynb": {1: 1 / 3, 2: 4, 3: 2},
    "lessons/7_in_a_library.ipynb": {2: 5},
    "lessons/8_what_now.ipynb": {1: np.log(10)},
}
SEEDS = range(5)
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


def checks(statement):
    """What a statement checks, as it is written: "guess", "my_forward(x, ...)"; None for others."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "check":
        return ast.unparse(call.args[0])
    return None


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What a notebook hands to `check`, on the sample: (yours, right, within) for each check that
    is `wanted`, a function of what stands there. No more of its cells is run than these need."""

    def asked(name, wanted, sources, seed=0):
        found, place, knobs = [], {}, GUESSES[name][1]
        text = re.sub(r"^seed = \d+", f"seed = {seed}", "\n".join(sources[1:]), flags=re.MULTILINE)
        for old, new in knobs.items():
            assert old in text
            text = text.replace(old, new.format(seed=seed))
        statements = ast.parse(text).body
        monkeypatch.setattr(
            exercise, "check", lambda *both, within=None: found.append((*both, within))
        )
        for statement in slices.needed(statements, lambda one: wanted(checks(one) or "")):
            exec(compile(ast.Module([statement], []), name, "exec"), place)
        return found

    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))
    monkeypatch.chdir(ROOT)
    with (
        threadpool_limits(1),  # small products; and what the notebooks set is gone afterwards
        joblib.parallel_config(backend="sequential"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of what is to fail
        yield asked


# --- The exercises --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_each_exercise_has_its_hint_and_answer_and_all_are_numbered(name):
    assert list(exercises(name)) == EXERCISES[name]
    prose = "\n".join(c["source"] for c in cells(name) if c["cell_type"] == "markdown")
    numbers = re.findall(r"\*\*Exercise (\d)\.\*\*", prose)
    assert numbers == [str(n) for n in range(1, len(EXERCISES[name]) + 1)]


@pytest.mark.parametrize("name", EXERCISES)
def test_committed_with_nothing_filled_in(name):
    outputs = [output for cell in cells(name) for output in cell.get("outputs", [])]
    printed = ["".join(output.get("text", [])) for output in outputs]
    assert "".join(printed).count(NOT_YET) == len(EXERCISES[name]) + GUESSES[name][0]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_folded_answers_are_right_and_zeros_are_not(name, asked, capsys):
    answers = exercises(name)
    filled = [BLANK.sub(lambda blank: answers[blank[1]], source) for source in code(name)]
    checked = asked(name, lambda what: what.split("(")[0] in answers, filled)
    assert len(checked) == len(answers)
    capsys.readouterr()
    for yours, right, _ in checked:
        check(yours, right)
        assert capsys.readouterr().out == "right!\n"
        check(np.zeros_like(yours), right)
        assert capsys.readouterr().out.startswith("not quite: ")


# --- The guesses ----------------------------------------------------------------------------------


def test_each_notebook_has_guesses_and_all_together_forty():
    assert sorted(GUESSES) == sorted(
        str(path.relative_to(ROOT).as_posix())
        for path in (*ROOT.glob("*.ipynb"), *ROOT.glob("lessons/*.ipynb"))
    )
    counts = [count for count, _ in GUESSES.values()]
    assert min(counts) >= 2
    assert sum(counts) >= 40


@pytest.mark.parametrize("name", GUESSES)
def test_guesses_are_numbered_and_none_is_filled_in(name):
    count, _ = GUESSES[name]
    assert len(re.findall(r"^guess = \.\.\.", "\n".join(code(name)), re.MULTILINE)) == count
    prose = "\n".join(c["source"] for c in cells(name) if c["cell_type"] == "markdown")
    numbers = re.findall(r"\*\*Guess (\d)\.\*\*", prose)
    assert numbers == [str(n) for n in range(1, count + 1)]


def of_its_own(folder, sample, seed):
    """A folder where backtrack.ipynb finds a network that was trained from this seed."""
    net = NeuralNetwork(seed=seed)
    net.train(sample[0].images, sample[0].labels, progress=False)
    (folder / "data").mkdir(exist_ok=True)
    storage.save(net, folder / "data" / "my_digits.npz")
    return folder


@pytest.mark.parametrize("name", GUESSES)
def test_guesses_have_one_answer_whatever_the_seed(name, asked, sample, tmp_path, monkeypatch):
    answers = []
    for seed in SEEDS:
        if name == "backtrack.ipynb":
            monkeypatch.chdir(of_its_own(tmp_path, sample, seed))
        answers.append(asked(name, lambda what: what == "guess", code(name), seed))
    assert len(answers[0]) == GUESSES[name][0]
    for number, each in enumerate(zip(*answers, strict=True), start=1):
        right = [float(answer) for _, answer, _ in each]
        room = max(exercise.tolerance(r) if within is None else within for _, r, within in each)
        assert max(right) - min(right) <= 2 * room, f"guess {number}: {right}"
        if number in KNOWN.get(name, {}):
            assert right == pytest.approx([KNOWN[name][number]] * len(right), abs=0.01)


def test_only_what_a_check_needs_is_run():
    source = "a = 1; b = []\ndef add():\n    b.append(a)\nadd(); print(b); a = 2; check(guess, b)"
    kept = slices.needed(ast.parse(source).body, lambda one: checks(one) == "guess")
    words = [ast.unparse(statement).split("\n")[0] for statement in kept]
    assert words == ["a = 1", "b = []", "def add():", "add()", "check(guess, b)"]


def test_a_guess_may_be_off_by_as_much_as_it_says(capsys):
    for guess in (85, 95):
        check(guess, 90.0, within=5)
    assert capsys.readouterr().out == "right!\n" * 2
    check(96, 90.0, within=5)
    assert capsys.readouterr().out == "not quite: 96 is 6 too large\n"


def test_nearest_makes_a_choice_of_what_was_measured():
    assert nearest(0.93, 0.1, 0.5, 0.9) == 0.9
    assert nearest(4e-6, 1e-1, 1e-3, 1e-5) == 1e-5
    assert nearest(60, 5, 50, 500) == 50
