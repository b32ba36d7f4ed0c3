"""The pen: its ink, its exact slopes, and what a network writes with it."""

import json

import numpy as np
import pytest
from conftest import ROOT, central_differences, copied, relative_error, small

import pen
from activations import LOSSES
from imagine import canvas_of
from nn import NeuralNetwork


@pytest.fixture(scope="module")
def canvas(sample):
    return canvas_of(sample[0].images)


def doubles(values):
    return type(values)(*(value.astype(np.float64) for value in values))


# --- The path -------------------------------------------------------------------------------------


def test_a_stroke_goes_from_its_first_point_to_its_last_without_a_gap():
    curve = pen.spline((7, 5))
    points = np.random.default_rng(0).normal(14, 5, (12, 2))
    places, moves = curve.along @ points, curve.moves @ points
    begins, ends = places - moves / 2, places + moves / 2
    assert places.shape == moves.shape == (48, 2)
    assert np.allclose(begins[1:28], ends[:27], atol=1e-4)  # 7 of 12 points: 28 of 48 pieces
    assert np.allclose(begins[29:], ends[28:-1], atol=1e-4)
    assert np.linalg.norm(begins[28] - ends[27]) > 1  # here the pen is lifted
    for place, point in ((begins[0], 0), (ends[27], 6), (begins[28], 7), (ends[-1], 11)):
        assert np.allclose(place, points[point], atol=1e-4)


def test_a_ring_ends_where_it_begins_and_has_no_first_point():
    curve = pen.ring(12)
    points = np.random.default_rng(0).normal(14, 5, (12, 2))
    places, moves = curve.along @ points, curve.moves @ points
    assert np.allclose((places + moves / 2), np.roll(places - moves / 2, -1, axis=0), atol=1e-4)
    turned = np.roll(points, 1, axis=0)  # each point is four pieces later
    assert np.allclose(curve.along @ turned, np.roll(places, 4, axis=0), atol=1e-4)
    assert np.allclose(curve.bends @ turned, np.roll(curve.bends @ points, 1, axis=0), atol=1e-4)


def test_a_fitted_path_is_high_as_mnists_digits_and_centred_by_its_ink():
    curve = pen.Curve(*(matrix[None] for matrix in pen.spline((12,))))
    for wide in (0.1, 1, 10):
        points = pen.scribbles(np.random.default_rng(0), np.zeros(20, bool), 12) * [1, wide]
        points = pen.fitted(points, curve)
        size = np.ptp(curve.along @ points, axis=1)
        assert np.allclose(size[:, 0], 17.5) and size[:, 1].max() < 15.01
        x = pen.ink(curve.along @ points, curve.moves @ points).reshape(-1, 28, 28) - 0.01
        middle = [(x * np.arange(28)[:, None]).sum(), (x * np.arange(28)).sum()] / x.sum()
        assert np.allclose(middle, 13.5, atol=0.7)


# --- The ink --------------------------------------------------------------------------------------


def line(pieces):
    """A path down the column 14, from row 4 to row 24."""
    moves = np.tile([20 / pieces, 0], (1, pieces, 1))
    return np.array([4, 14]) + moves * (np.arange(pieces) + 0.5)[:, None], moves


def test_the_ink_of_a_line_is_that_of_the_formula():
    picture = pen.ink(*line(200)).reshape(28, 28)
    beside = np.abs(np.arange(28) - 14)
    expected = 1 - np.exp(-pen.DARKNESS * np.exp(-(beside**2) / (2 * pen.WIDTH**2)))
    assert np.allclose(picture[14], 0.01 + 0.99 * expected, atol=1e-3)
    assert picture.min() == pytest.approx(0.01) and picture[0].max() < 0.02


def test_a_slow_pen_leaves_no_more_ink_than_a_hasty_one():
    assert np.allclose(pen.ink(*line(40)), pen.ink(*line(400)), atol=0.02)


def test_a_part_of_the_path_is_a_part_of_the_ink():
    places, moves = line(20)
    whole, part = pen.ink(places, moves), pen.ink(places[:, :9], moves[:, :9])
    assert (part <= whole).all() and part.reshape(28, 28)[20:].max() < 0.02


