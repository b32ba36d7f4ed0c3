"""The drawing pad that is taught: what its buttons do, without a browser and in one. Skipped where
there is no browser; -s prints how long it learns, SCREENSHOTS=folder keeps pictures."""

import re
import time

import numpy as np
import pytest
import test_browser
from conftest import same, wait_until
from test_drawing_pad import Shown
from test_signs import FLAGGED, STAR, drawn

import mnist
import signs
from nn import NeuralNetwork
from panels import TeachingPad

browser = test_browser.browser  # the fixture
FLAG = [(0.25, 0.45), (0.62, 0.12), (0.62, 0.88)]  # a 1 with a long flag, on the sheet
TICK = [(0.15, 0.55), (0.4, 0.85), (0.85, 0.15)]


@pytest.fixture(scope="module")
def parts(sample):
    return sample[0][:2], sample[1][:2]


@pytest.fixture
def pad(trained, parts, tmp_path):
    return TeachingPad(trained, *parts, path=tmp_path / "mine.csv")


def learned(pad):
    """The pad, when it has learned."""
    wait_until(lambda: not pad.learning.busy)
    return pad


def says(pad):
    return pad.box.lesson["says"]


def test_it_learns_from_what_it_is_told(pad, trained):
    (one,) = drawn(0, FLAGGED, each=1)
    assert trained.predict(one) != 1
    pad.teach(1, one)
    assert learned(pad).net.predict(one) == 1
    assert same(pad.first, trained) and pad.net is not trained
    found = re.match(r"It has learned from 1 drawing, in .* s\. Of 1,000 held-out", says(pad))
    assert found and f"it reads {pad.net.accuracy(*pad.validation):.1%}" in says(pad)
    assert pad.box.lesson["taught"] == [1] and pad.box.options["layers"] == [784, 100, 10]


def test_it_learns_signs_by_their_names(pad):
    for image in drawn(0, STAR, each=3):
        pad.teach("my star", image)
    further = learned(pad).net.predict(drawn(1, STAR, each=50))
    assert np.mean(further == 10) > 0.7
    assert pad.box.options["names"] == [*"0123456789", "my star"]
    assert pad.box.options["layers"] == [784, 100, 11]


def test_a_drawing_that_is_taken_away_was_never_there(pad):
    images = drawn(0, FLAGGED, STAR, each=2)
    for what, image in zip([1, "star", 1, "star"], images[[0, 2, 1, 3]], strict=True):
        pad.teach(what, image)
    pad.drop(1)
    pad.drop(2)
    assert same(learned(pad).net, signs.teach(pad.first, images[:2], [1, 1], pad.known))
    assert pad.box.options["names"] == list("0123456789")
    pad.forget()
    assert learned(pad).net is pad.first
    assert pad.box.lesson["taught"] == [] and "no drawings of yours" in says(pad)


def test_a_drawing_is_relabelled_on_second_thoughts(pad):
    (one,) = drawn(0, FLAGGED, each=1)
    for what in (7, 1, 1):
        pad.teach(what, one)
    assert [what for what, _ in learned(pad).taught] == [1]


def test_drawings_are_kept_and_come_back(pad, trained, parts):
    images = drawn(0, FLAGGED, STAR, each=1)
    pad.teach(1, images[0])
    pad.keep()
    pad.forget()
    pad.teach("star", images[1])
    learned(pad).keep()
    assert says(pad).startswith(f"1 new, 2 drawings are in {pad.path} now")
    assert mnist.read(pad.path).labels.tolist() == [1, 10]
    again = TeachingPad(trained, *parts, path=pad.path)
    again.load()
    again.load()
    assert [what for what, _ in learned(again).taught] == [1, "star"]
    assert np.array_equal([image for _, image in again.taught], images)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"do": "teach", "what": 1}, "nothing on the sheet"),
        ({"do": "teach", "what": "", "image": ""}, "expected rows of 784"),
        ({"do": "load"}, "yet: Keep makes it"),
        ({"do": "keep"}, "no drawings to keep yet"),
    ],
)
def test_what_cannot_be_is_said(pad, message, said):
    pad._asked(**message)
    assert said in says(pad)
    assert pad.taught == []
    before = pad.box.lesson
    pad._asked(**message)
    assert pad.box.lesson != before, "else the browser would wait for an answer"


