"""Lesson 8's patients: each is ill for one reason, so one remedy cures it, and no other."""

import numpy as np
import pytest

from lessons import clinic
from optimisers import plain


def treated(patient, held_out, steps=300):
    """The share of the held-out digits that it reads after a short training."""
    net, rng = patient.network(), np.random.default_rng(0)
    x, t = net.as_input(patient.images), net.as_targets(patient.labels)
    for _ in range(steps):
        rows = rng.integers(len(x), size=32)
        slopes, by_biases = net.backprop(x[rows], t[rows], scale=patient.learning_rate)
        plain(net, slopes + by_biases, patient.learning_rate)
    return net.accuracy(*held_out)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("number", "right"),
    [(1, "first weights"), (2, "rate"), (3, "first weights"), (4, "rate"), (5, "labels")],
)
def test_one_remedy_cures(number, right, seed, sample):
    images, labels = sample[0].images, sample[0].labels
    held_out = sample[1].images, sample[1].labels
    patient = clinic.patients(images, labels, seed)[number]
    assert treated(patient, held_out) < 0.3
    after = {
        name: treated(treat(patient), held_out) for name, treat in clinic.remedies(labels).items()
    }
    assert [name for name, accuracy in after.items() if accuracy > 0.6] == [right], after
