"""lessons/simulated_log.py: seeded, in the format of real logs, and not too easy to tell apart."""

from lessons.log_features import features
from lessons.log_lines import parse
from lessons.simulated_log import simulate


def test_simulation_is_seeded_readable_and_overlaps():
    logs = simulate(2_000, seed=5)
    assert logs == simulate(2_000, seed=5)
    assert logs != simulate(2_000, seed=6)
    good, bad = ({frozenset(features(parse(line))) for line in log} for log in logs)
    assert good & bad
    assert [len(log) for log in logs] == [2_000, 2_000]
    assert all(log == sorted(log, key=lambda line: line.split()[3]) for log in logs)


def test_its_addresses_are_nobodys():
    for log in simulate(500):
        for line in log:
            assert parse(line).address.startswith(("198.18.", "198.19.", "2001:db8::"))
