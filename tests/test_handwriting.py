"""handwriting.py: pictures of a digit, in many forms, become one of MNIST's."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import handwriting
import mnist

SEVEN = [(15, 8), (85, 8), (40, 95)]
ONE = [(50, 5), (50, 95)]
DASH = [(10, 50), (90, 50)]


def draw(points=SEVEN, size=(400, 300), scale=2, at=(150, 50), pen=12, ink=0, paper=255, mode="L"):
    picture = Image.new(mode, size, paper)
    points = [(at[0] + x * scale, at[1] + y * scale) for x, y in points]
    ImageDraw.Draw(picture).line(points, fill=ink, width=pen, joint="curve")
    return picture


def prepared(picture):
    return handwriting.prepare(np.asarray(picture))


def check_form(image):
    """What all of MNIST's digits have in common."""
    assert image.shape == (784,) and image.dtype == np.uint8 and image.max() == 255
    square = image.reshape(28, 28).astype(float)
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    centre = [(square.sum(axis=k) * np.arange(28)).sum() / square.sum() for k in (1, 0)]
    assert np.abs(np.array(centre) - 14).max() <= 0.51
    return square


def alike(image, other):
    """The correlation of two images; a step of one pixel aside is no matter."""
    steps = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    moved = [np.roll(image.reshape(28, 28), step, axis=(0, 1)).ravel() for step in steps]
    return max(np.corrcoef(one, other)[0, 1] for one in moved)


def test_picture_is_the_array_prepared(tmp_path):
    draw().save(tmp_path / "seven.png")
    image = handwriting.from_picture(tmp_path / "seven.png")
    check_form(image)
    assert (image == prepared(draw())).all()
    assert (image == handwriting.from_picture(str(tmp_path / "seven.png"))).all()


@pytest.mark.parametrize("index", range(0, 1000, 125))
def test_a_digit_of_mnist_stays_as_it_is(index):
    digit = mnist.load_sample()[1].images[index]
    assert alike(prepared(digit.reshape(28, 28)), digit) > 0.85
    large = Image.fromarray(255 - digit.reshape(28, 28)).resize(
        (700, 700), Image.Resampling.BICUBIC
    )
    paper = Image.new("L", (1500, 1100), 255)
    paper.paste(large, (750, 30))
    assert alike(prepared(paper), digit) > 0.85