def test_so_far_is_the_ink_of_the_first_pieces_at_any_size():
    written = pen.Written(pen.ink(*line(48)), *line(48))
    assert np.allclose(pen.so_far(written, 48), written.images)
    assert np.allclose(pen.so_far(written, 0), 0.01)
    part = pen.so_far(written, [24]).reshape(28, 28)
    assert part[8, 14] > 0.9 and part[20:].max() < 0.02
    large = pen.so_far(written, 48, 84).reshape(28, 3, 28, 3).mean(axis=(1, 3))
    assert abs(large.ravel() - written.images[0]).max() < 0.12  # as dark, in nine times the pixels


# --- The slopes -----------------------------------------------------------------------------------


@pytest.fixture
def drawing():
    """Points, curve and a trembling hand of three paths, in float64."""
    rng = np.random.default_rng(1)
    curves = [pen.spline((12,)), pen.spline((7, 5)), pen.ring(12)]
    curve = doubles(pen.Curve(*map(np.stack, zip(*curves, strict=True))))
    points = pen.fitted(pen.scribbles(rng, np.arange(3) == 2, 12).astype(np.float64), curve)
    return points, curve, doubles(pen.trembling(rng, 3, 12))


@pytest.mark.parametrize("output, loss", [("sigmoid", "cross-entropy"), ("softmax", None)])
def test_the_slope_by_the_points_is_exact(drawing, output, loss):
    points, curve, hand = drawing
    loss = loss or "cross-entropy"
    net = small(dtype=np.float64, output=output, loss=loss)
    targets = [3, 4, 5]
    x, memory = pen.trace(points, curve, hand)
    exact = pen.trace_slopes(net.input_gradient(x, targets, loss), curve, hand, memory)
    measured = central_differences(
        lambda: net.loss(pen.trace(points, curve, hand)[0], targets), points, 1e-4
    )
    assert abs(measured).max() > 1e-5
    assert relative_error(exact, measured) < 1e-6


def test_the_slope_of_the_effort_is_exact(drawing):
    points, curve, _ = drawing
    measured = central_differences(lambda: pen.effort(points, curve)[0].sum(), points, 1e-4)
    assert relative_error(pen.effort(points, curve)[1], measured) < 1e-6


def test_the_slope_of_the_strangeness_is_exact(drawing, canvas):
    points, curve, _ = drawing
    exact = doubles(canvas)
    measured = central_differences(
        lambda: pen.strangeness(points, curve, exact)[0].sum(), points, 1e-4
    )
    assert relative_error(pen.strangeness(points, curve, exact)[1], measured) < 1e-6


# --- What is judged -------------------------------------------------------------------------------


def test_scribbles_are_stranger_than_digits(trained, canvas):
    curve = pen.Curve(*(matrix[None] for matrix in pen.spline((12,))))
    points = pen.fitted(pen.scribbles(np.random.default_rng(0), np.zeros(50, bool), 12), curve)
    straight = pen.fitted(np.stack([np.linspace(0, 20, 12), np.zeros(12)], axis=1)[None], curve)
    scribbled = pen.strangeness(points, curve, canvas)[0]
    assert pen.strangeness(straight, curve, canvas)[0] < np.median(scribbled) / 2  # a 1


def test_closed_scribbles_end_where_they_began():
    closed = np.arange(40) % 2 == 0
    paths = pen.scribbles(np.random.default_rng(0), closed, 200)
    gaps = np.linalg.norm(paths[:, 0] - paths[:, -1], axis=1)
    assert gaps[closed].max() < 0.3 < np.median(gaps[~closed])


def test_ink_on_ink_a_second_stroke_and_an_end_that_just_misses_are_untidy():
    column = np.full(12, 14.0)
    straight = np.stack([np.linspace(4, 24, 12), column], axis=1)
    doubled = np.stack([np.r_[np.linspace(4, 24, 6), np.linspace(24, 4, 6)], column], axis=1)
    turn = np.linspace(0, 2 * np.pi, 12)[:, None]
    ring = 14 + 9 * np.concatenate([np.cos(turn), np.sin(turn)], axis=1)
    gap = 14 + 9 * np.concatenate([np.cos(0.93 * turn), np.sin(0.93 * turn)], axis=1)
    curve = pen.Curve(*(matrix[None] for matrix in pen.spline((12,))))
    whole = pen.untidiness(ring[None], curve)[0]
    assert pen.untidiness(straight[None], curve)[0] < 0.3
    assert pen.untidiness(doubled[None], curve)[0] > 5
    assert pen.untidiness(gap[None], curve)[0] > whole + 1
    two = pen.Curve(*(matrix[None] for matrix in pen.spline((7, 5))))
    crossed = [[*np.linspace([4, 14], [24, 14], 7), *np.linspace([14, 4], [14, 24], 5)]]
    assert 0.5 <= pen.untidiness(np.array(crossed), two)[0] < 2


