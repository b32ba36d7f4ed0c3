"""Who reads real handwriting? python -m benchmarks.handwriting FOLDER [NETWORK.npz ...]

FOLDER has pictures of one digit each and labels.csv with the columns file, label and kind. They are
your own: none are kept here. Another yardstick are scikit-learn's 1,797 digits of 8 x 8 pixels
(load_digits: another hand, another scanner). Results, as shares of 1, go to handwriting.json beside
this file; a picture that is refused counts as not read.
"""

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import handwriting
import storage
from distortions import look
from files import written_whole

HERE = Path(__file__).resolve().parent


def prepared(pictures):
    """Images (n, 784), all 0 where a picture is refused; and the seconds that the slowest took."""
    images, slowest = np.zeros((len(pictures), 784), np.uint8), 0
    for row, picture in enumerate(pictures):
        start = time.perf_counter()
        try:
            images[row] = handwriting.from_picture(picture)
        except ValueError as error:
            print(error)
        slowest = max(slowest, time.perf_counter() - start)
    return images, slowest


def read(net, images, labels, kinds, looks):
    right = (look(net, images, looks).argmax(axis=1) == labels) & images.any(axis=1)
    of = {kind: kinds == kind for kind in sorted(set(kinds))}
    return {"all": len(right), "read": round(float(right.mean()), 4)} | {
        kind: round(float(right[rows].mean()), 4) for kind, rows in of.items()
    }


def main():
    parser = argparse.ArgumentParser(
        "python -m benchmarks.handwriting", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("networks", nargs="*", default=["data/digits.npz", "data/default.npz"])
    choices = parser.parse_args()
    with (choices.folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    scanned = load_digits()
    sets = {
        "pictures": (
            [choices.folder / row["file"] for row in rows],
            np.array([int(row["label"]) for row in rows]),
            np.array([row["kind"] for row in rows]),
        ),
        "load_digits": (
            [np.pad(image, 4) for image in scanned.images],  # some paper around
            scanned.target,
            np.array([f"digit {digit}" for digit in scanned.target]),
        ),
    }
    results = {}
    for name, (pictures, labels, kinds) in sets.items():
        images, slowest = prepared(pictures)
        results[name] = {"refused": int((~images.any(axis=1)).sum()), "slowest": round(slowest, 2)}
        for path in choices.networks:
            net = storage.load(path)
            for looks in (1, 16):
                found = read(net, images, labels, kinds, looks)
                results[name][f"{Path(path).stem}, looks {looks}"] = found
                print(f"{name}, {Path(path).stem}, {looks} looks: {found['read']:.1%}")
    with written_whole(HERE / "handwriting.json") as file:
        file.write(json.dumps(results, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main()
