"""Who can read what the networks write? python -m benchmarks.pen [--picture FILE]

The shipped network and five of the default recipe, trained on full MNIST, write the ten digits
each. Four judges read them: the network itself (its output for the wanted digit is the largest, and
0.9 or more), a support vector machine and the three nearest neighbours, trained on 10,000 training
digits, and a small convolutional network (PyTorch), trained on all. Prints JSON: of ten digits, how
many each reads, by network, and the seconds of one core that ten take. Most numbers of `write` were
set by what the seeds 0 to 2 wrote, but each of the six was looked at at some time: none judges
blindly.

And a person? `--sheet sheet.png key.json` lays out all sixty, shuffled and numbered, without a
name, and puts what they should be into another file. Let somebody who has not seen the key read
the sheet.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch.nn import Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from torch.nn.functional import cross_entropy

import mnist
import plots
import storage
from imagine import canvas_of
from nn import NeuralNetwork
from pen import write

DIGITS = np.arange(10)


class Convolutional:
    """Two convolutions with pooling, then two full layers; three epochs of Adam."""

    def fit(self, x, labels, epochs=3, seed=1):
        torch.manual_seed(seed)
        self.layers = Sequential(
            *(Conv2d(1, 24, 5), ReLU(), MaxPool2d(2)),
            *(Conv2d(24, 32, 5), ReLU(), MaxPool2d(2)),
            *(Flatten(), Linear(512, 100), ReLU(), Linear(100, 10)),
        )
        images, labels = pictures(x), torch.tensor(labels).long()
        adam = torch.optim.Adam(self.layers.parameters())
        for _ in range(epochs):
            for rows in torch.randperm(len(images)).split(100):
                adam.zero_grad()
                cross_entropy(self.layers(images[rows]), labels[rows]).backward()
                adam.step()

    def predict(self, x):
        with torch.no_grad():
            return self.layers(pictures(x)).argmax(dim=1).numpy()


def pictures(x):
    return torch.tensor(np.float32(x)).view(-1, 1, 28, 28)


def sheet(images, seed=0):
    """The pictures shuffled and numbered from 1, and the digits they should be, in that order."""
    order = np.random.default_rng(seed).permutation(len(images))
    numbers = [f"{n}" for n in range(1, len(images) + 1)]
    return plots.digits(images[order], numbers), [int(n) % 10 for n in order]


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m benchmarks.pen", description=__doc__.split("\n")[0])
    parser.add_argument("--picture", metavar="FILE", help="draw the digits, a row a network")
    parser.add_argument("--sheet", nargs=2, metavar=("FILE", "KEY"), help="all, to be read blindly")
    arguments = parser.parse_args()
    train, test = mnist.load()
    canvas = canvas_of(train.images)
    known = NeuralNetwork().as_input(train.images)  # (60000, 784)
    judges = {"SVM": SVC(C=5), "neighbours": KNeighborsClassifier(3)}
    for judge in judges.values():
        judge.fit(known[:10_000], train.labels[:10_000])
    judges["convolutional"] = Convolutional()
    judges["convolutional"].fit(known, train.labels)
    right = judges["convolutional"].predict(NeuralNetwork().as_input(test.images)) == test.labels

    nets = {"shipped": storage.load("data/digits.npz")}
    for seed in range(5):
        nets[f"seed {seed}"] = NeuralNetwork(seed=seed)
        nets[f"seed {seed}"].train(train.images, train.labels, progress=False)
    table = {name: {} for name in nets}
    rows = []
    for name, net in nets.items():
        start = time.process_time()
        rows.append(write(net, DIGITS, canvas).images)
        table[name]["seconds"] = round(time.process_time() - start, 1)
        outputs = net.outputs(rows[-1])
        sure = (outputs.argmax(axis=1) == DIGITS) & (outputs[DIGITS, DIGITS] >= 0.9)
        table[name]["network"] = int(sure.sum())
        for judge, model in judges.items():
            table[name][judge] = int((model.predict(rows[-1]) == DIGITS).sum())
    result = {
        "digits": train.source,
        "accuracy of the convolutional network": round(float(right.mean()), 4),
        "read, of ten, by network": table,
    }
    print(json.dumps(result, indent=1))
    if arguments.picture:
        picture = plots.digits(np.concatenate(rows))
        picture.savefig(arguments.picture, metadata={"Software": None})
    if arguments.sheet:
        picture, key = sheet(np.concatenate(rows))
        picture.savefig(arguments.sheet[0], metadata={"Software": None})
        Path(arguments.sheet[1]).write_text(json.dumps(key) + "\n", encoding="utf-8")
