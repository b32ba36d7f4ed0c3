"""The published figures of lesson 1: one neuron."""

import numpy as np
import pytest
from conftest import WHOLE_BATCH
from sklearn.linear_model import LogisticRegression

from nn import NeuralNetwork


def test_spam_filter_of_two_words():
    net = NeuralNetwork((2, 1), biases=True, dtype=np.float64)
    net.weights[0][:, 0], net.biases[0][:] = [7, 3], -5
    words = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert [f"{output:.6f}" for output in net.outputs(words)[:, 0]] == [
        "0.006693",
        "0.119203",
        "0.880797",
        "0.993307",  # as published, of the sum 5
    ]
    assert net.predict(words).tolist() == [0, 0, 1, 1]  # what a step answers


@pytest.mark.parametrize("seed", range(3))
def test_one_neuron_is_logistic_regression_to_two_decimals(seed):
    rng, labels = np.random.default_rng(seed), np.arange(300) % 2
    x = rng.gamma(2, np.where(labels[:, None] == 1, [0.75, 0.6], [0.25, 0.4]))
    net = NeuralNetwork((2, 1), loss="cross-entropy", biases=True, dtype=np.float64)
    net.train(x, labels[:, None], epochs=5000, learning_rate=1, **WHOLE_BATCH)
    peer = LogisticRegression(C=np.inf, tol=1e-8).fit(x, labels)
    assert np.allclose(net.weights[0][:, 0], peer.coef_[0], rtol=0, atol=0.005)
    assert np.allclose(net.biases[0], peer.intercept_, rtol=0, atol=0.005)
    assert np.array_equal(net.predict(x), peer.predict(x))


@pytest.mark.parametrize("seed", range(3))
def test_one_neuron_cannot_learn_exclusive_or(seed):
    corners, targets = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    net = NeuralNetwork((2, 1), loss="cross-entropy", biases=True, seed=seed, dtype=np.float64)
    with pytest.warns(UserWarning, match="same answer"):
        net.train(corners, targets, epochs=5000, learning_rate=1, **WHOLE_BATCH)
    assert np.allclose(net.outputs(corners), 0.5, atol=0.01)
