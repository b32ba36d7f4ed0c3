"""Lesson 7 with and without the libraries, and what it showed when it was committed."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import execute
import pytest

import lessons.libraries
import nn

LESSON = Path(nn.__file__).parent / "lessons" / "7_in_a_library.ipynb"
OPTIONAL = {"PyTorch": "torch", "JAX": "jax", "TensorFlow": "tensorflow", "Keras": "keras"}


def printed(cells):
    return "".join(
        "".join(output.get("text", "")) + "".join(output.get("data", {}).get("text/plain", ""))
        for cell in cells
        for output in cell.get("outputs", [])
    )


@pytest.fixture
def libraries(monkeypatch):
    """lessons/libraries.py, with nothing in the environment that it might have left there."""
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    return lessons.libraries


@pytest.fixture
def sample(monkeypatch, tmp_path):
    """In the kernels started by this test, mnist.load finds nothing but the sample."""
    monkeypatch.setenv("MNIST_MIRRORS", "")
    monkeypatch.setenv("MNIST_DIR", str(tmp_path))


# --- Without the libraries ------------------------------------------------------------------------


@pytest.fixture
def none_installed(monkeypatch, tmp_path):
    """Kernels started by this test import these modules as if they were not installed."""
    folder = tmp_path / "hidden"
    folder.mkdir()
    for module in OPTIONAL.values():
        error = f"ModuleNotFoundError('No module named {module}', name='{module}')"
        (folder / f"{module}.py").write_text(f"raise {error}\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_runs_without_any_of_them_and_says_what_to_type(none_installed, sample):
    cells = execute.execute(LESSON).cells  # raises on an error in any cell
    said = printed(cells)
    for name, module in OPTIONAL.items():
        assert re.search(rf"^{name} is left out. To get it: pip install {module}", said, re.M)
    assert "It needs PyTorch, and is left out. To get it: pip install torch" in said
    assert re.search(r"^scikit-learn: the same weights", said, re.M)
    assert "broken" not in said
    assert not [o for cell in cells for o in cell.get("outputs", []) if o.get("name") == "stderr"]


# --- Is it here, and does it work? ----------------------------------------------------------------


def pretend(libraries, monkeypatch, **modules):
    """Put these in the place of all optional libraries; the others are not installed. (Under other
    names, since scikit-learn looks for theirs, too.)"""
    for name, module in OPTIONAL.items():
        library = libraries.LIBRARIES[name]._replace(module=f"pretended_{module}")
        monkeypatch.setitem(libraries.LIBRARIES, name, library)
        if module in modules:
            monkeypatch.setitem(sys.modules, library.module, modules[module])


def fake(version, **contents):
    module = ModuleType("fake")
    module.__version__ = version
    vars(module).update(contents)
    return module


def jax_that_finds(slope):
    return fake("0.9", grad=lambda function: lambda at: slope)


def test_what_is_installed_and_works_has_a_version(libraries, monkeypatch):
    pretend(libraries, monkeypatch, jax=jax_that_finds(6.0))
    found = libraries.find()
    assert found.works.to_dict() == {
        "scikit-learn": True,
        "PyTorch": False,
        "JAX": True,
        "TensorFlow": False,
        "Keras": False,
    }
    assert found.version["JAX"] == "0.9"
    assert found["what to do"]["JAX"] == ""


def test_what_computes_wrong_does_not_work(libraries, monkeypatch):
    pretend(libraries, monkeypatch, jax=jax_that_finds(5.0))
    row = libraries.find().loc["JAX"]
    assert not row.works
    assert "broken (it found 5.0 where 6 is right)" in row["what to do"]
    assert row["what to do"].endswith("pip install jax")


def test_what_breaks_in_any_way_does_not_work(libraries, monkeypatch):
    def grad(function):
        raise OSError("libsomething.so: cannot open\nand a long story")

    pretend(libraries, monkeypatch, jax=fake("0.9", grad=grad))
    row = libraries.find().loc["JAX"]
    assert not row.works
    assert "broken (libsomething.so: cannot open); perhaps pip install jax" in row["what to do"]


def test_keras_gets_a_backend_that_works(libraries, monkeypatch):
    seen = {}

    def convert(numbers):
        seen["backend"] = libraries.os.environ.get("KERAS_BACKEND")
        return numbers

    ops = ModuleType("ops")
    ops.sum, ops.convert_to_tensor = sum, convert
    pretend(libraries, monkeypatch, jax=jax_that_finds(6.0), keras=fake("3.9", ops=ops))
    found = libraries.find()
    assert found.works["Keras"]
    assert found.version["Keras"] == "3.9 on jax"
    assert seen["backend"] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "openvino")  # somebody's own choice
    assert libraries.find().version["Keras"] == "3.9 on openvino"
    assert seen["backend"] == "openvino"


def test_keras_2_is_not_enough(libraries, monkeypatch):
    pretend(libraries, monkeypatch, jax=jax_that_finds(6.0), keras=fake("2.15.0"))
    assert "2.15.0 is too old" in libraries.find()["what to do"]["Keras"]


def test_there_is_always_a_processor(libraries):
    none = dict.fromkeys(OPTIONAL, False)
    assert libraries.processors(none) == {"NumPy": ["cpu"]}


def test_processors_of_pytorch(libraries):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    only = dict.fromkeys(OPTIONAL, False) | {"PyTorch": True}
    assert libraries.processors(only)["PyTorch"][0] == "cpu"


# --- As committed ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed():
    return printed(json.loads(LESSON.read_text(encoding="utf-8"))["cells"])


@pytest.mark.parametrize("name", ["PyTorch", "JAX", "Keras", "scikit-learn"])
def test_committed_with_the_same_weights_in(committed, name):
    (gap,) = re.findall(rf"^{name}: the same weights, at most (\S+) apart", committed, re.M)
    assert float(gap) <= 1e-4


def test_committed_network_with_convolutions_reached_its_accuracy(committed):
    (right,) = re.findall(r"^(\S+)% right, give or take", committed, re.M)
    assert float(right) >= 99.3
    assert re.search(r"^\d+ mistakes in 10,000 digits", committed, re.M)
