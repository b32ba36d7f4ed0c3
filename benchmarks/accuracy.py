"""How accurate is a network of a hundred hidden nodes? python -m benchmarks.accuracy [--seeds 5]

Trains the recipes below, from how books do it to the most accurate one, and measures:

- the steps of lesson 6 on 10,000 digits held out of the training set, with three seeds. All
  choices were made on these digits.
- the default recipe on the small sample and its own held-out digits.
- the recipes on the test digits, after training on all 60,000 training digits. Nothing was chosen
  by them, though not all was chosen before: the number and width of looks were studied on held-out
  digits, and changed, after the record's networks had been read with 16 narrower ones.

Results go to accuracy.json and accuracy.png beside this file, after each network: interrupt it
when you like and start it again, and it goes on with the networks that are missing. Those whose
recipe has changed since are trained anew. (It does not see changes in nn.py: after those, delete
accuracy.json.) The record's first network becomes data/digits.npz.

With --check nothing is written: the default recipe is trained anew, on full MNIST and on the small
sample, and so are networks of many shapes with the learning rate that they get by default
(benchmarks/defaults.py). It fails if MNIST is missing, a median is below its limit, or a network
does not learn.
"""

import argparse
import json
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

import mnist
import plots
import storage
from benchmarks import defaults
from distortions import distort, look
from files import written_whole
from lessons import shortcut
from nn import NeuralNetwork, largest
from optimisers import nesterov

HERE = Path(__file__).resolve().parent
LIMITS = {"full": 0.978, "sample": 0.945}
HELD_OUT, LOOKS = 10_000, 64
AVERAGED = f"{LOOKS} looks"
PUBLISHED = {  # test errors in percent, all from LeCun, Bottou, Bengio, Haffner 1998, figure 9
    "300 hidden nodes, distorted digits (1998)": 3.6,
    "300 hidden nodes, straightened digits (1998)": 1.6,
    "LeNet-5, convolutional (1998)": 0.95,
    "LeNet-5, distorted digits (1998)": 0.8,
}

# --- Recipes: options of NeuralNetwork, of its train, and what stands in for its backprop ---------


def falling(rate):
    def learning_rate(done):
        return rate * (1 + np.cos(np.pi * done)) / 2

    learning_rate.__name__ = f"from {rate} down to 0, along half a cosine"
    return learning_rate


SOFTMAX = {"output": "softmax", "loss": "cross-entropy", "biases": True}
ROLLING = {"batch_size": 100, "descend": nesterov(0.9), "learning_rate": falling(0.4)}
FRESH = {"rotations": (), "augment": distort}
RECORD = (SOFTMAX, ROLLING | FRESH | {"descend": nesterov(0.9, 5e-5), "epochs": 200})

RECIPES = {
    # As published (Rashid 2016), with the gradient that is not quite one: lesson 2
    "record by record": ({}, {"batch_size": 1, "learning_rate": 0.1}, shortcut.backprop),
    "default": ({}, {}),
    "record": RECORD,
}
STEPS = {
    "the default": ({}, {}),
    "softmax, cross-entropy, biases": (SOFTMAX, {"learning_rate": 0.3}),
    "momentum, a falling rate": (SOFTMAX, ROLLING),
    "distorted anew, 30 epochs": (SOFTMAX, ROLLING | FRESH | {"epochs": 30}),
    "100 epochs": (SOFTMAX, ROLLING | FRESH | {"epochs": 100}),
    "200 epochs": (SOFTMAX, ROLLING | FRESH | {"epochs": 200}),
    "weight decay": RECORD,
}
PARTS = {"held out": STEPS, "sample": {"default": RECIPES["default"]}, "test": RECIPES}


def in_words(recipe):
    """The recipe as JSON, so that one sees with what a result was made."""

    def name(value):
        return getattr(value, "__name__", repr(value))

    return json.loads(json.dumps(recipe, default=name))


def hold_out(digits, count):
    """(images, labels) to learn from and to choose by, picked at random. The committed results
    were measured on these: another pick, and they must be measured anew."""
    order = np.random.default_rng(0).permutation(len(digits.images))
    return [(digits.images[rows], digits.labels[rows]) for rows in (order[count:], order[:count])]


def run(recipe, seed, train, test, progress=True):
    """The trained network, and how it does. An interrupt goes through to the caller, since half a
    training is no result."""
    options, knobs, *backprop = recipe
    net = NeuralNetwork(**options, seed=seed)
    if backprop:
        net.backprop = partial(backprop[0], net)
    look_of_bar = {"unit": " epochs", "unit_scale": True, "leave": False, "disable": not progress}
    with tqdm(total=knobs.get("epochs", 10), **look_of_bar) as bar:

        def show(measurement):
            bar.update(measurement["epoch"] - bar.n)

        start = time.perf_counter()
        net.train(
            *train, **knobs, callback=show, progress=False
        )  # with its own bar it ends quietly
        seconds = round(time.perf_counter() - start, 1)
    images, labels = test
    return net, {
        "seed": seed,
        "seconds": seconds,
        "one look": net.accuracy(images, labels),
        AVERAGED: float((largest(look(net, images, LOOKS)) == labels).mean()),
    }


