"""pictures.py: any file, image or array as grey values, and what is too large for it."""

import warnings

import numpy as np
import pytest
from PIL import Image

import pictures

RAMP = np.linspace(0, 1, 60 * 80).reshape(60, 80)


@pytest.mark.parametrize(
    "array",
    [
        RAMP,
        RAMP.astype(np.float32)[:, :, None],
        RAMP * 16,
        (RAMP * 255).round().astype(np.uint8),
        (RAMP * 4095).round().astype(np.uint16),
        (RAMP * 65535).round().astype(np.uint16),
        (RAMP * 4095).round().astype(np.int64),
        np.repeat((RAMP * 255).round().astype(np.uint8)[:, :, None], 3, axis=2),
        np.repeat(RAMP[:, :, None], 3, axis=2),
    ],
)
def test_numbers_of_any_depth_are_the_same_greys(array):
    grey = pictures.grey(array)
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey, RAMP * 255, atol=1)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int32, float])
def test_masks_are_black_and_white(kind):
    mask = RAMP > 0.5
    np.testing.assert_array_equal(pictures.grey(mask.astype(kind)), mask * 255)


@pytest.mark.parametrize("most", [4095, 65535])
def test_deep_files(tmp_path, most):
    Image.fromarray((RAMP * most).round().astype(np.uint16)).save(tmp_path / "deep.png")
    np.testing.assert_allclose(pictures.grey(tmp_path / "deep.png"), RAMP * 255, atol=1)


def test_an_image_is_the_same_as_its_file(tmp_path):
    image = Image.fromarray((RAMP * 255).astype(np.uint8))
    image.save(tmp_path / "ramp.png")
    np.testing.assert_array_equal(pictures.grey(image), pictures.grey(tmp_path / "ramp.png"))


@pytest.mark.parametrize(
    "array", [RAMP - 0.5, RAMP * 1e9, np.where(RAMP > 0.5, np.nan, 1), RAMP * np.inf]
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_numbers_that_are_no_greys(array):
    with pytest.raises(ValueError, match="Grey values are numbers from 0 to 1, 255"):
        pictures.grey(array)


@pytest.mark.parametrize("array", [["a", "b"], np.zeros((5, 5, 2)), None, 7, RAMP * 1j])
def test_what_is_no_picture(array):
    with pytest.raises(ValueError, match="a path, a PIL image, or an array"):
        pictures.grey(array)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_become_small(tmp_path, kind):
    image = Image.fromarray((RAMP * 255).astype(np.uint8)).resize((3000, 2000))
    image.save(tmp_path / "large", format=kind)
    grey = pictures.grey(tmp_path / "large")
    assert grey.shape[1] / grey.shape[0] == pytest.approx(1.5, abs=0.01)
    assert 500 <= max(grey.shape) <= 1000
    assert max(pictures.grey(tmp_path / "large", side=300).shape) <= 300
    np.testing.assert_allclose(grey.mean(), 127, atol=2)


@pytest.mark.parametrize("size", [(9400, 9400), (1, 24_000_000), (5001, 5001)])
def test_too_many_pixels_are_refused_before_they_are_unpacked(tmp_path, monkeypatch, size):
    with warnings.catch_warnings(action="ignore"):
        Image.new("1", size).save(tmp_path / "bomb.png")

    def unpacked(*_):
        raise AssertionError("it was unpacked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpacked)
    with pytest.raises(pictures.TooLarge, match=r"bomb.png' has too many pixels. Cut"):
        pictures.grey(tmp_path / "bomb.png")


def test_colours_of_the_same_brightness_are_told_apart():
    red, blue = (200, 60, 60), (70, 100, 222)
    picture = Image.new("RGB", (200, 200), red)
    picture.paste(blue, (50, 50, 150, 150))
    assert abs(np.ptp(np.asarray(picture.convert("L"), int))) < 10
    assert np.ptp(pictures.grey(picture)) > 80


def test_messages_are_short_and_printable(tmp_path):
    path = tmp_path / ("\x1b[31m" + "long" * 50 + ".png")
    for content in (None, b"no picture"):
        if content:
            path.write_bytes(content)
        with pytest.raises((FileNotFoundError, ValueError)) as error:
            pictures.grey(path)
        assert len(str(error.value)) < 300 and str(error.value).isprintable()
