"""Run notebooks and keep what they show: python tests/execute.py [--to FOLDER] NOTEBOOK ...

Without --to they are executed in place, so that their outputs can be committed. What would
differ from run to run, or shows nothing where no kernel is running (times, Python's version, the
state of widgets and bars), is left out: two runs of the same notebook give the same file, with the
same packages on the same kind of processor. Which these were is kept in executed.json.
"""

import argparse
import contextlib
import json
from importlib import metadata
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from threadpoolctl import threadpool_info

KEPT = Path(__file__).with_name("executed.json")
NUMERIC = ("numpy", "pandas", "matplotlib", "scipy", "scikit-learn", "pillow", "torch")
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTEAD = "in JupyterLab"  # says a panel elsewhere; other widgets have nothing to say there


def circumstances():
    """What the last digits of a training depend on: packages, and the processor's kind."""
    import numpy  # noqa: F401, brings the library for its products along

    kinds = {one.get("architecture", one["internal_api"]) for one in threadpool_info()}
    found = {"processor": sorted(kinds)}
    for name in NUMERIC:
        with contextlib.suppress(metadata.PackageNotFoundError):  # lesson 7 does without torch
            found[name] = metadata.version(name)
    return found


def joined(outputs):
    """Outputs in which what was printed in a row is one piece, however it came from the kernel."""
    result = []
    for output in outputs:
        if output.output_type == "stream" and result and output.name == result[-1].get("name"):
            result[-1].text += output.text
        else:
            result.append(output)
    return result


def without_widget(output):
    """Leave out a widget. Returns whether something is left to be kept."""
    data = output.get("data", {})
    return data.pop(WIDGET, None) is None or INSTEAD in data["text/plain"]


def execute(path, timeout=3600):
    """The notebook at `path`, run from top to bottom in its own folder. Raises on any error."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=timeout, resources={"metadata": {"path": path.parent}}
    )
    client.execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}  # some front ends ask for it
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined(filter(without_widget, cell.outputs))
    return notebook


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="leave the notebooks as they are")
    arguments = parser.parse_args()
    for path in arguments.notebooks:
        notebook = execute(path.resolve())
        nbformat.write(notebook, (arguments.to or path.parent) / path.name)
        print(f"{path}: ran from top to bottom")
    if not arguments.to:
        KEPT.write_text(json.dumps(circumstances(), indent=1) + "\n", encoding="utf-8")