def test_an_absent_minded_network_misses_half_of_its_nodes_and_is_another_one():
    net = small()
    before = copied(net)
    other = pen.absent_minded(net, np.random.default_rng(0))
    lost = ~other.weights[1].any(axis=1)
    assert 0 < lost.sum() < len(lost)
    assert np.array_equal(other.weights[1][~lost], 2 * net.weights[1][~lost])
    assert other.weights[1].dtype == net.dtype
    assert all(map(np.array_equal, before, copied(net)))


# --- Writing --------------------------------------------------------------------------------------


def test_written_digits_are_recognised(trained, canvas):
    written = pen.write(trained, [1, 7], canvas, starts=16, steps=60)
    assert written.images.shape == (2, 784) and written.images.dtype == np.float32
    assert written.places.shape == written.moves.shape == (2, 48, 2)
    assert 0.01 <= written.images.min() < written.images.max() <= 1
    assert list(trained.predict(written.images)) == [1, 7]
    assert np.allclose(written.images, pen.ink(written.places, written.moves))


def test_the_same_seed_writes_the_same_and_leaves_the_network_alone(trained, canvas):
    before, state = copied(trained), trained.rng.bit_generator.state
    one, other, another = (
        pen.write(trained, 3, canvas, starts=4, steps=8, seed=seed).images for seed in (0, 0, 1)
    )
    assert np.array_equal(one, other) and not np.array_equal(one, another)
    assert all(map(np.array_equal, before, copied(trained)))
    assert trained.rng.bit_generator.state == state


@pytest.mark.parametrize("loss, output", LOSSES)
def test_every_network_can_write(loss, output, canvas):
    written = pen.write(small(loss=loss, output=output), [0, 9], canvas, starts=3, steps=5)
    assert written.images.shape == (2, 784) and np.isfinite(written.images).all()


@pytest.mark.parametrize("knob", [{"starts": 0}, {"steps": 0}, {"starts": 1.5}], ids=str)
def test_knobs_out_of_range_are_refused(trained, canvas, knob):
    (name,) = knob
    with pytest.raises(ValueError, match=f"{name}: expected a whole number from 1"):
        pen.write(trained, 3, canvas, **knob)


def test_it_refuses_a_canvas_of_another_size_and_a_digit_without_a_node(trained, canvas):
    with pytest.raises(ValueError, match="a canvas of 784 pixels does not fit 64 inputs"):
        pen.write(NeuralNetwork((64, 10)), 3, canvas)
    with pytest.raises(ValueError, match="labels: expected 0 to 9, got 10 to 10"):
        pen.write(trained, 10, canvas)


def test_the_committed_judges_read_what_six_networks_wrote():
    results = json.loads((ROOT / "benchmarks" / "pen.json").read_text(encoding="utf-8"))
    table = results["read, of ten, by network"]
    assert list(table) == ["shipped", *(f"seed {seed}" for seed in range(5))]
    for judge in ("network", "SVM", "neighbours", "convolutional"):
        assert sum(row[judge] for row in table.values()) >= 57
    assert all(row["seconds"] <= 10 for row in table.values())
    assert (ROOT / "data" / "writing.gif").stat().st_size < 2_000_000


def test_the_sheet_for_a_person_is_shuffled_and_its_key_fits():
    pytest.importorskip("torch")
    from benchmarks.pen import sheet

    images = np.arange(20)[:, None] / 20 * np.ones((20, 784))
    picture, key = sheet(images)
    shown = [axes for axes in picture.axes if axes.images]
    assert [axes.get_xlabel() for axes in shown] == [f"{n}" for n in range(1, 21)]
    order = [round(20 * axes.images[0].get_array()[0, 0]) for axes in shown]
    assert order != sorted(order) and key == [n % 10 for n in order]
