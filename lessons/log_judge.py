"""Learn from good and bad requests, then tell how likely another one is bad.

The way of an entry: features, a set of names -> a dictionary, which gives each name a column ->
a row with a 1 in each of its columns -> nn.NeuralNetwork -> the probability that it is bad.

scikit-learn's dictionary makes sparse rows, which keep only their ones. The network takes rows with
the zeros filled in: all of the learning part at once, which is small, later BATCH at a time.
"""

from dataclasses import dataclass

import joblib
import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from lessons.log_features import features
from machine import has_threads
from nn import NeuralNetwork
from optimisers import nesterov

FEWEST = 3  # entries that a feature must be in: from one alone nothing can be learned
MOST_FEATURES = 300  # in the dictionary: the hidden layer is twice as wide
BATCH = 2_000  # entries judged at a time: 2.4 megabytes of rows at most
DECAYS = (0, 0.001, 0.003, 0.01)  # to choose from: how much the weights shrink


@dataclass
class Part:
    """Entries to learn from, to choose by or to test with."""

    entries: list
    labels: np.ndarray  # (n,), 0 good, 1 bad
    sparse: scipy.sparse.csr_matrix  # (n, features), a 1 for each feature that an entry has

    @property
    def rows(self):
        """The same with all zeros filled in."""
        return self.sparse.toarray()


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


def new_dictionary(features=features):
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


def trained(network, rows, labels, validation, **options):
    """A network after its training, and its loss on the validation part."""
    network.train(rows, labels, rotations=(), progress=False, **options)
    return network, network.loss(*validation)


class Judge:
    """Learns from good and bad entries, two lists; then tells how likely others are bad.

    networks     that learn, each from another seed, as many at a time as there are processors;
                 the one with the smallest loss on the validation part is kept
    decays       weight decays: with each of them the first network learns, and the others with
                 the one that had the smallest loss on the validation part
    epochs, learning_rate  of each
    features     what there is to say about an entry: features, with_first_octet or your own
    say          called with a line of text about each network

    `learn`, `choose` and `test` are the three parts: entries, labels, sparse, rows. `decay_losses`
    has a number a weight decay, `validation_losses` a number a network, `tested` counts the test
    part: (2, 2), rows are good and bad entries, columns verdicts. `error` is the fraction of wrong
    verdicts there. ValueError for less than ten entries of a kind, or if they have nothing in
    common.
    """

    def __init__(
        self,
        good,
        bad,
        *,
        networks=4,
        decays=DECAYS,
        epochs=10,
        learning_rate=0.3,
        features=features,
        seed=0,
        say=None,
    ):
        if min(len(good), len(bad)) < 10:
            raise ValueError(
                "ten good and ten bad requests at least are needed to learn from, "
                f"got {len(good)} and {len(bad)} that could be read"
            )
        self.dictionary = new_dictionary(features)
        parts = list(zip(split(good, seed), split(bad, seed), strict=True))
        self.dictionary.fit(sum(parts[0], []))
        self.learn, self.choose, self.test = (
            Part(g + b, np.repeat([0, 1], [len(g), len(b)]), self.dictionary.transform(g + b))
            for g, b in parts
        )
        rows, validation = self.learn.rows, (self.choose.rows, self.choose.labels)

        def train(seeds, decays):
            """A pair (network, loss) for each seed and weight decay."""
            tasks = [
                joblib.delayed(trained)(
                    new_network(rows.shape[1], seed + k),
                    *(rows, self.learn.labels, validation),
                    epochs=epochs,
                    learning_rate=learning_rate,
                    descend=nesterov(momentum=0, decay=decay),
                )
                for k in seeds
                for decay in decays
            ]
            # In threads, as other processes would begin with importing all this: as long as a
            # training. joblib.parallel_config(backend="loky") has processes where that pays.
            return joblib.Parallel(n_jobs=-1 if has_threads() else 1, prefer="threads")(tasks)

        first = train([0], decays)
        self.decay_losses = [loss for _, loss in first]
        best = int(np.argmin(self.decay_losses))
        self.decay = decays[best]
        pairs = [first[best], *train(range(1, networks), [self.decay])]
        self.validation_losses = [loss for _, loss in pairs]
        self.network = pairs[int(np.argmin(self.validation_losses))][0]
        if say:
            for decay, loss in zip(decays, self.decay_losses, strict=True):
                say(f"weight decay {decay}: validation loss {loss:.4f}")
            for loss in self.validation_losses:
                say(f"{self.network.layers}: validation loss {loss:.4f}")
        verdicts = self.probabilities(self.test.entries) > 0.5
        self.tested = np.zeros((2, 2), int)
        np.add.at(self.tested, (self.test.labels, verdicts.astype(int)), 1)
        self.error = (self.tested.sum() - self.tested.trace()) / self.tested.sum()

    def rows(self, entries):
        """A 1 for each feature that an entry has, (n, features), with all zeros filled in."""
        return self.dictionary.transform(entries).toarray()

    def probabilities(self, entries):
        """How likely each entry of a list is bad: (n,), 0..1."""
        batches = (entries[i : i + BATCH] for i in range(0, max(len(entries), 1), BATCH))
        outputs = [self.network.outputs(self.rows(batch)) for batch in batches]  # (BATCH, 2)
        return np.concatenate(outputs)[:, 1]
