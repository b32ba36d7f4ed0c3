"""The network as a scikit-learn estimator: scikit-learn's own checks, and its tools around it."""

import os

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import mnist
from classifier import DigitClassifier


@parametrize_with_checks([DigitClassifier()])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    train, _ = mnist.load_sample()
    return train.images[:600], train.labels[:600]


def test_it_is_the_network_and_nothing_else(digits):
    images, labels = digits
    classifier = DigitClassifier(hidden_nodes=20, epochs=2, random_state=3).fit(images, labels)
    assert classifier.network_.layers == (784, 20, 10)
    assert np.array_equal(classifier.predict(images), classifier.network_.predict(images))
    assert classifier.score(images, labels) == classifier.network_.accuracy(images, labels)
    assert np.allclose(classifier.predict_proba(images).sum(axis=1), 1, atol=1e-5)


def test_labels_may_be_anything(digits):
    images, labels = digits
    names = np.array([f"digit {label}" for label in labels])
    by_name = DigitClassifier(epochs=2, random_state=0).fit(images, names)
    by_label = DigitClassifier(epochs=2, random_state=0).fit(images, labels)
    assert list(by_name.classes_) == sorted(set(names))
    assert by_name.score(images, names) == by_label.score(images, labels)


def test_fit_is_as_many_partial_fits(digits):
    fitted = DigitClassifier(hidden_nodes=20, epochs=3, random_state=0).fit(*digits)
    piecemeal = DigitClassifier(hidden_nodes=20, random_state=0)
    for _ in range(3):
        piecemeal.partial_fit(*digits, classes=range(10))
    assert fitted.n_iter_ == piecemeal.n_iter_ == 3
    assert fitted.loss_curve_ == piecemeal.loss_curve_
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0]
    for one, other in zip(fitted.network_.weights, piecemeal.network_.weights, strict=True):
        assert np.array_equal(one, other)


def test_partial_fit_wants_to_know_all_classes_at_first(digits):
    images, labels = digits
    with pytest.raises(ValueError, match="needs classes"):
        DigitClassifier().partial_fit(images, labels)
    with pytest.raises(ValueError, match="not among the classes"):
        DigitClassifier().partial_fit(images, labels, classes=range(9))


def test_rotations_reach_the_network(digits):
    plain, turned = (
        DigitClassifier(hidden_nodes=20, epochs=1, rotations=angles, random_state=0).fit(*digits)
        for angles in ((), (10, -10))
    )
    assert not np.array_equal(plain.network_.weights[0], turned.network_.weights[0])


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
