"""lessons/log_judge.py: learning from good and bad requests, and what is known of others."""

import joblib
import numpy as np
import pytest
from conftest import same

from lessons import log_judge
from lessons.log_features import features, with_first_octet
from lessons.log_judge import Judge, new_dictionary, split
from lessons.log_lines import parse
from lessons.simulated_log import simulate

LINE = '1.2.3.4 - - [20/Dec/2011:15:00:03 +0400] "{}" 200 5 "-" "{}"'


@pytest.fixture(scope="module")
def logs():
    """Parsed: 1,500 simulated lines of visitors, as many of bots."""
    return [[parse(line) for line in log] for log in simulate(1_500, seed=3)]


@pytest.fixture(scope="module")
def judge(logs):
    return Judge(*logs, networks=2, epochs=3, decays=(0, 0.01))


def addresses(entries):
    return {entry.address for entry in entries}


def test_split_is_60_20_20_and_keeps_addresses_together(logs):
    parts = split(logs[0])
    assert [len(part) for part in parts] == [900, 300, 300]
    assert sorted(sum(parts, [])) == sorted(logs[0])
    assert sum(len(addresses(part)) for part in parts) - len(addresses(logs[0])) <= 2


def test_split_of_a_single_address():
    entries = [parse(LINE.format(f"GET /{n} HTTP/1.1", "-")) for n in range(10)]
    parts = split(entries)
    assert [len(part) for part in parts] == [6, 2, 2]
    assert sorted(sum(parts, [])) == sorted(entries)


def test_split_is_another_one_with_another_seed(logs):
    assert split(logs[0]) == split(logs[0])
    learn, again = addresses(split(logs[0], seed=0)[0]), addresses(split(logs[0], seed=1)[0])
    assert 0.4 < len(learn & again) / len(learn) < 0.9  # 60 %, had all addresses asked as often


def test_split_gives_busy_addresses_to_no_part_rather_than_another(logs):
    """Else the network would learn from busy addresses and be tested on the others."""
    means = [[len(p) / len(addresses(p)) for p in split(logs[1], seed)] for seed in range(20)]
    learn, choose, test = np.mean(means, axis=0)  # requests an address
    assert learn == pytest.approx(choose, rel=0.1)
    assert learn == pytest.approx(test, rel=0.1)


def test_dictionary_is_bounded_and_ignores_what_it_does_not_know(judge, logs):
    x = judge.rows([logs[0][0], parse(LINE.format("QUX *", "never seen"))])
    assert type(x) is np.ndarray
    assert x.dtype == np.float32
    assert set(x.ravel()) == {0, 1}
    found = set(judge.dictionary.get_feature_names_out()[x[0] == 1])
    assert found == features(logs[0][0]) & set(judge.dictionary.vocabulary_)
    assert "__UA___PLAIN_never seen" not in judge.dictionary.vocabulary_
    many = [parse(LINE.format(f"GET /?{n % 500}=1 HTTP/1.1", "-")) for n in range(2_000)]
    assert new_dictionary().fit_transform(many).shape == (2_000, 300)


def test_judge_learns_and_keeps_the_network_with_the_smallest_loss(judge, logs):
    inputs = len(judge.dictionary.vocabulary_)
    assert judge.network.layers == (inputs, 2 * inputs, 2)
    assert (judge.network.hidden, judge.network.output) == ("sigmoid", "softmax")
    parts = [split(log) for log in logs]
    x = judge.rows(parts[0][1] + parts[1][1])
    labels = np.repeat([0, 1], [300, 300])
    assert judge.network.measure(x, labels)[0] == min(judge.validation_losses)
    assert len(set(judge.validation_losses)) == 2
    assert judge.choose.entries == parts[0][1] + parts[1][1]
    assert np.array_equal(judge.choose.rows, x)
    assert np.array_equal(judge.choose.labels, labels)
    assert len(judge.learn.entries) == len(judge.learn.labels) == judge.learn.sparse.shape[0]
    assert judge.test.entries == parts[0][2] + parts[1][2]
    assert judge.tested.sum() == 600
    assert judge.error < 0.3  # by chance 0.5; so few bots teach little
    called_bad = [(judge.probabilities(part[2]) > 0.5).sum() for part in parts]
    assert called_bad == judge.tested[:, 1].tolist()


def test_the_weight_decay_is_the_one_with_the_smallest_loss(judge):
    assert len(set(judge.decay_losses)) == 2
    assert judge.decay == (0, 0.01)[int(np.argmin(judge.decay_losses))]
    assert judge.validation_losses[0] == min(judge.decay_losses)  # the first network's


def test_same_seed_same_judge_also_if_the_networks_learn_one_after_the_other(judge, logs):
    with joblib.parallel_config(backend="sequential"):
        again = Judge(*logs, networks=2, epochs=3, decays=(0, 0.01))
    assert again.decay_losses == judge.decay_losses
    assert again.validation_losses == judge.validation_losses
    assert same(again.network, judge.network)
    assert again.dictionary.vocabulary_ == judge.dictionary.vocabulary_


def test_many_entries_are_judged_in_batches(judge, logs, monkeypatch):
    """So that the rows of a long log, with all zeros filled in, never are in memory at once."""
    entries = logs[0][:250]
    at_once, sizes, rows = judge.probabilities(entries), [], judge.rows

    def watched(batch):
        sizes.append(len(batch))
        return rows(batch)

    monkeypatch.setattr(judge, "rows", watched)
    monkeypatch.setattr(log_judge, "BATCH", 100)
    assert np.allclose(judge.probabilities(entries), at_once)
    assert sizes == [100, 100, 50]
    assert judge.probabilities([]).shape == (0,)


def test_judge_tells_how_it_gets_on(logs):
    told = []
    judge = Judge(*logs, networks=2, epochs=1, decays=(0, 0.01), say=told.append)
    losses = judge.decay_losses + judge.validation_losses
    assert [f"{loss:.4f}" for loss in losses] == [text.split()[-1] for text in told]


def test_judge_learns_from_the_features_it_is_handed(logs):
    judge = Judge(*logs, networks=1, epochs=1, decays=(0,), features=with_first_octet)
    assert "__ADDRESS___FIRST_198" in judge.dictionary.vocabulary_
    assert judge.probabilities(logs[0][:3]).shape == (3,)


def test_too_little_to_learn_from(logs):
    with pytest.raises(ValueError, match="ten good and ten bad"):
        Judge(logs[0], logs[1][:9])
