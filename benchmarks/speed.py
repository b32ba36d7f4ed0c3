"""How fast nn.py trains: ratios, measured in one run, between things that do the same work.

    python benchmarks/speed.py            a table, in a minute or two
    python benchmarks/speed.py --memory   also the peak memory of the whole default training
    python benchmarks/speed.py --json     the same as JSON
    python benchmarks/speed.py --check    exit code 1 if a limit is broken

The work is an epoch of the default recipe: 180,000 digits (60,000 as they are, +10 and -10
degrees), batches of 32, float32. Everybody gets the pixels as bytes, gathers and scales a batch
at a time, and learns by plain gradient descent. Before the clock starts, everybody trains on the
same batches from the same weights, and must end with the same weights.

The peers (pip install -r benchmarks/requirements.txt; one that is not there is left out) learn on
PART of an epoch, their time per digit scaled up, at the better of one and two threads.
Two differences remain. scikit-learn knows neither this loss nor a network without biases: it has
log-loss, softmax and biases, and gets its pixels scaled beforehand. JAX chooses its own threads,
which for a network this small is not its best: on one core (taskset -c 0) it is faster.
"""

import argparse
import contextlib
import copy
import json
import subprocess
import sys
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import scipy.ndimage
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import mnist
from nn import NeuralNetwork, distort, rotate

BATCH, RATE = 32, 3.0
EPOCH = 180_000  # digits
PART = 1_000 * BATCH  # digits on which peers are timed
RECORDS = 600  # digits on which going record by record is timed, each three times
ROUNDS = 3

# --- We ourselves ---------------------------------------------------------------------------------


