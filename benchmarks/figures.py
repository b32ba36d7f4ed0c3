"""The pages' figures, from the results they stand for: python -m benchmarks.figures [--check]

Each place is a piece of a page with `{}` for its figures, and what computes them from the JSON
files of the benchmarks. The program writes the figures in; with --check it writes nothing, and
fails if there is something to write.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from statistics import mean, median

from benchmarks import doubt, signs
from files import written_whole

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def results(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def percent(share, digits=1):
    return f"{100 * share:.{digits}f}"


# --- What the pages say ---------------------------------------------------------------------------


def accuracy():
    """Errors by recipe, at one look and at many, the median and each seed; and the sample's."""
    found = results("accuracy")
    for recipe in ("record by record", "default", "record"):
        runs, cells = found["test"][recipe]["runs"], []
        for looks in ("one look", "64 looks"):
            errors = [1 - run[looks] for run in runs]
            each = ", ".join(percent(error, 2) for error in errors)
            cells += [f"{percent(median(errors), 2)} %", each]
        cells += [f"{median(run['seconds'] for run in runs):.0f}"]
        yield "README.md", f"| {recipe} | **{{}}** ({{}}) | **{{}}** ({{}}) | {{}} |", cells
    errors = [percent(1 - run["one look"]) for run in found["sample"]["default"]["runs"]]
    listed = [", ".join(errors[:-1]) + " and " + errors[-1]]
    yield "README.md", "On the small sample's own held-out digits it makes {} % errors", listed
    first = found["test"]["record"]["runs"][0]
    shipped = [percent(first["one look"], 2), percent(first["64 looks"], 2)]
    yield "data/README.md", "it reads {} % right at one look and {} % at 64", shipped


def speed():
    found = results("speed")
    rows = {row["what"]: row["value"] for row in found["rows"]}
    epoch, products = found["seconds"]["an epoch"], rows["our epoch / its matrix products"]
    peers = [f"{rows[f'{peer} / our epoch']:.1f}" for peer in ("PyTorch", "scikit-learn", "JAX")]
    turned = rows["record by record, turned / our epoch"]
    memory = rows["peak memory of the whole run"]
    yield (
        "README.md",
        "| an epoch of 180,000 digits | {} s: {} times its matrix products alone |",
        [f"{epoch:.2f}", f"{products:.1f}"],
    )
    yield (
        "README.md",
        "| the same in PyTorch, scikit-learn, JAX | {}, {} and {} times as long |",
        peers,
    )
    yield (
        "README.md",
        "| the same going record by record, as books do | {} times as long |",
        [f"{turned:.0f}"],
    )
    yield "README.md", "| peak memory of the whole run | {} MB |", [f"{memory:.0f}"]


def imagined():
    found = results("imagine")
    for way, judges in found["read, of ten, by seed"].items():
        seen = [f"{median(judges[judge]):.0f}" for judge in ("network", "SVM", "neighbours")]
        yield "README.md", f"| {way} | {{}} | {{}} | {{}} |", seen
    yield "README.md", "Ten pictures take {} s", [f"{found['seconds for ten']:.2g}"]


def written():
    networks = results("pen")["read, of ten, by network"].values()
    judges = ("network", "SVM", "neighbours", "convolutional")
    read = [sum(network[judge] for network in networks) for judge in judges]
    yield (
        "README.md",
        "Of these {} the networks themselves read {}, the support vector machine {}, "
        "the neighbours {}, and a small convolutional network, which had no part in it, {}.",
        [10 * len(networks), *read],
    )
    longest = max(network["seconds"] for network in networks)
    yield "README.md", "Ten take {} s of one core", [f"{longest:.0f}"]


def refused():
    columns = doubt.medians(results("doubt"))
    shown = [columns[name] for name in ("before", *doubt.HALF)]
    for row in ("accuracy", "kept", *doubt.KINDS):
        yield "README.md", f"| {row} | {{}} | {{}} | {{}} |", [column[row] for column in shown]


def dreamt():
    """What newborns learned from, a row each; and how many of a thousand dreams are read right."""
    found, taught = results("dreams"), {}
    for run in found["taught"]:
        for name, row in run["rows"].items():
            taught.setdefault((run["teacher"], name), []).append(row["accuracy"])
    for (recipe, name), shares in taught.items():
        each = ", ".join(percent(share) for share in shares)
        cells = [f"{percent(median(shares))} %", each]
        yield "README.md", f"| {recipe} | {name} | **{{}}** ({{}}) |", cells
    share = percent(found["many"]["read right by the convolutional network"])
    yield "README.md", "a convolutional network that had no part in it reads {} % as meant", [share]


def handwriting():
    found = results("handwriting")
    own, small = (
        [found[part][f"{net}, looks 1"]["read"] for net in ("digits", "default")]
        for part in ("pictures", "load_digits")
    )
    number = found["pictures"]["digits, looks 1"]["all"]
    yield "README.md", "Of {} real pictures", [number]
    yield (
        "README.md",
        "the shipped network reads {} % at one look and that of the first notebook {} %;",
        map(percent, own),
    )
    yield "README.md", "another hand and another scanner, {} and {} %", map(percent, small)


def taught():
    found = results("signs")
    for what, before, after, lost, seconds in signs.table(found):
        numbers = [f"{before:.0f}", f"{after:.1f}", f"{lost:.2f}", f"{seconds:.1f}"]
        yield "README.md", f"| {what} | {{}} % | {{}} % | {{}} | {{}} |", numbers
    runs = [run for network in found["networks"].values() for run in network["signs"]]
    most, least = max(run["lost"] for run in runs), min(mean(run["read"]) for run in runs)
    template = "of which the worst lost {} points of the test digits and read {} %"
    yield "README.md", template, [f"{most:.2f}", f"{least:.0f}"]


PARTS = (accuracy, speed, imagined, written, refused, dreamt, handwriting, taught)

# --- Writing them in ------------------------------------------------------------------------------


def pattern(template):
    """The regular expression that finds a template's place, a group for each `{}`."""
    return re.escape(template).replace(r"\{\}", r"([^|\n]{1,60}?)")


def filled(text, template, figures):
    """`text` with the figures at the template's place. ValueError if there is no such place."""
    places = re.findall(pattern(template), text)
    if len(places) != 1:
        raise ValueError(f"expected one place that says {template!r}, got {len(places)}")
    new = template.format(*figures)
    return re.sub(pattern(template), lambda _: new, text)


def pages():
    """The pages that hold figures, by name, as they should be."""
    texts = {}
    for part in PARTS:
        for page, template, figures in part():
            text = texts.get(page) or (ROOT / page).read_text(encoding="utf-8")
            texts[page] = filled(text, template, figures)
    return texts


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it would")
    arguments, stale = parser.parse_args(arguments), []
    for page, text in pages().items():
        if text != (ROOT / page).read_text(encoding="utf-8"):
            stale.append(page)
            if not arguments.check:
                with written_whole(ROOT / page) as file:
                    file.write(text.encode())
    print("Other figures than the results: " + (", ".join(stale) or "none"))
    return arguments.check and bool(stale)


if __name__ == "__main__":
    sys.exit(main())
