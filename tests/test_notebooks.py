"""The notebooks as committed, and run anew on the sample, in a copy, with no network."""

import json
import re
import shutil
from pathlib import Path

import execute
import pytest

import mnist
import storage
from nn import NeuralNetwork

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted(
    str(p.relative_to(ROOT)) for p in (*ROOT.glob("*.ipynb"), *ROOT.glob("lessons/*.ipynb"))
)


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell["outputs"]]


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
    assert list(notebook["metadata"]) == ["kernelspec"]
