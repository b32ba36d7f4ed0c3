"""Can dreams teach? And are they many? python -m benchmarks.dreams [--seeds 5]

Taught by dreams: newborn networks, 784-100-10, that have seen nothing but what a teacher dreamt are
tested on MNIST's 10,000 test digits. The teachers are the default recipe with five seeds; and the
shipped network of the record recipe, with five newborns. *Names only* means that of each picture
the newborn is told which digit the teacher takes it for, else it is told the teacher's ten answers.
Dreams and scribbles are a pen's: of real digits it knows how wide a stroke is, how large a digit
and that it is centred by its ink. Smooth noise is mixed from the canvas, so it knows how the pixels
of real digits vary. Seconds are those that one core worked.

Many, not one: a hundred pictures of each digit, dreamt by the first teacher. How many does an
independent convolutional network (PyTorch) read right, how far are they from the nearest training
digit, and how widely are they spread, each beside the same for real digits?

All choices were made with a teacher of seed 10, trained on 50,000 of the training digits: what
newborns learn, by the other 10,000; how a hundred are dreamt, by the eye and by what the shipped
network reads. But three things were set after the convolutional network had read some of the first
teacher's: that they are drawn towards what is imagined, and by the whole network, and that the
surest of 500 are kept instead of 300, of which it read 98.9 %. So it is no blind judge.

Results go to dreams.json and dreams.png beside this file, after each teacher: interrupt it when you
like and start it again, and it goes on. (It does not see changes in the code: after those, delete
dreams.json.)
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.neighbors import NearestNeighbors
from tqdm.auto import tqdm

import mnist
import pen
import plots
import storage
from benchmarks.accuracy import ROLLING, SOFTMAX, falling, read, write
from distortions import distort
from dreams import ALIKE, as_bytes, dream, surest, taught_with
from imagine import canvas_of, imagine
from nn import NeuralNetwork

HERE = Path(__file__).resolve().parent
MANY, FEW, EACH = 200_000, 60_000, 100  # pictures to teach with; pictures of each digit
STEPS = 60  # of descent for pictures that are to be looked at
TEACHERS = ["default recipe", "record recipe"]


# --- Taught by dreams -----------------------------------------------------------------------------


def teacher(recipe, seed, train):
    """There is one network of the record recipe; its seeds are those of newborns and dreams."""
    if recipe == "record recipe":
        return storage.load(HERE.parent / "data" / "digits.npz")
    net = NeuralNetwork(seed=seed)
    net.train(train.images, train.labels, progress=False)
    return net


def newborn(images, targets, seed, epochs, **knobs):
    """A network that has seen nothing else, trained much as lesson 6 does."""
    net = NeuralNetwork(**SOFTMAX, seed=100 + seed)
    knobs = ROLLING | {"epochs": epochs, "rotations": (), "progress": False} | knobs
    net.train(images, targets, **knobs)
    return net


def answers(net, images):
    """The teacher's ten, as shares of 1, as the newborn's are."""
    outputs = net.outputs(images)
    return outputs / outputs.sum(axis=1, keepdims=True)


def noise(canvas, count, seed):
    """The canvas's mean and directions, mixed by chance."""
    amounts = np.random.default_rng(seed).normal(0, 1, (count, len(canvas.directions)))
    return as_bytes((canvas.mean + amounts.astype(np.float32) @ canvas.directions).clip(0.01, 1))


def means(images, labels):
    """The mean picture of each digit, (10, 784), bytes."""
    return as_bytes(0.01 + 0.99 / 255 * np.array([images[labels == d].mean(0) for d in range(10)]))


def from_ten(images, seed):
    """A newborn that has seen ten pictures, in each epoch distorted anew and in noise."""

    def strongly(x, rng):
        x = distort(x, rng, degrees=24, scale=0.24, shear=0.3, shift=2.4)
        return x + rng.normal(0, 0.3, x.shape).astype(np.float32)

    x = NeuralNetwork().as_input(np.repeat(images, 100, axis=0))  # (1000, 784)
    digits = np.repeat(range(10), 100)
    return newborn(x, digits, seed, 20, augment=strongly, learning_rate=falling(0.2))


def scribbled(count, seed):
    """What a pen draws that goes anywhere."""
    rng, images = np.random.default_rng(seed), []
    for _ in range(0, count, 1000):
        points, curve = pen.beginnings(rng, rng.integers(0, 3, 1000))  # (1000, 12, 2)
        hand = pen.trembling(rng, 1000, points.shape[1])
        images.append(as_bytes(pen.trace(points, curve, hand)[0]))
    return np.concatenate(images)[:count]


def dreams(net, seed, canvas, train):
    """Row -> the pictures and what the newborn is told of them, how often it sees each; and one of
    ten pictures, which are the means of what the teacher gave one name."""
    images = taught_with(net, MANY, seed=seed)
    names = net.predict(images)
    yield "dreams, names only", newborn(images, names, seed, 8)
    yield "dreams, ten answers", newborn(images, answers(net, images), seed, 8)
    yield "ten dreams, each the mean of many", from_ten(means(images, names), seed)


def others(net, seed, canvas, train):
    """The same for what nobody dreamt, and for what is real."""
    for kind, images in {
        "scribbles": scribbled(FEW, seed),
        "smooth noise on the canvas": noise(canvas, FEW, seed),
    }.items():
        yield f"{kind}, names only", newborn(images, net.predict(images), seed, 10)
        yield f"{kind}, ten answers", newborn(images, answers(net, images), seed, 10)
    yield "ten imagined", from_ten(as_bytes(imagine(net, range(10), canvas)), seed)
    picked = [np.flatnonzero(train.labels == digit)[seed] for digit in range(10)]
    yield "ten real digits", from_ten(train.images[picked], seed)
    yield "ten means of all real digits", from_ten(means(train.images, train.labels), seed)


