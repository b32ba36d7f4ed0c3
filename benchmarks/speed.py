"""How fast nn.py trains: ratios, measured in one run, between things that do the same work.

    python -m benchmarks.speed            tables, in about three minutes
    python -m benchmarks.speed --json     the same as JSON
    python -m benchmarks.speed --check    exit code 1 if a limit is broken

First the whole default run, in a process of its own: from the CSV to the test accuracy. Then
batches of 1 to 2,000 digits, each trained for a moment in turn, several times over: the median is
scaled to 60,000 digits. Once quietly, and once while two other processes keep two processors busy.
Then the same training in the main thread and in a fresh one, as a panel has it.

What is compared with the peers is an epoch of the default recipe: 180,000 digits (60,000 as they
are, +10 and -10 degrees), batches of 32, float32. Everybody gets the pixels as bytes, gathers and
scales a batch at a time, and learns by plain gradient descent. Before the clock starts, everybody
trains on the same batches from the same weights, and must end with the same weights.

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
import threading
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import scipy.ndimage
from threadpoolctl import threadpool_limits

import mnist
from distortions import distort
from nn import NeuralNetwork, rotate

ROOT = Path(__file__).resolve().parent.parent

BATCH, RATE = 32, 3.0
EPOCH = 180_000  # digits
PART = 1_000 * BATCH  # digits on which peers are timed
RECORDS = 600  # digits on which going record by record is timed, each three times
ROUNDS = 3
SIZES = (1, 2, 4, 8, 16, 32, 64, 100, 127, 128, 256, 512, 1000, 2000)  # of batches
MOMENT, TURNS = 0.25, 9  # seconds for which each of them is trained, and how many times

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


# --- The whole run, batch sizes, threads ----------------------------------------------------------

WHOLE = """
import json, pathlib, re, resource, time
stages, before = {}, [0.0, START]
def done(stage):
    now = [time.process_time(), time.time()]
    stages[stage] = [round(b - a, 2) for a, b in zip(before, now)]
    before[:] = now
