"""What README and its neighbours claim: files, commands, the example, and how long nn.py is."""

import ast
import re
from pathlib import Path

import pytest

from benchmarks import figures

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "lessons/README.md", "data/README.md", "page/README.md"]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def lines_of_code(source):
    """How many lines are neither blank nor a comment nor in a docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        may_have_one = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if may_have_one and ast.get_docstring(node):
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(bool(re.match(r"\s*[^#\s]", line)) and n not in docstrings for n, line in lines)


def test_what_counts_as_a_line_of_code():
    assert lines_of_code('"""Two\nlines."""\n\nx = 1  # one\n# none\n') == 1
    assert lines_of_code('def f():\n    "None"\n\n    return """two\nlines"""\n') == 3


def test_nn_is_as_long_as_the_readme_says():
    claim = re.search(r"\[`nn.py`\]\(nn.py\) has (\d+) lines, (\d+) of them", text_of("README.md"))
    source = text_of("nn.py")
    assert (len(source.splitlines()), lines_of_code(source)) == tuple(map(int, claim.groups()))


def test_nn_stays_within_its_limits():
    source = text_of("nn.py")
    nodes = list(ast.walk(ast.parse(source)))
    assert len(source.splitlines()) <= 300
    assert lines_of_code(source) <= 175
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    assert max(node.end_lineno - node.lineno + 1 for node in functions) <= 60
    assert not [node for node in nodes if isinstance(node, ast.Raise)], "that is for checks.py"


def test_the_figures_are_those_of_the_results():
    for page, text in figures.pages().items():
        assert text_of(page) == text, "run: python -m benchmarks.figures"


def test_a_figure_that_differs_is_written_in():
    text = "It reads 12.5 % of 3,000 and"
    assert figures.filled(text, "reads {} % of {} and", ["7.5", 40]) == "It reads 7.5 % of 40 and"
    with pytest.raises(ValueError, match="one place .* got 0"):
        figures.filled("It reads none", "reads {} %", [1])


# What is set, or said by others, and no result of ours
GIVEN = (
    "1998 64 10,000 60,000 ±10 2 95 97 95.84 97.12 1.26 32 10 200 5 "
    "0.95 0.8 300 3.6 1.6 6 0.9 0 3 4 1,797 1 8"
)


def test_no_figure_is_written_by_hand():
    """What came out stands in the pages by figures.py alone."""
    _, text = text_of("README.md").split("## What comes out\n")
    for part in figures.PARTS:
        for page, template, _ in part():
            if page == "README.md":
                text = re.sub(figures.pattern(template), "", text)
    found = re.findall(r"±?\d[\d.,]*(?<![.,])", text)
    by_hand = set(found) - set(GIVEN.split())
    assert not by_hand


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_exists(page):
    links = re.findall(r"\]\(([^)#:]+)\)", text_of(page))
    assert not [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_words(page):
    """For those who do not see them."""
    assert "![](" not in text_of(page) and "<img" not in text_of(page)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_you_to_run_exists(page):
    text = text_of(page)
    modules = re.findall(r"python -m ([a-z_]+\.[a-z_.]+)", text)
    paths = [f"{module.replace('.', '/')}.py" for module in modules]
    paths += re.findall(r"python ([a-z_/]+\.py)", text)
    paths += re.findall(r"pip install -r ([a-z/-]+\.txt)", text)
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_the_map_has_every_room():
    shown = set(re.findall(r"\]\(([^)#:]+)\)", text_of("README.md")))
    rooms = [path.name for kind in ("*.py", "*.ipynb") for path in ROOT.glob(kind)]
    rooms += ["panels", "tests", "benchmarks"]
    rooms += ["lessons/README.md", "data/README.md", "page/README.md"]
    assert not set(rooms) - shown


@pytest.mark.parametrize("name", ["lessons", "data"])
def test_a_folders_page_names_every_notebook_and_script(name):
    folder = ROOT / name
    files = [path.name for kind in ("*.py", "*.ipynb") for path in folder.glob(kind)]
    assert files
    assert not [file for file in files if file not in text_of(f"{name}/README.md")]


def test_each_word_of_the_glossary_is_told_where_it_says():
    rows = re.findall(r"^\|.*?\|(.*\*.*)\|(.*)\|$", text_of("lessons/README.md"), re.MULTILINE)
    assert len(rows) >= 10
    for words, places in rows:
        notebooks = [text_of(f"lessons/{link}") for link in re.findall(r"\]\((.*?)\)", places)]
        for word in re.findall(r"\*[^*]+\*", words):
            assert any(word in notebook for notebook in notebooks), word


def test_what_contributing_says_about_where_to_change_things_is_there():
    text = text_of("CONTRIBUTING.md")
    files = set(re.findall(r"`([a-z_/]+\.(?:py|ipynb|npz))`", text))
    assert not [file for file in files if not (ROOT / file).exists()]
    places = re.findall(r"`(\w+)`(?: there)? in `([a-z_/]+\.py)`", text)
    assert len(places) >= 8
    assert not [
        (word, file) for word, file in places if not re.search(rf"\b{word}\b", text_of(file))
    ]


def test_the_five_lines_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))  # so it is the sample, wherever this runs
    (block,) = re.findall(r"```python\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert len([line for line in block.splitlines() if line and "import" not in line]) == 5
    names = {}
    exec(block, names)
    accuracy = float(capsys.readouterr().out.split()[-1])
    assert accuracy > 0.93  # about 95 % on the sample, 98 % on full MNIST
    assert names["images"].shape == (10, 784)
    assert (names["net"].predict(names["images"]) == range(10)).all()
