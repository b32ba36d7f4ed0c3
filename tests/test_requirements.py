"""What the requirements and the README promise: plain floors, and a Python that can read the code.

Under the floors themselves (CONTRIBUTING.md says how to install them) all tests should pass.
"""

import ast
import json
import re
from importlib import metadata

import pytest
from conftest import ROOT
from packaging.specifiers import SpecifierSet
from packaging.version import Version

FILES = ["requirements.txt", "requirements-dev.txt"]
INCLUDED = "-r requirements.txt"  # the only line that is no floor, in requirements-dev.txt


def lines_of(file):
    return (ROOT / file).read_text(encoding="utf-8").splitlines()


def floors():
    """All floors as pairs (name, version)."""
    lines = [line for file in FILES for line in lines_of(file)]
    return [tuple(line.split(">=")) for line in lines if line != INCLUDED]


def promised_python():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (version,) = re.findall(r"Python (3\.\d+) or newer", readme)
    return version


def code_of(path):
    """A module's source, or that of a notebook's cells without the lines that only IPython reads
    (%matplotlib inline)."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    return re.sub(r"(?m)^\s*[%!].*$", "", "\n".join("".join(cell["source"]) for cell in cells))


@pytest.mark.parametrize("file", FILES)
def test_each_requirement_is_a_plain_floor(file):
    lines = lines_of(file)
    assert (INCLUDED in lines) == (file == "requirements-dev.txt")
    plain = re.compile(r"[a-z][a-z0-9-]*>=\d+(\.\d+)*")
    assert not [line for line in lines if line != INCLUDED and not plain.fullmatch(line)]


def test_no_package_has_two_floors():
    names = [name for name, _ in floors()]
    assert len(names) > 10
    assert sorted(names) == sorted(set(names))


def test_the_code_parses_under_the_promised_python():
    version = tuple(map(int, promised_python().split(".")))
    paths = [
        path
        for kind in ("*.py", "*.ipynb")
        for folder in ("", "panels/", "lessons/", "benchmarks/", "data/", "page/", "tests/")
        for path in ROOT.glob(folder + kind)
    ]
    assert len(paths) > 40
    for path in paths:
        ast.parse(code_of(path), str(path), feature_version=version)


def test_the_floors_run_under_the_promised_python():
    wants = {
        name: SpecifierSet(metadata.metadata(name).get("Requires-Python") or "")
        for name, floor in floors()
        if Version(metadata.version(name)) == Version(floor)
    }
    if not wants:
        pytest.skip("no package here is at its floor, and newer ones may want a newer Python")
    python = f"{promised_python()}.0"
    assert not [name for name, wanted in wants.items() if python not in wanted]