import mnist, nn
done("Python and imports")
train, test = mnist.load()
done("read the CSV")
net = nn.NeuralNetwork()
net.train(
    train.images,
    train.labels,
    each_step=lambda fraction: "turn" in stages or done("turn"),
    progress=False,
)
done("train")
accuracy = net.accuracy(test.images, test.labels)
done("test")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
status = pathlib.Path("/proc/self/status")
if status.exists():  # Linux counts in ru_maxrss what the parent had when this began, too
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])
print(json.dumps({"digits": train.source, "accuracy": accuracy, "stages": stages, "peak": peak}))
"""


def whole_run():
    """Of the default recipe in a fresh process: seconds (of the processor, of the clock) of each
    stage, accuracy, and the peak memory in MB."""
    script = WHOLE.replace("START", str(time.time()))
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    # The system counts in bytes on macOS, in units of 1,024 bytes on Linux.
    found["peak"] *= 1e-6 if sys.platform == "darwin" else 1024e-6
    found["stages"]["in all"] = [
        round(sum(s), 2) for s in zip(*found["stages"].values(), strict=True)
    ]
    return found


class Enough(Exception):
    pass


def seconds_by_size(images, labels):
    """Batch size -> seconds for 60,000 digits."""
    found = {size: [] for size in SIZES}
    for _ in range(TURNS):
        for size in SIZES:
            found[size].append(a_moment(images, labels, size))
    return {size: float(np.median(seconds)) for size, seconds in found.items()}


def a_moment(images, labels, batch_size):
    """Train for MOMENT seconds; from what is done by then, the seconds for 60,000 digits."""
    epochs, found, start = 10, [], None

    def each_step(done):
        nonlocal start
        now = time.perf_counter()
        start = start or now  # what comes before the first step is not counted
        if now - start > MOMENT:
            found.append((now - start) / (done * epochs * len(images)) * 60_000)
            raise Enough

    with contextlib.suppress(Enough):
        NeuralNetwork().train(
            images,
            labels,
            epochs=epochs,
            learning_rate=0.01,
            batch_size=batch_size,
            rotations=(),
            each_step=each_step,
            progress=False,
        )
    return found[0]


@contextlib.contextmanager
def busy_loops(count=2):
    """Within it so many other processes keep as many processors busy."""
    loop = [sys.executable, "-c", "while True: pass"]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen(loop))
            stack.callback(process.kill)  # before the wait at the end of its own with
        yield


def slowest(seconds):
    """(ratio, size): how many times as long as for the best smaller size a digit takes at most."""
    sizes = list(seconds)
    return max(
        (seconds[size] / min(seconds[smaller] for smaller in sizes[:i]), size)
        for i, size in enumerate(sizes)
        if i
    )


def thread_ratio(images, labels, digits=12_000):
    """How many times as long a training takes in a fresh thread as in the main thread. Both must
    end with the same weights."""
    images, labels, ratios = images[:digits], labels[:digits], []

    def train(found):
        net, start = NeuralNetwork(), time.perf_counter()
        net.train(images, labels, epochs=2, rotations=(), progress=False)
        found.append((time.perf_counter() - start, net.weights))

    for _ in range(TURNS):
        found = []
        train(found)
        thread = threading.Thread(target=train, args=[found])
        thread.start()
        thread.join()
        (main, expected), (fresh, weights) = found
        same = all((a == b).all() for a, b in zip(weights, expected, strict=True))
        assert same, "a fresh thread ends with other weights"
        ratios.append(fresh / main)
    return float(np.median(ratios))


# --- The tables -----------------------------------------------------------------------------------


def row(what, value, unit, at_most=None, at_least=None):
    limit = f"{at_most:g} at most" if at_most else f"{at_least:g} at least"
    held = value <= at_most if at_most else value >= at_least
    return {"what": what, "value": round(value, 3), "unit": unit, "limit": limit, "held": held}


def main():
    parser = argparse.ArgumentParser(
        "python -m benchmarks.speed", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--check", action="store_true", help="exit code 1 if a limit is broken")
    asked = parser.parse_args()

    whole = whole_run()
    rows = [
        row(
            "the whole run, seconds of the processor", whole["stages"]["in all"][0], "s", at_most=12
        )
    ]
    rows.append(row("peak memory of the whole run", whole["peak"], "MB", at_most=430))
    peers = installed()
    missing = [name for name in PEERS if name not in peers]
    images, labels, source = load()
    curves = {"quiet": seconds_by_size(images, labels)}
    with busy_loops():
        curves["busy"] = seconds_by_size(images, labels)
    for when, curve in curves.items():
        ratio, size = slowest(curve)
        what = f"a digit, {when}, in batches of {size:,} / best smaller"
        rows.append(row(what, ratio, "x", at_most=1.2))
    ratio = thread_ratio(images, labels)
    rows.append(row("in a fresh thread / in the main one", ratio, "x", at_most=1.2))
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
        result = {"digits": source, "rows": rows, "seconds": seconds, "whole run": whole}
        print(json.dumps(result | {"by batch size": curves, "not installed": missing}, indent=2))
    else:
        print(f"Digits: {source}. Equal work asserted.")
        for name in missing:
            print(f"{name} is not installed and left out.")
        for r in rows:
            verdict = "held" if r["held"] else "BROKEN"
            print(f"{r['what']:<52} {r['value']:8.2f} {r['unit']:<3} {r['limit']:<14} {verdict}")
        print("Seconds:", ", ".join(f"{what} {value:.2f}" for what, value in seconds.items()))
        print(f"\nThe whole run ({whole['digits']}; accuracy {whole['accuracy']:.2%}), seconds:")
        print(f"{'':<24}{'processor':>10}{'clock':>10}")
        for stage, (processor, clock) in whole["stages"].items():
            print(f"{stage:<24}{processor:10.2f}{clock:10.2f}")
        print("\nSeconds for 60,000 digits:")
        print(f"{'batch size':<12}" + "".join(f"{size:>7,}" for size in SIZES))
        for when, curve in curves.items():
            print(f"{when:<12}" + "".join(f"{curve[size]:7.2f}" for size in SIZES))
    if asked.check and not all(r["held"] for r in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