@pytest.mark.parametrize("what", ["", "a" * 13, "a\0b", 10, 1.5, None])
def test_names_that_do_not_fit_are_refused(pad, what):
    with pytest.raises(ValueError, match="Expected a digit, 0 to 9, or a name"):
        pad.teach(what, drawn(0, STAR, each=1)[0])


def test_there_is_room_for_six_signs(pad):
    *images, image = drawn(0, STAR, each=7)
    for n, one in enumerate(images):
        pad.teach(f"star {n}", one)
    with pytest.raises(ValueError, match="room for 6 signs"):
        pad.teach("one more", image)
    assert len(learned(pad).taught) == 6


def test_a_message_calls_nothing_but_what_a_button_does(pad):
    pad._asked(do="close")
    pad._asked(do="__init__", net=None)
    assert pad.box.comm is not None


def test_networks_of_other_outputs_are_refused(parts):
    with pytest.raises(ValueError, match="10 outputs"):
        TeachingPad(NeuralNetwork((784, 5, 11)), *parts)


class Taught(Shown):
    """A teaching pad in the browser; what it asks is answered from here."""

    def answer(self):
        """Hand on what was pressed. Returns how long the network learned, s."""
        begun = time.perf_counter()
        for message in self.page.evaluate("asked.splice(0)"):
            self.pad._asked(**message)
        learned(self.pad)
        self.receive_drawing()
        self.receive()
        return time.perf_counter() - begun

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()
        return self.answer()


def test_it_is_taught_in_the_browser(browser, pad):
    shown = Taught(browser, pad)
    shown.draw(FLAG)
    assert not shown.says.startswith("It says 1")
    print(f"\nfrom one drawing: {shown.press('1'):.2f} s")
    assert shown.says.startswith("It says 1")
    off = pad.taught[0][1].astype(int) - pad.image  # Python's prepare looks for shadows, too
    assert abs(off).mean() < 0.1, "what it sees is what it learns"
    assert "It has learned from 1 drawing" in shown.page.locator(".told").inner_text()
    shown.draw(TICK)
    assert (pad.picture < 128).mean() < 0.12, "the next stroke begins another drawing"
    name = shown.page.get_by_label("A sign of your own")
    name.press_sequentially("<b>tick")
    name.press("Enter")
    print(f"a new sign: {shown.answer():.2f} s")
    assert shown.says.startswith("It says <b>tick, with"), "names are text"
    assert shown.page.locator(".bar").count() == 11
    assert shown.page.locator(".choices button").count() == 11
    shown.page.get_by_role("button", name="Drawing 1, taught as 1: take it away").click()
    shown.answer()
    assert shown.page.locator(".drawings button").count() == 1
    shown.press("Keep")
    assert signs.load(pad.path)[2] == ["<b>tick"]
    shown.close("taught")


def test_an_empty_sheet_teaches_nothing(browser, pad):
    shown = Taught(browser, pad)
    shown.page.get_by_role("button", name="3", exact=True).click()
    assert shown.page.locator(".told").inner_text() == "Draw it first."
    assert shown.page.evaluate("asked") == []
    assert pad.taught == []
    shown.close("nothing")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 600, 1000])
def test_it_fits(browser, pad, width, theme):
    for n, image in enumerate(drawn(0, FLAGGED, STAR, each=6)):
        pad.taught.append(([1, "a long name.", "♥", "K", "M", "star"][n % 6], image))
    pad._take(pad.taught)
    shown = Taught(browser, learned(pad), width, theme)
    shown.draw(TICK)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.close(f"taught_{width}_{theme}")