def products(net):
    """The five matrix products of a step alone, into ready buffers, as often as an epoch needs."""
    w1, w2 = net.weights  # (784, 100), (100, 10)
    x, h, outputs = (np.full((BATCH, nodes), 0.5, np.float32) for nodes in net.layers)
    delta1, delta2, z1, z2, slope = (np.empty_like(a) for a in (h, outputs, h, outputs, h))
    delta1[:], delta2[:] = 0.1, 0.1
    gradient1, gradient2 = np.empty_like(w1), np.empty_like(w2)
    start = time.perf_counter()
    for _ in range(EPOCH // BATCH):
        np.matmul(x, w1, out=z1)
        np.matmul(h, w2, out=z2)
        np.matmul(delta2, w2.T, out=slope)
        np.matmul(h.T, delta2, out=gradient2)
        np.matmul(x.T, delta1, out=gradient1)
    return time.perf_counter() - start


def our_epochs(images, labels, epochs=3):
    """Seconds of each epoch but the first, of the products just after it, and of the preparation.

    The products run inside the callback: within the same thread limit that train sets itself.
    """
    net, seconds, alone = NeuralNetwork(), [], []
    start = time.perf_counter()

    def callback(measurement):
        nonlocal start
        if measurement["epoch"] % 1 == 0:
            seconds.append(time.perf_counter() - start)
            alone.append(products(net))
            start = time.perf_counter()

    net.train(images, labels, epochs=epochs, callback=callback, progress=False)
    first, *rest = seconds
    return rest, alone[1:], first - np.median(rest)


# --- Peers: weights, images, targets, batches -> weights after them, and the seconds --------------


def train_pytorch(weights, images, targets, batches):
    import torch

    linear = [torch.nn.Linear(*w.shape, bias=False) for w in weights]
    for layer, w in zip(linear, weights, strict=True):
        layer.weight.data = torch.tensor(w.T.copy())
    net = torch.nn.Sequential(linear[0], torch.nn.Sigmoid(), linear[1], torch.nn.Sigmoid())
    descent = torch.optim.SGD(net.parameters(), lr=RATE)
    images, targets, batches = map(torch.from_numpy, (images, targets, batches))
    start = time.perf_counter()
    for rows in batches:
        x = images[rows].float().mul_(0.99 / 255).add_(0.01)
        loss = ((net(x) - targets[rows]) ** 2).sum(dim=1).mean() / 2
        descent.zero_grad()
        loss.backward()
        descent.step()
    seconds = time.perf_counter() - start
    return [layer.weight.detach().numpy().T for layer in linear], seconds


@cache
def jax_step():
    import jax

    def loss(weights, x, targets):
        for w in weights:
            x = jax.nn.sigmoid(x @ w)
        return ((x - targets) ** 2).sum(axis=1).mean() / 2

    def step(weights, pixels, targets):
        x = pixels.astype("float32") * (0.99 / 255) + 0.01
        slopes = jax.grad(loss)(weights, x, targets)
        return [w - RATE * slope for w, slope in zip(weights, slopes, strict=True)]

    return jax.jit(step, donate_argnums=0)


def train_jax(weights, images, targets, batches):
    import jax

    step, weights = jax_step(), [jax.numpy.array(w) for w in weights]
    start = time.perf_counter()
    for rows in batches:
        weights = step(weights, images.take(rows, axis=0), targets.take(rows, axis=0))
    jax.block_until_ready(weights)
    return [np.asarray(w) for w in weights], time.perf_counter() - start


def train_scikit_learn(weights, images, targets, batches):
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier(
        (100,),
        activation="logistic",
        solver="sgd",
        alpha=0,
        batch_size=BATCH,
        learning_rate_init=0.1,
        momentum=0,
        max_iter=1,
    )
    rows = batches.ravel()
    x = images[rows] * np.float32(0.99 / 255) + np.float32(0.01)
    labels = targets[rows].argmax(axis=1)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch is too few to converge, it says
        net.fit(x, labels)
    return net.coefs_, time.perf_counter() - start


PEERS = {"PyTorch": train_pytorch, "scikit-learn": train_scikit_learn, "JAX": train_jax}


def threads(count):
    """Limits for NumPy, scikit-learn and PyTorch, as far as they are there."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    return threadpool_limits(count)


# --- Record by record, as the book does it --------------------------------------------------------


def record_by_record(weights, images, targets, degrees=(10, -10), rate=0.1):
    """The book's loop and its train method, but with the exact gradient. Float64, as there."""
    wih, who = (w.T.astype(float) for w in weights)
    start = time.perf_counter()
    for image, target in zip(images, targets, strict=True):
        picture = (image / 255.0 * 0.99 + 0.01).reshape(28, 28)
        turned = (
            scipy.ndimage.rotate(picture, angle, cval=0.01, order=1, reshape=False)
            for angle in degrees
        )
        for shown in (picture, *turned):
            inputs = np.array(shown.ravel(), ndmin=2).T  # (784, 1): a record is a column there
            hidden = 1 / (1 + np.exp(-np.dot(wih, inputs)))
            outputs = 1 / (1 + np.exp(-np.dot(who, hidden)))
            errors = (np.array(target, ndmin=2).T - outputs) * outputs * (1 - outputs)
            hidden_errors = np.dot(who.T, errors) * hidden * (1 - hidden)
            who += rate * np.dot(errors, hidden.T)
            wih += rate * np.dot(hidden_errors, inputs.T)
    return [wih.T, who.T], time.perf_counter() - start


# --- Equal work -----------------------------------------------------------------------------------


def assert_equal_work(images, labels, peers):
    net = NeuralNetwork()
    before, targets = [w.copy() for w in net.weights], net.as_targets(labels)
    order = copy.deepcopy(net.rng).permutation(100 * BATCH)  # the order that train will take
    n = len(order)
    net.train(
        images[:n],
        labels[:n],
        epochs=1,
        learning_rate=RATE,
        batch_size=BATCH,
        rotations=(),
        progress=False,
    )
    for name in peers:
        after, _ = PEERS[name](before, images, targets, order.reshape(-1, BATCH))
        if name != "scikit-learn":
            assert_same_weights(after, net.weights, before, name)

    net = NeuralNetwork(dtype=np.float64)
    before, order = [w.copy() for w in net.weights], copy.deepcopy(net.rng).permutation(100)
    knobs = {"epochs": 1, "learning_rate": 0.1, "batch_size": 1, "rotations": ()}
    net.train(images[:100], labels[:100], progress=False, **knobs)
    after, _ = record_by_record(before, images[order], targets[order].astype(float), degrees=())
    assert_same_weights(after, net.weights, before, "record by record")


def assert_same_weights(found, ours, before, name):
    for a, b, old in zip(found, ours, before, strict=True):
        difference, way = np.linalg.norm(a - b), np.linalg.norm(b - old)
        assert difference < 1e-3 * way, f"{name}: not the same work, {difference:.2g} of {way:.2g}"


# --- The run --------------------------------------------------------------------------------------


def load():
    """60,000 digits to train. What mnist.load says goes to stderr: stdout may be JSON."""
    with contextlib.redirect_stdout(sys.stderr):
        train, _ = mnist.load()
    images, labels, source = train
    if len(images) < EPOCH // 3:
        copies = -(-EPOCH // 3 // len(images))
        images, labels = np.tile(images, (copies, 1)), np.tile(labels, copies)
        source += f", repeated to {EPOCH // 3:,}"
    return images[: EPOCH // 3], labels[: EPOCH // 3], source


def installed():
    modules = {"PyTorch": "torch", "scikit-learn": "sklearn.neural_network", "JAX": "jax"}
    found = []
    for name, module in modules.items():
        with contextlib.suppress(ImportError):
            __import__(module)
            found.append(name)
    return found


def measure(images, labels, peers):
    """Name -> the median over rounds: seconds of ours, and how many of our epochs others take."""
    turned = np.concatenate([images, rotate(images, 10), rotate(images, -10)])
    targets = NeuralNetwork().as_targets(labels)
    all_targets, rng = np.tile(targets, (3, 1)), np.random.default_rng(0)
    weights = NeuralNetwork().weights
    found = {}

    def note(name, value):
        found.setdefault(name, []).append(value)

    for angle in range(ROUNDS):
        start = time.perf_counter()
        rotate(images, angle + 20)  # a new angle each time: its matrix is made too
        note("rotate", time.perf_counter() - start)
        start = time.perf_counter()
        distort(images, rng)
        note("distort", time.perf_counter() - start)

        seconds, alone, preparation = our_epochs(images, labels)
        ours = np.median(seconds)
        note("epoch", ours)
        note("preparation", preparation)
        for epoch, five in zip(seconds, alone, strict=True):
            note("products", epoch / five)

        batches = rng.permutation(EPOCH)[:PART].reshape(-1, BATCH)
        for name in peers:
            best = np.inf
            for count in (1, 2):
                with threads(count):
                    best = min(best, PEERS[name](weights, turned, all_targets, batches)[1])
            note(name, best * EPOCH / PART / ours)

        rows = rng.permutation(len(images))[:RECORDS]
        best = np.inf
        for count in (1, 2):
            with threads(count):
                best = min(best, record_by_record(weights, images[rows], targets[rows])[1])
        note("record by record", best * len(images) / RECORDS / ours)
    return {name: float(np.median(values)) for name, values in found.items()}


MEMORY = """
import resource
import mnist, nn
train, test = mnist.load()
nn.NeuralNetwork().train(train.images, train.labels, progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_memory():
    """MB of a fresh process that reads the digits and trains by the default recipe."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    peak = int(done.stdout.split()[-1])  # in bytes on macOS, in units of 1,024 bytes on Linux
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def row(what, value, unit, at_most=None, at_least=None):
    limit = f"{at_most:g} at most" if at_most else f"{at_least:g} at least"
    held = value <= at_most if at_most else value >= at_least
    return {"what": what, "value": round(value, 3), "unit": unit, "limit": limit, "held": held}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory", action="store_true", help="also measure the peak memory")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is broken")
    asked = parser.parse_args()

    rows = []
    if asked.memory:  # first, while this process is small
        rows.append(row("peak memory, read and train", peak_memory(), "MB", at_most=500))
    peers = installed()
    missing = [name for name in PEERS if name not in peers]
    images, labels, source = load()
    assert_equal_work(images, labels, peers)
    found = measure(images, labels, peers)
    rows.append(row("our epoch / its matrix products", found["products"], "x", at_most=1.6))
    rows += [row(f"{name} / our epoch", found[name], "x", at_least=2) for name in peers]
    slow = found["record by record"]
    rows.append(row("record by record, turned / our epoch", slow, "x", at_least=20))
    rows.append(row("rotate 60,000 digits", found["rotate"], "s", at_most=1))
    rows.append(row("distort 60,000 digits", found["distort"], "s", at_most=1.5))

    seconds = {
        "an epoch": round(found["epoch"], 3),
        "preparation, rotations included": round(found["preparation"], 3),
    }
    if asked.json:
        result = {"digits": source, "rows": rows, "seconds": seconds, "not installed": missing}
        print(json.dumps(result, indent=2))
    else:
        print(f"Digits: {source}. Equal work asserted.")
        for name in missing:
            print(f"{name} is not installed and left out.")
        for r in rows:
            verdict = "held" if r["held"] else "BROKEN"
            print(f"{r['what']:<40} {r['value']:8.2f} {r['unit']:<3} {r['limit']:<14} {verdict}")
        print("Seconds:", ", ".join(f"{what} {value:.2f}" for what, value in seconds.items()))
    if asked.check and not all(r["held"] for r in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
