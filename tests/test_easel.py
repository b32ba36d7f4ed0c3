"""What every picture has: its size, and words that a notebook keeps beside it."""

import io

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from easel import WIDTH, Film, Picture

FRAMES = np.linspace(0, 1, 4)[:, None, None] * np.ones((1, 20, 30))


def kept(picture):
    """What a notebook keeps of it: its words as text, its PNG, and its alternative text."""
    data, metadata = DisplayFormatter().format(picture)
    assert {*data} == {"text/plain", "image/png"} and {*metadata} == {"image/png"}
    return data["text/plain"], data["image/png"], metadata["image/png"]["alt"]


@pytest.mark.parametrize("one", [Picture(alt="A 3."), Film(FRAMES, alt="A 3.")], ids=type)
def test_a_notebook_keeps_its_words_beside_it(one):
    text, png, alt = kept(one)
    assert text == alt == str(one) == repr(one) == "A 3."
    assert png.startswith(b"\x89PNG")


def test_without_words_of_its_own_it_says_what_is_on_it():
    picture = Picture()
    picture.subplots().plot([1, 2, 3], [0.5, 0.25, 0.125], label="loss")
    assert kept(picture)[2] == "Loss, from 0.5 at 1 to 0.125 at 3."
    assert kept(Film(FRAMES))[2] == "A film of 4 pictures."


def test_words_are_one_line_that_any_file_can_hold():
    assert kept(Picture(alt="two\nlines,  \ud800"))[2] == "two lines, ?"


def test_a_picture_is_as_wide_as_a_page():
    size = Image.open(io.BytesIO(kept(Picture(height=2))[1])).size
    assert size == (100 * WIDTH, 200)


def test_a_film_plays_again_and_again_and_stands_still_at_its_end():
    film = Image.open(io.BytesIO(Film(FRAMES)._repr_png_()[0]))
    assert film.size == (30, 20) and film.is_animated and film.n_frames == 5
    shades, times = [], []
    for n in range(film.n_frames):
        film.seek(n)
        shades.append(film.convert("L").getpixel((9, 9)))
        times.append(film.info.get("duration"))
    assert shades == [0, 255, 170, 85, 0]  # first what is seen where nothing moves
    assert times[1:] == [40, 40, 40, 3000] and film.info["loop"] == 0
    assert Film(FRAMES)._repr_png_() == Film(FRAMES)._repr_png_()
