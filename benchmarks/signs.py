"""Does a network learn a new hand, and keep the old? python -m benchmarks.signs

To networks of the default recipe, and to the shipped one, are taught: six new signs, from ten
drawings each (three sets of signs); and digits as many people write them, but not those of MNIST:
1s with a long flag and 9s with a hook, from one, three and ten drawings of each. Asked are a
hundred further drawings of each, and the test digits: how many of them are read right before, and
after?

Nobody drew these: a program does, with a trembling hand (by_hand in nonsense.py). How much is
shown in signs.teach, and at which rate, was chosen with two networks (seeds 0 and 1, trained on
55,000 digits), the other 5,000, and other shapes, trembled in another way.

Results go to signs.json beside this file.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from tqdm.auto import tqdm

import mnist
import signs
import storage
from benchmarks.accuracy import pair, write
from distortions import distort
from nn import NeuralNetwork
from nonsense import LETTERS, by_hand

HERE = Path(__file__).resolve().parent
SEEDS = 5
TRIANGLE, HEART = "04-20-44-04", "24-02-00-10-21-30-40-42-24"
SETS = [[TRIANGLE, HEART, *(LETTERS[name] for name in names)] for names in ("AHKM", "CEPW", "FRUX")]
HANDS = {1: "02-20-24", 9: "31-20-10-01-12-22-31-33-24-14"}
FURTHER = 100


def asked(net, shapes, labels, seed):
    """Percent of further drawings that it reads right, of each shape."""
    rng = np.random.default_rng(seed)
    read = net.predict(by_hand(rng, np.repeat(shapes, FURTHER))).reshape(-1, FURTHER)
    return (100 * (read == np.array(labels)[:, None]).mean(axis=1)).tolist()


def taught(net, known, test, shapes, labels, each, seed):
    """What a network does after it was taught, and what it did before."""
    images = by_hand(np.random.default_rng(seed), np.repeat(shapes, each))
    begun = time.perf_counter()
    after = signs.teach(net, images, np.repeat(labels, each), known, seed=seed)
    seconds = time.perf_counter() - begun  # without the measuring below
    return {
        "drawings of each": each,
        "read before": asked(net, shapes, labels, 100 + seed),
        "read": asked(after, shapes, labels, 100 + seed),
        "lost": 100 * (net.accuracy(*test) - after.accuracy(*test)),
        "seconds": seconds,
    }


def run(net, known, test):
    new = [taught(net, known, test, SETS[n], range(10, 16), 10, n) for n in range(len(SETS))]
    hands = [taught(net, known, test, [*HANDS.values()], [*HANDS], n, n) for n in (1, 3, 10)]
    return {"signs": new, "hands": hands}


def table(results):
    """Medians of the networks: (what, read before, read, points of the digits lost, seconds)."""
    rows = {}
    for found in results["networks"].values():
        for one in found["signs"]:
            rows.setdefault("six new signs, ten drawings each", []).append(one)
        for one in found["hands"]:
            many = f"{one['drawings of each']} drawing" + "s" * (one["drawings of each"] > 1)
            rows.setdefault(f"flagged 1s and hooked 9s, {many} of each", []).append(one)
    for what, found in rows.items():
        read = [[np.mean(one[when]) for one in found] for when in ("read before", "read")]
        numbers = [*read, [one["lost"] for one in found], [one["seconds"] for one in found]]
        yield what, *map(median, numbers)


if __name__ == "__main__":
    about = __doc__.splitlines()[0]
    argparse.ArgumentParser("python -m benchmarks.signs", description=about).parse_args()
    digits, held_back = mnist.load()
    if len(digits.images) != 60_000:
        sys.exit(f"this needs full MNIST, not {digits.source}")
    train, test = pair(digits), pair(held_back)
    known = distort(train[0], np.random.default_rng(0)), train[1]
    networks = {}
    for seed in tqdm(range(SEEDS), unit=" networks"):
        net = NeuralNetwork(seed=seed)
        net.train(*train, progress=False)
        networks[f"seed {seed}"] = run(net, known, test)
    networks["shipped"] = run(storage.load(HERE.parent / "data" / "digits.npz"), known, test)
    write(HERE / "signs.json", {"further drawings": FURTHER, "networks": networks})
    for row in table({"networks": networks}):
        print("{}: {:.0f} % -> {:.1f} %, digits lose {:.2f} points, {:.2f} s".format(*row))
