"""Who can read the imagined digits? python -m benchmarks.imagine [--seeds 5] [--picture FILE]

Trains the default recipe with several seeds on full MNIST. Each network draws the ten digits in
several ways, and three judges read them: the network itself (its output for the wanted digit is
the largest, and 0.9 or more), a support vector machine and the three nearest neighbours, both
scikit-learn's, trained on 10,000 training digits. Prints JSON: of ten digits, how many each read.
"""

import argparse
import json
import time

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

import mnist
import plots
from imagine import canvas_of, imagine
from machine import one_thread
from nn import NeuralNetwork, stretch

DIGITS = np.arange(10)


def pseudo_inverse(net, canvas):
    """The backward query with the pseudo-inverse of the weights instead of their transpose."""
    signals = net.as_targets(DIGITS)  # (10, 10)
    for layer in (1, 0):
        z = net.activation(layer).inverse(signals)
        signals = stretch(z @ np.linalg.pinv(net.weights[layer]))  # (10, nodes of the layer before)
    return signals


def bare_descent(net, canvas):
    images = np.full((10, 784), 0.05)
    with one_thread():
        for _ in range(500):
            images = (images - 20 * net.input_gradient(images, DIGITS)).clip(0.01, 0.99)
    return images


WAYS = {
    "backquery, transposed weights": lambda net, canvas: net.backquery(DIGITS),
    "backquery, pseudo-inverse": pseudo_inverse,
    "bare descent on the pixels": bare_descent,
    "canvas": lambda net, canvas: imagine(net, DIGITS, canvas, distance=0, jiggle=0),
    "canvas, jiggled": lambda net, canvas: imagine(net, DIGITS, canvas, distance=0),
    "canvas, at a distance": lambda net, canvas: imagine(net, DIGITS, canvas, jiggle=0),
    "canvas, jiggled, at a distance: imagine": lambda net, canvas: imagine(net, DIGITS, canvas),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        "python -m benchmarks.imagine", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--picture", metavar="FILE", help="draw the last seed's digits, a row a way"
    )
    arguments = parser.parse_args()
    train, _ = mnist.load()
    canvas = canvas_of(train.images)
    known = NeuralNetwork().as_input(train.images[:10_000])  # (10000, 784)
    judges = [SVC(C=5), KNeighborsClassifier(3)]
    for judge in judges:
        judge.fit(known, train.labels[:10_000])

    table = {way: {"network": [], "SVM": [], "neighbours": []} for way in WAYS}
    for seed in range(arguments.seeds):
        net = NeuralNetwork(seed=seed)
        net.train(train.images, train.labels, progress=False)
        drawn = {way: draw(net, canvas) for way, draw in WAYS.items()}
        for way, images in drawn.items():
            outputs, row = net.outputs(images), table[way]
            sure = (outputs.argmax(axis=1) == DIGITS) & (outputs[DIGITS, DIGITS] >= 0.9)
            row["network"].append(int(sure.sum()))
            for name, judge in zip(("SVM", "neighbours"), judges, strict=True):
                row[name].append(int((judge.predict(images) == DIGITS).sum()))
    start = time.perf_counter()
    imagine(net, DIGITS, canvas)
    seconds = round(time.perf_counter() - start, 3)
    result = {"digits": train.source, "read, of ten, by seed": table, "seconds for ten": seconds}
    print(json.dumps(result, indent=1))
    if arguments.picture:
        plots.digits(np.concatenate(list(drawn.values()))).savefig(arguments.picture)
