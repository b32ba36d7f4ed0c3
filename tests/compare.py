"""Do the notebooks still show what is committed? python tests/compare.py NOTEBOOK ...

Each is run from top to bottom and compared with its file: every number and word that it prints,
every table, and the pictures by how alike they are. (The words of a picture are what it prints, so
their numbers count as printed ones.) A cell whose numbers may vary says so in a comment:
`# varies by 10 %`; `# times vary` or `# the last digits vary`, where a hundredth may become the
whole; or `# varies from run to run`, if its output is not to be compared.

Other packages or another kind of processor round other last digits, and a long training can make
much of them. Then the differences are told, but they are no failure.
"""

import argparse
import base64
import io
import json
import math
import re
import sys
from pathlib import Path

import execute
import nbformat
import numpy as np
import PIL.Image

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
TOLERANCE = re.compile(r"# varies by ([\d.]+) %")
VARY = re.compile(r"# (the|times)\b[\w ]* vary\b")  # numbers of about any size, but they are there
UNLIKE = 1.0  # grey levels of 255, the mean over a picture: letters that moved by a pixel have less


def numbers(text):
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def same_text(before, now, tolerance):
    """Equal; or with a tolerance: the same words, and numbers that differ by that share at most."""
    if before == now or not tolerance:
        return before == now
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (before, now)]
    pairs = zip(numbers(before), numbers(now), strict=False)
    return words[0] == words[1] and all(math.isclose(*pair, rel_tol=tolerance) for pair in pairs)


def same_picture(before, now):
    """As large, and nearly the same grey values, for two PNGs in base64."""
    pictures = [PIL.Image.open(io.BytesIO(base64.b64decode(png))) for png in (before, now)]
    first, second = (np.asarray(picture.convert("L"), float) for picture in pictures)
    return first.shape == second.shape and abs(first - second).mean() <= UNLIKE


def pieces(output):
    """What an output shows: (kind, what) each."""
    if output.output_type == "stream":
        return [(output.name, output.text)]
    return sorted(output.get("data", {}).items())  # a file has them sorted, a kernel does not


def cell_differences(before, now):
    """What is otherwise in a cell's outputs, a sentence each."""
    if "# varies from run to run" in before.source:
        return
    share = TOLERANCE.search(before.source)
    tolerance = float(share[1]) / 100 if share else 0.99 * bool(VARY.search(before.source))
    pairs = [
        [piece for output in cell.outputs for piece in pieces(output)] for cell in (before, now)
    ]
    if [kind for kind, _ in pairs[0]] != [kind for kind, _ in pairs[1]]:
        yield f"shows {[kind for kind, _ in pairs[1]]}, not {[kind for kind, _ in pairs[0]]}"
        return
    for (kind, old), (_, new) in zip(*pairs, strict=True):
        if kind == "image/png":
            if not same_picture(old, new):
                yield "another picture"
        elif not same_text(old, new, tolerance):
            lines = zip(old.splitlines(), new.splitlines(), strict=False)
            first = next((pair for pair in lines if pair[0] != pair[1]), (old[-80:], new[-80:]))
            yield f"{first[0].strip()!r} is now {first[1].strip()!r}"


def differences(before, now):
    """What another run of a notebook shows otherwise, a sentence each, with the cell's number."""
    code = [[cell for cell in nb.cells if cell.cell_type == "code"] for nb in (before, now)]
    for number, pair in enumerate(zip(*code, strict=True), start=1):
        for what in cell_differences(*pair):
            yield f"cell {number}: {what}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK")
    failed = False
    for path in parser.parse_args().notebooks:
        committed = nbformat.read(path, as_version=4)
        found = list(differences(committed, execute.execute(path.resolve())))
        print(f"{path}: {len(found)} differences", *found, sep="\n  ", flush=True)
        failed = failed or bool(found)
    committed_with, here = json.loads(execute.KEPT.read_text("utf-8")), execute.circumstances()
    if failed and committed_with != here:
        print(f"The notebooks were executed with {committed_with}, this was {here}: no failure.")
        failed = False
    sys.exit(failed)