# --- The results: what was measured before stays --------------------------------------------------


def read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(path, results):
    text = json.dumps(results, indent=1) + "\n"
    with written_whole(path) as file:
        file.write(text.encode())


def missing(results, seeds):
    """(part, name, recipe, seed) of each network that is still to be trained. What belongs to no
    recipe any more is dropped from the results, and the rest put in order."""
    left = []
    for part, recipes in PARTS.items():
        known = results.get(part, {})
        results[part] = {}
        for name, recipe in recipes.items():
            fits = name in known and known[name]["recipe"] == in_words(recipe)
            runs = known[name]["runs"] if fits else []
            results[part][name] = {"recipe": in_words(recipe), "runs": runs}
            enough = min(seeds, 3) if part == "held out" else seeds
            wanted = set(range(enough)) - {each["seed"] for each in runs}
            left += [(part, name, recipe, seed) for seed in sorted(wanted)]
    return left


def table(results):
    """Errors on the test digits, their median and each seed's, as Markdown for the README."""
    lines = [
        f"| recipe | errors at one look | at {AVERAGED} | seconds of training |",
        "| --- | --- | --- | --- |",
    ]
    for name, known in results["test"].items():
        cells = [name]
        for key in ("one look", AVERAGED):
            errors = [100 * (1 - each[key]) for each in known["runs"]]
            seeds = ", ".join(f"{error:.2f}" for error in errors)
            cells.append(f"**{statistics.median(errors):.2f} %** ({seeds})")
        cells.append(f"{statistics.median(each['seconds'] for each in known['runs']):.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def picture(results):
    """Error against seconds of training: two dots a network, lines for what others published."""
    picture = plots.Picture(plots.WIDTH, 4.5)
    axes = picture.subplots()
    for name, known in results["test"].items():
        seconds = [each["seconds"] for each in known["runs"]]
        for key, color in (("one look", plots.BLUE), (AVERAGED, plots.ORANGE)):
            errors = [100 * (1 - each[key]) for each in known["runs"]]
            axes.plot(seconds, errors, "o", color=color, alpha=0.6)
        highest = 100 * (1 - min(each["one look"] for each in known["runs"]))
        over_dots = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
        axes.annotate(name, (statistics.median(seconds), highest), weight="bold", **over_dots)
    for name, error in PUBLISHED.items():
        axes.axhline(error, color=plots.GREY, linestyle="--", linewidth=1)
        on_line = {"xycoords": ("axes fraction", "data"), "ha": "center", "va": "bottom"}
        axes.annotate(name, (0.44, error), **on_line)
    axes.set(xscale="log", yscale="log", xlabel="seconds of training", ylabel="test errors (%)")
    axes.set(xlim=(5, 1000), ylim=(0.6, 6), xticks=[5, 10, 30, 100, 300, 1000])
    axes.set(yticks=[0.6, 0.8, 1, 1.5, 2, 3, 4, 6])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    axes.legend(axes.get_lines()[:2], ["one look", AVERAGED], loc="upper center")
    return picture


def default_again(train, test, seeds):
    runs = [run(RECIPES["default"], seed, train, test, progress=False)[1] for seed in range(seeds)]
    accuracies = [each["one look"] for each in runs]
    return {"by seed": accuracies, "median": statistics.median(accuracies)}


def check(train, test, seeds):
    """The names of what is below its limit, does not learn or is missing."""
    sample = tuple(map(pair, mnist.load_sample()))
    results, stuck = {"sample": default_again(*sample, seeds)}, defaults.check(*sample)
    if len(train[1]) == 60_000:
        results["full"] = default_again(train, test, seeds)
        stuck += defaults.check_named(train, test)
    print(json.dumps(results, indent=1))
    low = [name for name in LIMITS if results.get(name, {"median": 0})["median"] < LIMITS[name]]
    return low + stuck


def pair(digits):
    return digits.images, digits.labels


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        "python -m benchmarks.accuracy", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="the default recipe and rates only")
    arguments = parser.parse_args()
    digits, held_back = mnist.load()
    train, test = pair(digits), pair(held_back)
    if arguments.check:
        low = check(train, test, arguments.seeds)
        sys.exit(f"below the limit, or missing: {'; '.join(low)}" if low else 0)
    if len(digits.images) != 60_000:
        sys.exit(f"this needs full MNIST, not {digits.source}")
    data = {"held out": hold_out(digits, HELD_OUT), "test": (train, test)}
    data["sample"] = tuple(map(pair, mnist.load_sample()))
    results = read(HERE / "accuracy.json") | {"looks": LOOKS, "published": PUBLISHED}
    for part, name, recipe, seed in tqdm(missing(results, arguments.seeds), unit=" networks"):
        net, measured = run(recipe, seed, *data[part])
        if (part, name, seed) == ("test", "record", 0):
            storage.save(net, HERE.parent / "data" / "digits.npz")
        runs = results[part][name]["runs"]
        runs.append(measured)
        runs.sort(key=lambda each: each["seed"])
        write(HERE / "accuracy.json", results)
        tqdm.write(f"{part}, {name}: {measured}")
    picture(results).savefig(HERE / "accuracy.png", metadata={"Software": None})
    print(table(results))
