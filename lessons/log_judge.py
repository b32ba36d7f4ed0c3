"""Learn from good and bad requests, then tell how likely another one is bad.

The way of an entry: features, a set of names -> a dictionary, which gives each name a column ->
a row with a 1 in each of its columns -> nn.NeuralNetwork -> the probability that it is bad.

scikit-learn's dictionary makes sparse rows, which keep only their ones. The network takes rows with
the zeros filled in: all of the learning part at once, which is small, later BATCH at a time.
"""

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from lessons.log_features import features
from nn import NeuralNetwork

FEWEST = 3  # entries that a feature must be in: from one alone nothing can be learned
MOST_FEATURES = 300  # in the dictionary: the hidden layer is twice as wide
BATCH = 2_000  # entries judged at a time: 2.4 megabytes of rows at most


def split(entries, seed=0):
    """Three lists, 60, 20 and 20 % of the entries: to learn from, to choose by, to test with. The
    requests of an address stay together, since they are so alike that to know one is to know the
    others; only at the two cuts an address may be divided, so that the parts have their sizes
    even if one address sent nearly all."""
    addresses = shuffle(sorted({entry.address for entry in entries}), random_state=seed)
    place = {address: n for n, address in enumerate(addresses)}
    by_address = sorted(entries, key=lambda entry: place[entry.address])
    learn, others = train_test_split(by_address, train_size=0.6, shuffle=False)
    return [learn, *train_test_split(others, train_size=0.5, shuffle=False)]


def new_dictionary():
    """It gives a column to each feature that FEWEST entries have, or, if that are too many, to the
    most frequent ones. When it reads, features that it did not learn are ignored."""
    return CountVectorizer(
        analyzer=lambda entry: sorted(features(entry)),  # a set has another order in each run
        binary=True,
        min_df=FEWEST,
        max_features=MOST_FEATURES,
        dtype=np.float32,
    )


def new_network(inputs, seed):
    return NeuralNetwork(
        (inputs, 2 * inputs, 2),
        hidden="sigmoid",
        output="softmax",
        loss="cross-entropy",
        biases=True,
        seed=seed,
    )


class Judge:
    """Learns from good and bad entries, two lists; then tells how likely others are bad.

    networks     that learn, each from another seed; the one with the smallest loss on the
                 validation part is kept
    epochs, learning_rate  of each
    say          called with a line of text after each network

    `validation_losses` has a number a network, `tested` counts the test part: (2, 2), rows are
    good and bad entries, columns verdicts. `error` is the fraction of wrong verdicts there.
    ValueError for less than ten entries of a kind, or if they have nothing in common.
    """

    def __init__(self, good, bad, *, networks=4, epochs=10, learning_rate=0.3, seed=0, say=None):
        if min(len(good), len(bad)) < 10:
            raise ValueError(
                "ten good and ten bad requests at least are needed to learn from, "
                f"got {len(good)} and {len(bad)} that could be read"
            )
        parts = zip(split(good, seed), split(bad, seed), strict=True)
        (learn, labels), choose, test = (
            (g + b, np.repeat([0, 1], [len(g), len(b)])) for g, b in parts
        )
        self.dictionary = new_dictionary()
        x = self.dictionary.fit_transform(learn).toarray()  # (n, features)
        validation = self.rows(choose[0]), choose[1]
        knobs = {"epochs": epochs, "learning_rate": learning_rate}
        trained, self.validation_losses = [], []
        for k in range(networks):
            network = new_network(x.shape[1], seed + k)
            network.train(x, labels, rotations=(), progress=False, **knobs)
            trained.append(network)
            self.validation_losses.append(network.loss(*validation))
            if say:
                say(f"{network.layers}: validation loss {self.validation_losses[-1]:.4f}")
        self.network = trained[int(np.argmin(self.validation_losses))]
        self.tested = np.zeros((2, 2), int)
        np.add.at(self.tested, (test[1], (self.probabilities(test[0]) > 0.5).astype(int)), 1)
        self.error = (self.tested.sum() - self.tested.trace()) / self.tested.sum()

    def rows(self, entries):
        """A 1 for each feature that an entry has, (n, features), with all zeros filled in."""
        return self.dictionary.transform(entries).toarray()

    def probabilities(self, entries):
        """How likely each entry of a list is bad: (n,), 0..1."""
        batches = (entries[i : i + BATCH] for i in range(0, max(len(entries), 1), BATCH))
        outputs = [self.network.outputs(self.rows(batch)) for batch in batches]  # (BATCH, 2)
        return np.concatenate(outputs)[:, 1]
