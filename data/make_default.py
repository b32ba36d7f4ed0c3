"""Make default.npz, the network that neural_network.ipynb saves: python -m data.make_default

Needs full MNIST. The same digits are held out, so that `backtrack.ipynb` shows what you will see
with a network of your own. Same seed, same machine, same weights; about 15 seconds.
"""

import sys
from pathlib import Path

from sklearn.model_selection import train_test_split

import mnist
import storage
from nn import NeuralNetwork

if __name__ == "__main__":
    train, test = mnist.load()
    if len(train.images) != 60_000:
        sys.exit(f"this needs full MNIST, not {train.source}")
    images, _, labels, _ = train_test_split(
        train.images, train.labels, test_size=1 / 12, random_state=0
    )
    net = NeuralNetwork(seed=0)
    net.train(images, labels, progress=False)
    storage.save(net, Path(__file__).parent / "default.npz")
    print(f"{net.accuracy(test.images, test.labels):.2%} of the test digits")
