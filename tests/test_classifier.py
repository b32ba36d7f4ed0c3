"""The network as a scikit-learn estimator: scikit-learn's own checks, and its tools around it."""

import os
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from conftest import same
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from classifier import DigitClassifier
from nn import NeuralNetwork
from optimisers import nesterov

# A weight of 2 and a row twice are the same but for the rounding of 32-bit numbers, while these two
# checks ask for seven digits; test_a_weight_of_two_is_a_row_twice asks for three.
ROUNDED = dict.fromkeys(
    [f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")],
    "equal, but not to seven digits",
)


@parametrize_with_checks(
    [DigitClassifier(), DigitClassifier(momentum=0.9, learning_rate=None)],
    expected_failed_checks=lambda estimator: ROUNDED,
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits(sample):
    return sample[0].images[:600], sample[0].labels[:600]


def test_it_is_the_network_and_nothing_else(digits):
    images, labels = digits
    classifier = DigitClassifier(hidden_nodes=20, epochs=2, random_state=3).fit(images, labels)
    assert classifier.network_.layers == (784, 20, 10)
    assert np.array_equal(classifier.predict(images), classifier.network_.predict(images))
    assert classifier.score(images, labels) == classifier.network_.accuracy(images, labels)
    assert np.allclose(classifier.predict_proba(images).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["{}", "digit {}"])  # "7", as fetch_openml hands it out
def test_labels_may_be_text(digits, name):
    images, labels = digits
    names = np.array([name.format(label) for label in labels])
    by_name = DigitClassifier(epochs=2, random_state=0).fit(images, names)
    by_label = DigitClassifier(epochs=2, random_state=0).fit(images, labels)
    assert list(by_name.classes_) == sorted(set(names))
    assert by_name.predict(images)[0] in names
    assert by_name.score(images, names) == by_label.score(images, labels)
    as_objects = DigitClassifier(epochs=2, random_state=0).fit(images, names.astype(object))
    assert as_objects.score(images, names.astype(object)) == by_label.score(images, labels)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_fit_is_as_many_partial_fits(digits, momentum):
    knobs = {"hidden_nodes": 20, "momentum": momentum, "random_state": 0}
    fitted = DigitClassifier(epochs=3, **knobs).fit(*digits)
    piecemeal = DigitClassifier(**knobs)
    for _ in range(3):
        piecemeal.partial_fit(*digits, classes=range(10))
    assert fitted.n_iter_ == piecemeal.n_iter_ == 3
    assert fitted.loss_curve_ == piecemeal.loss_curve_
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]
    assert same(fitted.network_, piecemeal.network_)


def test_partial_fit_wants_to_know_all_classes_at_first(digits):
    images, labels = digits
    with pytest.raises(ValueError, match="needs classes"):
        DigitClassifier().partial_fit(images, labels)
    with pytest.raises(ValueError, match="not among the classes"):
        DigitClassifier().partial_fit(images, labels, classes=range(9))
    begun = DigitClassifier(hidden_nodes=5).partial_fit(images, labels, classes=range(10))
    begun.partial_fit(images, labels, classes=[*range(9, -1, -1)])
    with pytest.raises(ValueError, match="classes are .*11.*, but the first call had"):
        begun.partial_fit(images, labels, classes=range(12))
    assert begun.n_iter_ == 2


def test_where_rows_are_few_it_takes_a_thousand_steps():
    for load, goal in ((load_iris, 0.95), (load_digits, 0.97)):
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        classifier = DigitClassifier(random_state=0)
        assert cross_val_score(classifier, *load(return_X_y=True), cv=folds).mean() >= goal
    few = DigitClassifier(random_state=0).fit(*load_iris(return_X_y=True))
    assert few.n_iter_ == 200  # 5 batches each
    many = np.tile(load_iris(return_X_y=True)[0], (30, 1)), np.tile([0, 1, 2], 1500)
    assert DigitClassifier(hidden_nodes=2, random_state=0).fit(*many).n_iter_ == 10
    whole = DigitClassifier(hidden_nodes=2, batch_size=None, random_state=0)
    assert whole.fit(*load_iris(return_X_y=True)).n_iter_ == 1000


# --- Weights of rows ------------------------------------------------------------------------------


def test_a_weight_of_two_is_a_row_twice():
    X, y = load_iris(return_X_y=True)
    weights = np.arange(150) % 3  # 0: as if it were not there
    knobs = {"hidden_nodes": 5, "batch_size": None, "epochs": 100, "random_state": 0}
    weighted = DigitClassifier(**knobs).fit(X, y, sample_weight=weights)
    repeated = DigitClassifier(**knobs).fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    found, right = weighted.predict_proba(X), repeated.predict_proba(X)
    np.testing.assert_allclose(found, right, atol=1e-3)
    assert weighted.loss_curve_[-1] == pytest.approx(repeated.loss_curve_[-1], rel=1e-4)
    plain = DigitClassifier(**knobs).fit(X, y)
    assert abs(found - plain.predict_proba(X)).max() > 0.01


def test_equal_weights_change_nothing_and_only_ratios_count(digits):
    knobs = {"hidden_nodes": 20, "epochs": 2, "random_state": 0}
    plain, sevens = DigitClassifier(**knobs).fit(*digits), np.full(600, 7)
    assert same(plain.network_, DigitClassifier(**knobs).fit(*digits, sevens).network_)
    first = np.where(digits[1] < 5, 1, 3)
    once, tenfold = (DigitClassifier(**knobs).fit(*digits, first * f).network_ for f in (1, 10))
    assert np.allclose(once.weights[0], tenfold.weights[0], atol=1e-5)
    piecemeal = DigitClassifier(**knobs)
    for _ in range(2):
        piecemeal.partial_fit(*digits, classes=range(10), sample_weight=first)
    assert same(piecemeal.network_, once)


def test_what_counts_more_is_missed_less(digits):
    images, labels = digits
    knobs = {"hidden_nodes": 5, "epochs": 3, "random_state": 0}
    often, seldom = (
        DigitClassifier(**knobs).fit(images, labels, np.where(labels == 8, w, 1)).predict(images)
        for w in (20, 0.05)
    )
    eights = labels == 8
    assert (often[eights] == 8).mean() > 0.9 > (seldom[eights] == 8).mean()


@pytest.mark.parametrize("weight", [-1, 0])
@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:invalid value")
def test_weights_that_make_no_sense_are_refused(digits, weight):
    with pytest.raises(ValueError):
        DigitClassifier().fit(*digits, sample_weight=np.full(600, weight))


@pytest.mark.parametrize(
    "knobs",
    [
        {"learning_rate": 0.1},
        {"learning_rate": None},
        {"epochs": 2},
        {"batch_size": 50},
        {"rotations": (10, -10)},
    ],
)
def test_knobs_reach_the_network(digits, knobs):
    classifier = DigitClassifier(**{"hidden_nodes": 20, "epochs": 1, "random_state": 0} | knobs)
    classifier.fit(*digits)
    seed = np.random.RandomState(0).randint(2**31)
    net = NeuralNetwork(
        (784, 20, 10), output="softmax", loss="cross-entropy", biases=True, seed=seed
    )
    usual = {"learning_rate": 0.3, "epochs": 1, "batch_size": 32, "rotations": ()}
    net.train(*digits, **usual | knobs, progress=False)
    assert same(classifier.network_, net)


def test_momentum_is_nesterovs(digits):
    knobs = {"hidden_nodes": 20, "epochs": 1, "random_state": 0}
    rolling = DigitClassifier(momentum=0.9, **knobs).fit(*digits)
    assert list(rolling.network_.memory) == [nesterov(0.9)]
    assert not same(rolling.network_, DigitClassifier(**knobs).fit(*digits).network_)
    with pytest.raises(ValueError, match="momentum"):
        DigitClassifier(momentum=1.0).fit(*digits)


# --- Pixels, and what is none ---------------------------------------------------------------------

FORMS = {
    "a DataFrame of bytes": pd.DataFrame,
    "whole numbers": np.int64,
    "a DataFrame of whole numbers": lambda images: pd.DataFrame(images.astype(int)),
    "floats": np.float64,
    "sparse": lambda images: scipy.sparse.csr_array(images.astype(float)),
    "sparse bytes": scipy.sparse.csr_array,
}


@pytest.fixture(scope="module")
def from_bytes(digits):
    return DigitClassifier(hidden_nodes=20, epochs=2, random_state=0).fit(*digits)


@pytest.mark.parametrize("form", FORMS)
def test_numbers_from_0_to_255_are_pixels_in_whatever_form(digits, from_bytes, form):
    images, labels = FORMS[form](digits[0]), digits[1]
    classifier = DigitClassifier(hidden_nodes=20, epochs=2, random_state=0).fit(images, labels)
    assert classifier.pixels_
    assert same(classifier.network_, from_bytes.network_)
    expected = from_bytes.predict_proba(digits[0])
    assert np.array_equal(classifier.predict_proba(images), expected)
    assert np.array_equal(classifier.predict_proba(digits[0]), expected)  # bytes are pixels, too
    assert np.array_equal(from_bytes.predict_proba(images), expected)


def test_pixels_as_floats_are_learned_from(sample):
    train, test = sample
    classifier = DigitClassifier(random_state=0).fit(train.images.astype(float), train.labels)
    assert classifier.score(test.images.astype(float), test.labels) > 0.9  # unscaled: below 0.5


def test_what_fit_took_for_pixels_stays_pixels(digits, from_bytes):
    """Though a dark picture alone does not look like it, nor one a little out of range."""
    dark = np.minimum(digits[0], 100)
    expected = from_bytes.predict_proba(dark)
    assert np.array_equal(from_bytes.predict_proba(dark.astype(float)), expected)
    sharper = digits[0].astype(float) * 1.2 - 20
    cut = np.rint(sharper.clip(0, 255)).astype(np.uint8)
    assert np.array_equal(from_bytes.predict_proba(sharper), from_bytes.predict_proba(cut))
    piecemeal = DigitClassifier(hidden_nodes=20, random_state=0)
    piecemeal.partial_fit(digits[0].astype(float), digits[1], classes=range(10))
    piecemeal.partial_fit(dark.astype(float), digits[1])
    again = DigitClassifier(hidden_nodes=20, random_state=0)
    again.partial_fit(*digits, classes=range(10)).partial_fit(dark, digits[1])
    assert same(piecemeal.network_, again.network_)


def test_what_fit_did_not_take_for_pixels_stays_as_it_is():
    images, labels = load_digits(return_X_y=True)  # (1797, 64), 0..16
    classifier = DigitClassifier(epochs=2, random_state=0).fit(images, labels)
    assert not classifier.pixels_
    expected = classifier.predict_proba(images)
    assert np.array_equal(classifier.predict_proba(images.astype(np.uint8)), expected)


def other_data(digits):
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    yield load_iris(return_X_y=True)
    yield load_digits(return_X_y=True)
    yield digits[0] / 255, digits[1]  # scaled already
    yield rng.normal(0, 100, (200, 784)), labels  # below 0
    yield rng.uniform(0, 300, (200, 784)), labels  # above 255
    yield rng.integers(0, 200, (200, 100)) // 2, labels  # marks from 0 to 99
    yield rng.integers(0, 200, (200, 99)), labels  # no square
    yield rng.integers(0, 200, (200, 49)), labels  # a small table
    yield scipy.sparse.csr_array(rng.integers(0, 4, (200, 300), np.uint8)), labels  # counts


def test_other_data_stay_the_numbers_they_are(digits):
    for X, y in other_data(digits):
        classifier = DigitClassifier(hidden_nodes=5, epochs=1, random_state=0).fit(X, y)
        assert not classifier.pixels_
        dense = X.toarray() if scipy.sparse.issparse(X) else X
        expected = classifier.network_.outputs(dense.astype(np.float32))
        assert np.array_equal(classifier.predict_proba(X), expected)


# --- Sparse rows ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    x = (rng.random((300, 40)) < 0.2) * rng.integers(1, 4, (300, 40)).astype(float)
    return x, (x[:, 0] > x[:, 1]).astype(int)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_array", "coo_matrix"])
@pytest.mark.parametrize("batch_size", [32, None])
def test_sparse_rows_train_as_dense_ones(rows, kind, batch_size):
    x, labels = rows
    sparse = getattr(scipy.sparse, kind)(x)
    classifier = DigitClassifier(hidden_nodes=8, epochs=3, batch_size=batch_size, random_state=0)
    one, other = classifier.fit(x, labels).network_, classifier.fit(sparse, labels).network_
    assert same(one, other)
    assert one.history == other.history
    assert np.array_equal(classifier.predict_proba(sparse), one.outputs(x.astype(np.float32)))
    assert np.array_equal(classifier.predict(sparse), one.predict(x))
    assert classifier.score(sparse, labels) == one.accuracy(x, labels)


def test_many_sparse_rows_never_become_dense_at_once():
    wide = scipy.sparse.random_array((10_000, 4_000), density=1e-3, format="csr", random_state=0)
    classifier = DigitClassifier(hidden_nodes=2, epochs=1).fit(wide[:100], np.arange(100) % 2)
    tracemalloc.start()
    classifier.predict(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6  # all of them as dense rows of float32: 160 MB


def test_sparse_rows_that_do_not_fit(rows):
    x, labels = scipy.sparse.csr_array(rows[0]), rows[1]
    classifier = DigitClassifier(epochs=1).fit(x, labels)
    with pytest.raises(ValueError, match="expecting 40 features"):
        classifier.predict(x[:, :30])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier.fit(x, labels[1:])
    with pytest.raises(ValueError, match="rotations"):
        DigitClassifier(rotations=(10,)).fit(x, labels)
    x.data[7] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        classifier.fit(x, labels)


# --- Searches -------------------------------------------------------------------------------------


@pytest.fixture
def interrupted(monkeypatch):
    """A Ctrl-C, which is a KeyboardInterrupt in whatever runs: here at the 30th step from now."""
    steps, backprop = [], NeuralNetwork.backprop

    def after_29_steps(*batch, **scale):
        steps.append(1)
        if len(steps) == 30:
            raise KeyboardInterrupt
        return backprop(*batch, **scale)

    monkeypatch.setattr(NeuralNetwork, "backprop", after_29_steps)


@pytest.mark.usefixtures("interrupted")
def test_an_interrupted_fit_does_not_pass_for_a_finished_one(digits):
    classifier = DigitClassifier(hidden_nodes=5, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    assert not hasattr(classifier, "n_iter_")


@pytest.mark.usefixtures("interrupted")
def test_an_interrupted_search_does_not_pass_for_a_finished_one(digits):
    search = GridSearchCV(DigitClassifier(hidden_nodes=5, epochs=3), {"batch_size": [32]}, cv=2)
    with pytest.raises(KeyboardInterrupt):
        search.fit(*digits)
    assert not hasattr(search, "best_score_")


GRID = {"hidden_nodes": [5, 20], "learning_rate": [0.01, 0.3]}


def search(digits):
    classifier = DigitClassifier(epochs=2, random_state=0)
    return GridSearchCV(classifier, GRID, cv=2, n_jobs=2, error_score="raise").fit(*digits)


def test_a_grid_search_finds_the_same_on_a_cluster(digits, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="pip install distributed")
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.setitem(os.environ, name, "134217728")
    serial = search(digits)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        spread = search(digits)
    assert spread.best_params_ == serial.best_params_
    assert np.allclose(spread.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"])