def measured(rows, test):
    """Row -> accuracy, and seconds of one core; what rows share counts in the first."""
    found, start = {}, time.process_time()
    for name, net in rows:
        seconds = round(time.process_time() - start, 1)
        found[name] = {"accuracy": net.accuracy(test.images, test.labels), "seconds": seconds}
        start = time.process_time()
    return found


# --- Many, not one --------------------------------------------------------------------------------


def compared(net, canvas, train, judge):
    """Figures on a hundred dreamt pictures of each digit beside a hundred real ones; and both."""
    wanted = np.repeat(range(10), 5 * EACH)
    start = time.process_time()
    written = dream(net, wanted, canvas, steps=STEPS)
    images, digits = surest(net, written.images, wanted, EACH)  # (1000, 784), in order
    seconds = round(time.process_time() - start, 1)
    known = net.as_input(train.images)
    order = np.argsort(train.labels, kind="stable")
    begins = np.searchsorted(train.labels[order], range(10))
    real = known[np.concatenate([order[i : i + EACH] for i in begins])]  # (1000, 784), in order
    nearest = NearestNeighbors(n_neighbors=2).fit(known)
    apart = {
        "dreamt, to the nearest training digit": nearest.kneighbors(images)[0][:, 0],
        "real, to the nearest other training digit": nearest.kneighbors(real)[0][:, 1],
    }
    found = {
        "dreamt": len(wanted),
        "kept": len(images),
        "seconds": seconds,
        "read right by the convolutional network": float((judge.predict(images) == digits).mean()),
        "alike": int((pdist(images) < ALIKE).sum()),
        "distances, their 0, 5, 25, 50, 75, 95, 100 percentiles": {
            name: np.percentile(d, [0, 5, 25, 50, 75, 95, 100]).round(2).tolist()
            for name, d in apart.items()
        },
        "spread of each digit, dreamt over real": {
            "mean distance to the mean": ratios(from_mean, images, real),
            "mean distance of two": ratios(lambda x: pdist(x).mean(), images, real),
        },
    }
    return found, images, real


def from_mean(x):
    return np.linalg.norm(x - x.mean(axis=0), axis=1).mean()


def ratios(spread, images, real):
    pairs = zip(images.reshape(10, EACH, -1), real.reshape(10, EACH, -1), strict=True)
    return [round(float(spread(one) / spread(other)), 2) for one, other in pairs]


def page(images, real, digit=3):
    """A hundred that were dreamt beside a hundred real ones."""
    picture = plots.Picture(plots.WIDTH, 4.2)
    pages = {"dreamt": images, "written by people": real}
    for axes, (name, pictures) in zip(picture.subplots(1, 2), pages.items(), strict=True):
        grid = pictures.reshape(10, 10, 10, 28, 28)[digit].transpose(0, 2, 1, 3).reshape(280, 280)
        axes.imshow(grid, cmap="gray_r", vmin=0, vmax=1)
        axes.set(xticks=[], yticks=[], title=name)
    return picture


# --- The results: what was measured before stays --------------------------------------------------


def missing(results, seeds):
    """(part, recipe, seed) of what is still to be measured, seed by seed."""
    wanted = [
        (part, recipe, seed)
        for seed in range(seeds)
        for part in PARTS
        for recipe in TEACHERS
        if (part, recipe) != ("others", "record recipe") or seed == 0
    ]
    known = {(run["part"], run["teacher"], run["seed"]) for run in results["taught"]}
    return [each for each in wanted if each not in known]


def table(results):
    """Accuracies on the test digits, in percent, as Markdown: the median and each seed's."""
    lines = ["| teacher | its newborn learned from | test accuracy, % |", "| --- | --- | --- |"]
    for recipe in TEACHERS:
        runs = [run for run in results["taught"] if run["teacher"] == recipe]
        rows = {name: [] for run in runs for name in run["rows"]}
        for run in sorted(runs, key=lambda run: run["seed"]):
            for name, row in run["rows"].items():
                rows[name].append(100 * row["accuracy"])
        for name, accuracies in rows.items():
            each = ", ".join(f"{accuracy:.2f}" for accuracy in accuracies)
            median = statistics.median(accuracies)
            lines.append(f"| {recipe} | {name} | **{median:.2f}** ({each}) |")
    return "\n".join(lines)


PARTS = {"dreams": dreams, "others": others}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        "python -m benchmarks.dreams", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    train, test = mnist.load()
    if len(train.images) != 60_000:
        sys.exit(f"this needs full MNIST, not {train.source}")
    canvas, results = canvas_of(train.images), {"taught": []} | read(HERE / "dreams.json")
    if "many" not in results:
        from benchmarks.pen import Convolutional  # PyTorch

        judge, net = Convolutional(), teacher("default recipe", 0, train)
        judge.fit(net.as_input(train.images), train.labels)
        results["many"], images, real = compared(net, canvas, train, judge)
        write(HERE / "dreams.json", results)
        page(images, real).savefig(HERE / "dreams.png", metadata={"Software": None})
    for part, recipe, seed in tqdm(missing(results, arguments.seeds), unit=" teachers"):
        net = teacher(recipe, seed, train)
        itself = {"accuracy": net.accuracy(test.images, test.labels), "seconds": 0}
        rows = {"(the teacher itself)": itself} if part == "dreams" else {}
        rows |= measured(PARTS[part](net, seed, canvas, train), test)
        run = {"part": part, "teacher": recipe, "seed": seed, "rows": rows}
        results["taught"].append(run)
        write(HERE / "dreams.json", results)
        tqdm.write(f"{part}, {recipe}, {seed}: {rows}")
    print(table(results))
