"""How accurate is the default recipe? python benchmarks/accuracy.py [--seeds 3] [--check]

Trains on all of the training digits and looks at the test digits once, at the end, for each
seed; then the same with the small sample on its own held-out digits. Prints JSON.
With --check it fails if full MNIST is missing or a median is below its limit.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import mnist
from nn import NeuralNetwork

LIMITS = {"full": 0.978, "sample": 0.945}


def default_recipe(train, test, seeds):
    accuracies, seconds = [], []
    for seed in range(seeds):
        start = time.perf_counter()
        net = NeuralNetwork(seed=seed)
        net.train(train.images, train.labels, progress=False)
        seconds.append(round(time.perf_counter() - start, 1))
        accuracies.append(net.accuracy(test.images, test.labels))
    return {
        "digits": len(train.images),
        "test accuracy by seed": accuracies,
        "median": statistics.median(accuracies),
        "seconds": seconds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="fail below the limits")
    arguments = parser.parse_args()
    train, test = mnist.load()
    results = {"sample": default_recipe(*mnist.load_sample(), arguments.seeds)}
    if len(train.images) == 60_000:
        results["full"] = default_recipe(train, test, arguments.seeds)
    print(json.dumps(results, indent=1))
    if arguments.check:
        low = [name for name in LIMITS if results.get(name, {"median": 0})["median"] < LIMITS[name]]
        sys.exit(f"below the limit, or missing: {', '.join(low)}" if low else 0)
