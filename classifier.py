"""The network as a scikit-learn estimator, so that its tools work with it: pipelines, scores,
cross-validation, parallel search over the knobs.

The contract is scikit-learn's: https://scikit-learn.org/stable/developers/develop.html
The constructor only keeps the knobs, what is learned ends with an underscore, and any inputs and
any classes will do. There is no second training loop here: fit calls NeuralNetwork.train.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from nn import CHUNK, NeuralNetwork
from optimisers import nesterov

STEPS = 1_000  # at least, where epochs is None


class WeightedNetwork(NeuralNetwork):
    """Its rows of targets may be multiplied by how much each example counts, above 0 and up to 1:
    a row that adds up to 1/2 counts half as much, in the loss and in its slopes. `average` is that
    of all rows; dividing by it keeps loss and steps as large as without weights."""

    average = 1.0

    def as_targets(self, labels):
        return labels if np.ndim(labels) == 2 else super().as_targets(labels)

    def deltas(self, activations, targets, scale=1.0, loss=None):
        weights = targets.sum(axis=1, keepdims=True)  # (B, 1)
        if (weights == 1).all():
            return super().deltas(activations, targets, scale / self.average, loss)
        scale = scale / self.average * weights  # (B, 1)
        return super().deltas(activations, targets / weights, scale, loss)

    def judge(self, z, targets):
        loss, accuracy = super().judge(z, targets)
        return loss / self.average, accuracy


class DigitClassifier(ClassifierMixin, BaseEstimator):
    """A network of one hidden layer of sigmoids and a softmax, with biases and cross-entropy.

    hidden_nodes    nodes in the hidden layer
    epochs          times through all rows; None: ten, or more where rows are so few that ten
                    would make less than a thousand steps
    learning_rate, batch_size, rotations
                    as in NeuralNetwork.train; rotations turn square pictures
    momentum        from 0 to below 1: how much of the last step is in the next
    random_state    a seed, a RandomState, or None for another network at each fit

    Inputs are an array, a DataFrame, or sparse, and stay the numbers they are, except for pixels,
    which the network scales. Bytes are pixels, unless sparse: those are counts. Other numbers are
    pixels if each row can be a square picture of 8 x 8 or more, all are from 0 to 255, and some
    above 127. The first fit decides for all that comes after. Columns of other numbers that differ
    much in size want scaling first: make_pipeline(StandardScaler(), DigitClassifier()).

    After fit: classes_ (the labels, sorted), n_features_in_, pixels_ (whether the inputs are),
    network_ (the NeuralNetwork), n_iter_ (epochs trained) and loss_curve_ (the loss five times an
    epoch).
    """

    def __init__(
        self,
        hidden_nodes=100,
        learning_rate=0.3,
        epochs=None,
        batch_size=32,
        momentum=0.0,
        rotations=(),
        random_state=None,
    ):
        self.hidden_nodes = hidden_nodes
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.momentum = momentum
        self.rotations = rotations
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Train a new network on X (n, inputs) and the labels y (n,). sample_weight (n,), from 0,
        says how much each row counts; only their ratios matter. Sparse rows take as much memory as
        dense ones here: their zeros are filled in, all at once."""
        return self._train(X, y, None, sample_weight, self.epochs, reset=True)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch. The first call needs all classes that will ever come."""
        new = not hasattr(self, "network_")
        if new and classes is None:
            raise ValueError("the first call of partial_fit needs classes, all labels there are")
        if new:
            return self._train(X, y, classes, sample_weight, epochs=1, reset=True)
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            found = f"classes are {np.unique(classes)}, but the first call had {self.classes_}"
            raise ValueError(f"{found}; fit begins anew, with others")
        return self._train(X, y, self.classes_, sample_weight, epochs=1, reset=False)

    def _train(self, X, y, classes, sample_weight, epochs, reset):
        X, y = self._checked(X, y, reset)
        check_classification_targets(y)
        classes = np.unique(y if classes is None else classes)
        unknown = np.setdiff1d(y, classes)
        if len(unknown):
            raise ValueError(f"y has labels that are not among the classes: {unknown}")
        if reset:
            seed = check_random_state(self.random_state).randint(2**31)
            layers = (X.shape[1], self.hidden_nodes, max(2, len(classes)))
            self.classes_, self.pixels_ = classes, are_pixels(X)
            self.network_ = WeightedNetwork(
                layers, output="softmax", loss="cross-entropy", biases=True, seed=seed
            )
        targets, self.network_.average = np.searchsorted(classes, y), 1.0
        if sample_weight is not None:
            X, targets = self._weighted(X, targets, sample_weight)
        if epochs is None:
            epochs = max(10, -(-STEPS // -(-X.shape[0] // (self.batch_size or X.shape[0]))))
        self.network_.train(
            self._rows(X),
            targets,
            epochs=epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            rotations=self.rotations,
            descend=nesterov(self.momentum),
            progress=False,
        )
        self.n_iter_ = round(self.network_.epoch)
        self.loss_curve_ = [measurement["loss"] for measurement in self.network_.history]
        return self

    def _weighted(self, X, targets, sample_weight):
        """The rows that count, and their targets (n, classes), times weights of 1 at most."""
        weights = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        counts = weights > 0
        if not counts.any():  # older versions of scikit-learn let this pass
            raise ValueError("sample_weight: expected one or more above 0")
        weights = weights[counts, None] / weights.max()  # (n, 1)
        self.network_.average = float(weights.mean())
        rows = self.network_.as_targets(targets[counts]) * weights  # (n, classes)
        return X[counts], rows.astype(np.float32)

    def _checked(self, X, y="no_validation", reset=False):
        """Bytes as bytes, all else as float32, both perhaps sparse."""
        dtypes = [np.float32, np.uint8]
        return validate_data(self, X, y, reset=reset, accept_sparse="csr", dtype=dtypes)

    def _rows(self, X):
        """Rows for the network: bytes, which it takes for pixels, or float32. None is sparse."""
        X = X.toarray() if issparse(X) else X
        if self.pixels_ and X.dtype != np.uint8:
            levels = X.clip(0, 255)
            return np.rint(levels, out=levels).astype(np.uint8)
        return X if self.pixels_ else X.astype(np.float32, copy=False)

    def predict_proba(self, X):
        """The probabilities (n, classes), in the order of classes_."""
        check_is_fitted(self)
        X = self._checked(X)
        chunks = (self._rows(X[i : i + CHUNK]) for i in range(0, X.shape[0], CHUNK))
        outputs = np.concatenate([self.network_.outputs(chunk) for chunk in chunks])
        return outputs[:, : len(self.classes_)]

    def predict(self, X):
        """The most probable label of each row, (n,)."""
        probabilities = self.predict_proba(X)  # first, as it complains where fit was forgotten
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def are_pixels(X):
    """Whether the numbers of X (n, inputs) are grey levels, 0 to 255: see DigitClassifier."""
    inputs, low, high = X.shape[1], X.min(), X.max()
    square = inputs >= 64 and round(inputs**0.5) ** 2 == inputs
    picture = square and low >= 0 and 127 < high <= 255
    return bool(picture or (X.dtype == np.uint8 and not issparse(X)))
