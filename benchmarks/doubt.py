"""Can a network learn to say no? python -m benchmarks.doubt

A network is taught digits by the default recipe, then digits together with nonsense, all of whose
targets are low. It is asked of nonsense of each kind in nonsense.py, also of those it was not
shown: to how many percent does it give an output of so much (BARS) or more, before and after? And
of the test digits that it was sure of before (0.9 or more), how many percent does it keep?

Kinds, shares and numbers of epochs were chosen with seed 0 on 10,000 digits held out of the
training set, with an eye on all kinds of nonsense made of those, also on the kinds that are only
asked of. The test digits had no say. All nonsense to judge by is made of test digits.

Results go to doubt.json beside this file, after each network: interrupt it when you like and start
it again, and it goes on with the networks that are missing.
"""

import argparse
import copy
import statistics
import sys
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

import mnist
from benchmarks.accuracy import falling, in_words, pair, read, write
from nn import NeuralNetwork
from nonsense import KINDS, TAUGHT, UNSEEN, mixture

HERE = Path(__file__).resolve().parent
BARS = 0.5, 0.7, 0.8, 0.9, 0.95, 0.99
SURE = 0.9
COUNT = 2_000  # pictures to judge by, of each kind
EASY = {name: KINDS[name] for name in ("noise", "shuffled")}


def recipe(kinds, nodes=100, rate=3.0):
    return {"nodes": nodes, "kinds": list(kinds), "learning_rate": falling(rate), "epochs": 6}


RECIPES = {
    "half of the kinds": recipe(TAUGHT),
    "the other half": recipe(UNSEEN),
    "noise and shuffled": recipe(EASY),
    "half of the kinds, 300 nodes": recipe(TAUGHT, 300, 1.2),
}
HALF = "half of the kinds", "half of the kinds, 300 nodes"
SEEDS = dict(zip(RECIPES, (5, 1, 1, 2), strict=True))


def mixed(net, images, labels, nonsense):
    """Digits and nonsense in one, (n, 784), and what the outputs should be, (n, 10)."""
    targets = net.as_targets(labels)
    low = np.full((len(nonsense), targets.shape[1]), 0.01, targets.dtype)
    return np.concatenate([images, nonsense]), np.concatenate([targets, low])


def share(outputs, bar=SURE):
    """Percent of these pictures that have an output of so much or more."""
    return round(float(100 * (outputs.max(axis=1) >= bar).mean()), 2)


def run(net, recipe, train, test, strange, rng):
    """How a network does before and after it is taught to say no."""
    sure = net.outputs(test[0]).max(axis=1) >= SURE
    measured = {"accuracy before": net.accuracy(*test)}
    measured["before"] = {name: share(net.outputs(images)) for name, images in strange.items()}
    kinds = {name: KINDS[name] for name in recipe["kinds"]}
    nonsense = mixture(rng, *train, len(train[0]) // 2, kinds)
    net.train(
        *mixed(net, *train, nonsense),
        epochs=recipe["epochs"],
        learning_rate=recipe["learning_rate"],
        progress=False,
    )
    measured["accuracy"] = net.accuracy(*test)
    outputs = {name: net.outputs(images) for name, images in strange.items()}
    after = net.outputs(test[0])
    measured["after, by bar"] = {
        str(bar): {"digits": share(after, bar), "kept": share(after[sure], bar)}
        | {name: share(rows, bar) for name, rows in outputs.items()}
        for bar in BARS
    }
    return measured


def missing(results):
    """(name, recipe, seed) of each network that is still to be trained. What belongs to no recipe
    any more is dropped."""
    left, known = [], results.get("recipes", {})
    results["recipes"] = {}
    for name, wanted in RECIPES.items():
        fits = name in known and known[name]["recipe"] == in_words(wanted)
        runs = known[name]["runs"] if fits else []
        results["recipes"][name] = {"recipe": in_words(wanted), "runs": runs}
        done = {each["seed"] for each in runs}
        left += [(name, wanted, seed) for seed in range(SEEDS[name]) if seed not in done]
    return left


def medians(results, bar=SURE):
    """The medians of the seeds as text, percent: recipe -> row -> number. Kinds that a recipe was
    shown stand in brackets. `before` is how the first recipe's networks began, at 0.9."""
    columns = {"before": {}}
    for name, known in results["recipes"].items():
        if runs := known["runs"]:
            columns[name] = {"accuracy": middle([each["accuracy"] for each in runs], 100, 2)}
            for row in ("kept", *KINDS):
                text = middle([at(each, bar)[row] for each in runs])
                columns[name][row] = f"({text})" if row in known["recipe"]["kinds"] else text
    runs = next(iter(results["recipes"].values()))["runs"]
    columns["before"]["accuracy"] = middle([each["accuracy before"] for each in runs], 100, 2)
    columns["before"]["kept"] = "100.0"
    for kind in KINDS:
        columns["before"][kind] = middle([each["before"][kind] for each in runs])
    return columns


def middle(numbers, times=1, places=1):
    return f"{times * statistics.median(numbers):.{places}f}"


def table(results, bar=SURE):
    """The medians as Markdown: a kind a row, a recipe a column."""
    columns = medians(results, bar)
    lines = [f"| | {' | '.join(columns)} |", "| --- " * (1 + len(columns)) + "|"]
    for row in ("accuracy", "kept", *KINDS):
        lines.append(f"| {row} | {' | '.join(rows[row] for rows in columns.values())} |")
    return "\n".join(lines)


def at(measured, bar):
    return measured["after, by bar"][str(bar)]


if __name__ == "__main__":
    about = __doc__.splitlines()[0]
    argparse.ArgumentParser("python -m benchmarks.doubt", description=about).parse_args()
    digits, held_back = mnist.load()
    if len(digits.images) != 60_000:
        sys.exit(f"this needs full MNIST, not {digits.source}")
    train, test = pair(digits), pair(held_back)
    rng = np.random.default_rng(0)
    strange = {name: kind(rng, *test, COUNT) for name, kind in KINDS.items()}
    results = read(HERE / "doubt.json") | {"bars": BARS, "pictures of each kind": COUNT}
    taught = {}  # digits only, by nodes and seed: several recipes go on from there
    for name, wanted, seed in tqdm(missing(results), unit=" networks"):
        known = wanted["nodes"], seed
        if known not in taught:
            taught[known] = NeuralNetwork((784, wanted["nodes"], 10), seed=seed)
            taught[known].train(*train, progress=False)
        net, rng = copy.deepcopy(taught[known]), np.random.default_rng(1 + seed)
        runs = results["recipes"][name]["runs"]
        runs.append({"seed": seed} | run(net, wanted, train, test, strange, rng))
        runs.sort(key=lambda each: each["seed"])
        write(HERE / "doubt.json", results)
        tqdm.write(f"{name}, seed {seed}: accuracy {runs[-1]['accuracy']:.4f}")
    for bar in BARS:
        print(f"\nat {bar}:\n\n{table(results, bar)}")