def sevens():
    """The same seven as people write and photograph it: a name, and its grey values."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:1:900j, 0:1:1200j]
    grain = rng.normal(0, 6, (900, 1200))
    photo = np.asarray(draw(size=(1200, 900), scale=4, at=(700, 300), pen=24, ink=60, paper=230))
    photo = photo.astype(float)
    specks = photo.copy()
    for row, column in rng.integers(5, 890, (40, 2)):
        specks[row : row + 3, column : column + 3] = 30
    squared = photo.copy()
    squared[::50] = np.minimum(photo[::50], 190)
    squared[:, ::50] = np.minimum(photo[:, ::50], 190)
    table = photo.copy()
    table[:, :90] = 70
    framed = photo.copy()
    framed[[0, 1, -2, -1]] = framed[:, [0, 1, -2, -1]] = 0
    lamp = 0.45 + 0.55 * np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.15)
    shadow = 0.6 + 0.4 / (1 + np.exp(-(x + y - 0.7) * 25))
    return {
        "light on dark": draw(ink=255, paper=0),
        "pale": draw(ink=200, paper=230),
        "small": draw(size=(1200, 900), scale=0.8, at=(900, 60), pen=5),
        "hair line": draw(size=(2000, 1500), scale=8, at=(600, 300), pen=1),
        "at the border": draw(at=(250, 109)),
        "light from one side": photo * (0.35 + 0.65 * x) + grain,
        "lamp": photo * lamp + grain,
        "chalk and lamp": (290 - photo) * (0.5 + 0.5 * x * y) + grain,
        "shadow": photo * shadow + grain,
        "specks": specks + grain,
        "squared paper": squared + grain,
        "table": table + grain,
        "framed": framed,
    }


SEVENS = sevens()


@pytest.mark.parametrize("name", SEVENS)
def test_all_pictures_of_a_seven_are_alike(name):
    image = prepared(SEVENS[name])
    check_form(image)
    assert alike(image, prepared(draw())) > 0.9


def files(folder):
    """The same seven in many file formats."""

    def save(picture, name, **options):
        picture.save(folder / name, **options)
        return folder / name

    turned = Image.Exif()
    turned[0x112] = 6  # the camera was held upright
    clear, white, black = (0, 0, 0, 0), (255, 255, 255, 255), (0, 0, 0, 255)
    sheet = Image.new("RGBA", (600, 500), clear)
    sheet.paste(draw(mode="RGBA", ink=black, paper=white), (100, 100))
    deep = np.asarray(draw()).astype(np.uint16) * 100 + 3000
    yield save(draw(), "grey.jpg", quality=60)
    yield save(draw().rotate(90, expand=True), "exif.jpg", exif=turned)
    yield save(draw(mode="RGB", ink=(200, 30, 30), paper=(250, 250, 240)), "red.png")
    yield save(draw(mode="RGB", ink=(255, 235, 0), paper=(255, 255, 255)), "yellow.png")
    yield save(draw(mode="RGB", ink=(0, 0, 255), paper=(0, 0, 0)), "blue_on_black.png")
    yield save(draw(mode="RGBA", ink=black, paper=clear), "black_on_clear.png")
    yield save(draw(mode="RGBA", ink=white, paper=clear), "white_on_clear.png")
    yield save(draw(mode="RGBA", ink=white, paper=(255, 255, 255, 0)), "white_on_clear_white.png")
    yield save(draw(mode="LA", ink=(0, 255), paper=(0, 0)), "grey_alpha.png")
    yield save(sheet, "cut_out.png")
    yield save(Image.fromarray(deep), "16_bits.png")
    yield save(draw().convert("1"), "1_bit.png")
    yield save(draw().convert("P"), "palette.gif")
    yield save(draw(), "seven.bmp")


def test_all_formats_are_alike(tmp_path):
    for path in files(tmp_path):
        image = handwriting.from_picture(path)
        check_form(image)
        assert alike(image, prepared(draw())) > 0.9, path.name


@pytest.mark.parametrize("pen", [1, 3, 12, 24, 60])
def test_stroke_width_is_like_mnist(pen):
    """A one: the ink in a row, in pixels, is the width of the stroke."""
    square = check_form(prepared(draw(ONE, size=(900, 900), scale=6, at=(200, 200), pen=pen)))
    width = np.median(square[9:19].sum(axis=1) / 255)
    assert 2 <= width <= 4
    check_form(prepared(draw(DASH, pen=pen)))


def test_very_thick_pen():
    square = check_form(prepared(draw(size=(1000, 1000), scale=7, at=(150, 150), pen=170)))
    assert (square > 127).mean() < 0.25


def test_digit_that_fills_the_picture():
    seven = 255 - np.asarray(draw(scale=3, at=(50, 0)))
    rows, columns = np.flatnonzero(seven.any(axis=1)), np.flatnonzero(seven.any(axis=0))
    tight = seven[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    for picture in (tight, 255 - tight):
        assert alike(prepared(picture), prepared(draw())) > 0.9


def test_mass_far_from_the_middle_stays_inside():
    image = np.zeros((300, 300))
    image[20:280, 20:30] = 255
    image[200:280, 20:200] = 255
    square = prepared(image).reshape(28, 28)
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20  # nothing was cut off


def blanks():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:1:300j, 0:1:400j]
    dot = np.full((1000, 1000), 255.0)
    dot[500:504, 500:504] = 0
    return {
        "black": np.zeros((300, 400)),
        "white": np.full((300, 400), 255),
        "grain of the paper": 220 + rng.normal(0, 8, (300, 400)),
        "light from one side": (100 + 120 * x) + rng.normal(0, 4, (300, 400)),
        "lamp": 220 * (1 - (x - 0.5) ** 2 - (y - 0.5) ** 2),
        "a dot": dot,
    }


BLANKS = blanks()


@pytest.mark.parametrize("name", BLANKS)
def test_blank(name):
    with pytest.raises(ValueError, match=r"nothing on it.*Draw one digit"):
        handwriting.prepare(BLANKS[name])


@pytest.mark.parametrize(
    "array", [np.zeros(784), np.zeros((28, 28, 3)), np.zeros((0, 5)), np.full((28, 28), np.nan)]
)
def test_no_drawing(array):
    with pytest.raises(ValueError, match=r"height, width"):
        handwriting.prepare(array)


def test_files_that_are_no_picture(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no picture .*nowhere.png.*Check"):
        handwriting.from_picture(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        handwriting.from_picture(tmp_path)
    draw().save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    contents = [b"", b"just text\n", whole[: len(whole) // 2], b"%!PS-Adobe-3.0 EPSF-3.0\n"]
    for content in contents:
        (tmp_path / "bad.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"bad.png' cannot be read .*PNG or JPEG"):
            handwriting.from_picture(tmp_path / "bad.png")


def test_file_that_is_blank(tmp_path):
    Image.new("RGBA", (200, 200), (0, 0, 0, 0)).save(tmp_path / "blank.png")
    with pytest.raises(ValueError, match=r"blank.png.*nothing on it"):
        handwriting.from_picture(tmp_path / "blank.png")


@pytest.mark.parametrize("limit", [50_000, 100_000])  # Pillow warns, then refuses, at its double
def test_picture_with_too_many_pixels(tmp_path, monkeypatch, limit):
    draw().save(tmp_path / "large.png")  # 120,000 pixels
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(ValueError, match=r"large.png' has too many pixels"):
        handwriting.from_picture(tmp_path / "large.png")


def test_steps_end_in_the_image():
    shown = handwriting.steps(draw())
    square = prepared(draw()).reshape(28, 28)
    np.testing.assert_array_equal(shown["centre"], square)
    assert shown["grey"].shape == shown["ink"].shape == shown["threshold"].shape == (300, 400)
    np.testing.assert_array_equal(shown["threshold"], shown["ink"] > shown["level"])
    assert max(shown["box"].shape) == 20 and shown["pieces"].max() == 1


def test_arrays_and_images_are_taken():
    array = np.asarray(draw())
    for picture in (draw(), array, array / 255, array < 128, np.stack([array] * 3, axis=2)):
        assert alike(handwriting.from_picture(picture), prepared(draw())) > 0.95
