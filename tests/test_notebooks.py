"""The notebooks as committed, and run anew on the sample, in a copy, with no network."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import execute
import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

import mnist
import storage
from nn import NeuralNetwork

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(
    str(p.relative_to(ROOT)) for p in (*ROOT.glob("*.ipynb"), *ROOT.glob("lessons/*.ipynb"))
)


WHERE = "import nn; print(nn.__file__)"


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell["outputs"]]


def said_of_pictures(notebook):
    """The words of each of its pictures, "" where there are none."""
    pictures = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    return [picture["metadata"].get("image/png", {}).get("alt", "") for picture in pictures]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository without the full MNIST and without a network saved by its user."""
    folder = tmp_path_factory.mktemp("copy") / "repository"
    leave = shutil.ignore_patterns(".*", "mnist_*.csv*", "my_digits.npz", "*.html")
    shutil.copytree(ROOT, folder, ignore=leave)
    return folder


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_runs_on_the_sample_without_network(name, copy, monkeypatch):
    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.delenv("MNIST_DIR", raising=False)
    notebook = execute.execute(copy / name)  # raises on an error in any cell
    if any("mnist.load()" in cell["source"] for cell in code_cells(notebook)):
        texts = [output["text"] for output in outputs(notebook) if output.get("name") == "stdout"]
        assert any("sample" in text for text in texts), "it must say that this is the sample"
    assert not [o["text"] for o in outputs(notebook) if o.get("name") == "stderr"]
    assert all(said_of_pictures(notebook))


def test_backtrack_takes_a_network_of_your_own(copy, monkeypatch):
    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.delenv("MNIST_DIR", raising=False)
    own, (train, _) = copy / "data" / "my_digits.npz", mnist.load_sample()
    # Other outputs than the repository's network has, with biases, and another start
    net = NeuralNetwork(output="softmax", loss="cross-entropy", biases=True, seed=1)
    net.train(train.images[:1000], train.labels[:1000], epochs=3, progress=False)
    storage.save(net, own)
    try:
        notebook = execute.execute(copy / "backtrack.ipynb")
    finally:
        own.unlink()
    texts = [output["text"] for output in outputs(notebook) if output.get("name") == "stdout"]
    assert "your own network" in texts[0]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_as_run_from_top_to_bottom_on_full_mnist(name):
    notebook = json.loads((ROOT / name).read_text(encoding="utf-8"))
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert {o["output_type"] for o in outputs(notebook)} <= {
        "stream",
        "display_data",
        "execute_result",
    }
    assert not [o for o in outputs(notebook) if o.get("name") == "stderr"]
    assert any("image/png" in o.get("data", {}) for o in outputs(notebook))
    shown = json.dumps(
        [{**o, "data": o.get("data", {}).get("text/plain")} for o in outputs(notebook)]
    )
    assert "MNIST sample" not in shown
    assert "your own network" not in shown
    assert not re.search(r"[\"' ](/home|/root|/tmp|/work|/Users|[A-Z]:\\\\)", shown), "a path"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_are_small_and_stand_between_prose(name):
    notebook = json.loads((ROOT / name).read_text(encoding="utf-8"))
    lengths = [sum(bool(line.strip()) for line in cell["source"]) for cell in code_cells(notebook)]
    assert max(lengths) <= 15
    assert sorted(lengths)[len(lengths) // 2] <= 6
    assert notebook["cells"][0]["cell_type"] == "markdown"
    assert not {"execution", "widgets"} & {
        key for cell in notebook["cells"] for key in cell["metadata"]
    }
    assert list(notebook["metadata"]) == ["kernelspec", "language_info"]  # JupyterLab fills these
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"]["name"] == "python"


# --- For those who do not see the pictures --------------------------------------------------------


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_committed_picture_has_words_and_a_page_hands_them_on(name):
    notebook = nbformat.read(ROOT / name, as_version=4)
    said = said_of_pictures(notebook)
    assert said and all(said)
    (template,) = re.findall(r"--to html --template (\w+)", (ROOT / "README.md").read_text("utf-8"))
    page, _ = HTMLExporter(template_name=template).from_notebook_node(notebook)
    assert "No description has been provided" not in page
    assert {*said} <= {picture["alt"] for picture in BeautifulSoup(page, "html.parser")("img")}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_pictures_in_prose_have_words(name):
    notebook = nbformat.read(ROOT / name, as_version=4)
    prose = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "![](" not in prose and "<img" not in prose


# --- Opened alone ---------------------------------------------------------------------------------


def finds_the_modules(name):
    """The prose and the cell with which the notebook begins, after its introduction."""
    _, prose, cell = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"][:3]
    return "".join(prose["source"]), "".join(cell["source"])


def test_all_begin_with_the_same_cell():
    assert len({finds_the_modules(name) for name in NOTEBOOKS}) == 1
    assert 'repository = ""' in finds_the_modules(NOTEBOOKS[0])[1]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_paths_are_from_the_root_where_the_first_cell_goes(name):
    notebook = json.loads((ROOT / name).read_text(encoding="utf-8"))
    code = "".join("".join(cell["source"]) for cell in code_cells(notebook)[1:])
    assert "../" not in code and "sys.path" not in code


def test_in_an_empty_folder_it_says_how_to_get_the_modules(tmp_path):
    code = finds_the_modules(NOTEBOOKS[0])[1]
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    last = ran.stderr.splitlines()[-1]
    assert last.startswith("AssertionError: put the whole repository beside this notebook")


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@pytest.mark.parametrize("name", ["neural_network.ipynb", "lessons/0_mathematics.ipynb"])
def test_in_an_empty_folder_it_fetches_the_repository(name, copy, tmp_path, monkeypatch):
    """From disk, where git is told to look for what would be at the public address."""
    served, alone = tmp_path / "served" / "digits", tmp_path / "alone"
    shutil.copytree(copy, served)
    who = ["-c", "user.name=A Learner", "-c", "user.email=learner@example.org"]
    for command in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", *command], cwd=served, check=True)
    settings = {"COUNT": "1", "VALUE_0": "https://example.org/"}
    settings["KEY_0"] = f"url.{served.parent.as_uri()}/.insteadOf"
    for key, value in (settings | {"GLOBAL": os.devnull}).items():
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    alone.mkdir()
    notebook = nbformat.read(ROOT / name, as_version=4)
    first, *others = code_cells(notebook)
    address = 'repository = "https://example.org/digits"'
    first.source = first.source.replace('repository = ""', address)
    if name == "neural_network.ipynb":  # its imports are enough
        notebook.cells = [first, *others[:2]]
    for source in (WHERE, first.source, WHERE):  # also when it runs again
        notebook.cells.append(nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, alone / "notebook.ipynb")
    ran = execute.execute(alone / "notebook.ipynb")
    for cell in (ran.cells[-3], ran.cells[-1]):
        assert cell.outputs[0].text == f"{alone / 'digits' / 'nn.py'}\n"
