"""What the tests share: digits, a trained network, and small helpers to import from here."""

import time
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import machine
import mnist
from nn import NeuralNetwork

ROOT = Path(__file__).resolve().parent.parent
TOY = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
XOR = np.array([[0], [1], [1], [0]])
PATIENCE = 300  # seconds, as a machine may be busy; nothing is waited for that has happened
WHOLE_BATCH = {"batch_size": None, "rotations": (), "progress": False}


@pytest.fixture(scope="session")
def sample():
    """The repository's 4,000 + 1,000 digits, also where the full MNIST has been fetched."""
    return mnist.load_sample()


@pytest.fixture(scope="session")
def trained(sample):
    """The default recipe on the sample. All tests share this network: do not change it."""
    net = NeuralNetwork()
    net.train(sample[0].images, sample[0].labels, progress=False)
    return net


@pytest.fixture
def digits(sample):
    """200 images and labels: enough to see that something is learned."""
    return sample[0].images[:200].copy(), sample[0].labels[:200].copy()


def small(seed=0, **options):
    return NeuralNetwork((784, 12, 10), seed=seed, **options)


def copied(net):
    return [parameter.copy() for parameter in net.weights + net.biases]


def same(one, other):
    """Whether two networks have the same weights and biases, bit for bit."""
    pairs = copied(one), copied(other)
    return len(pairs[0]) == len(pairs[1]) and all(map(np.array_equal, *pairs))


def batches_of(net):
    """The batches (x, targets) that train hands to backprop from now on."""
    seen, backprop = [], net.backprop

    def watched(x, targets, scale=1.0):
        seen.append((np.array(x), np.array(targets)))
        return backprop(x, targets, scale=scale)

    net.backprop = watched
    return seen


def blas_threads():
    """How many threads NumPy's BLAS may use: a list, as there may be more than one such library.
    (SciPy brings a BLAS of its own, with which nothing here multiplies.)"""
    ours = {library.filepath for library in machine._blas}
    return [pool["num_threads"] for pool in threadpool_info() if pool["filepath"] in ours]


def wait_until(true):
    """Until `true()` is. AssertionError if that takes longer than PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


# --- Gradients ------------------------------------------------------------------------------------


def network_x_targets(layers, **options):
    """A network in float64 and four examples, every sum a little away from 0, where relu has no
    slope."""
    for seed in range(1000):
        net = NeuralNetwork(layers, seed=seed, dtype=np.float64, **options)
        rng = np.random.default_rng(seed)
        for bias in net.biases:
            bias += rng.normal(0, 0.5, bias.shape)
        x = rng.uniform(-1, 1, (4, layers[0]))
        targets = rng.uniform(0.1, 0.9, (4, layers[-1]))
        if net.output == "softmax":
            targets /= targets.sum(axis=1, keepdims=True)
        if clear_of_the_kink(net, x) and abs(net.input_gradient(x, targets)).max() > 1e-4:
            return net, x, targets
    raise AssertionError("no seed keeps clear of relu's kink")


def clear_of_the_kink(net, x):
    activations = net.forward(x)
    sums = [net.sums(activations[layer], layer) for layer in range(len(net.weights))]
    return min(abs(z).min() for z in sums) > 1e-3


def exact_slopes(net, x, targets):
    """What backpropagation finds: by each weight, by each bias, by the inputs."""
    by_weights, by_biases = net.backprop(x, targets)
    assert len(by_weights) == len(net.weights)
    assert len(by_biases) == len(net.biases)
    return [*by_weights, *by_biases, net.input_gradient(x, targets)]


def measured_slopes(net, x, targets, step=1e-5):
    """The same by central differences: how much the loss changes with each number."""
    return [
        central_differences(lambda: net.loss(x, targets), parameter, step)
        for parameter in [*net.weights, *net.biases, x]
    ]


def central_differences(loss, parameter, step):
    found = np.empty_like(parameter)
    for i in np.ndindex(parameter.shape):
        value = parameter[i]
        parameter[i] = value + step
        above = loss()
        parameter[i] = value - step
        below = loss()
        parameter[i] = value
        found[i] = (above - below) / (2 * step)
    return found


def relative_error(one, other):
    assert one.shape == other.shape
    sizes = np.linalg.norm(one) + np.linalg.norm(other)
    return np.linalg.norm(one - other) / max(sizes, np.finfo(float).tiny)
