"""The drawing pad of the notebooks in a real browser, without JupyterLab: what is said for networks
of any shape is what Python says. Skipped where there is no browser; -s prints the differences,
SCREENSHOTS=folder keeps pictures.
"""

import base64
import os
import re
from pathlib import Path

import numpy as np
import pytest
import test_browser
from test_browser import STROKES, draw

from distortions import look
from nn import NeuralNetwork
from panels import DrawingPad
from storage import load

browser = test_browser.browser  # the fixture
ROOT = test_browser.ROOT
TRAITS = ("parameters", "maps", "pixels")
SHOW = """async ({script, look, values, theme}) => {
    const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    const {default: {render}} = await import(url);
    const bytes = text => {  // at an odd place, as they come in a message
        const all = Uint8Array.from(" " + atob(text), character => character.charCodeAt(0));
        return new DataView(all.buffer, 1);
    };
    const listeners = [];
    window.saved = 0;
    window.asked = [];
    window.model = {
        get: name => values[name],
        set: (name, value) => {
            values[name] = value;
            listeners.filter(([event]) => event === `change:${name}`).forEach(([, f]) => f());
        },
        on: (...listener) => listeners.push(listener),
        off: (event, f) => listeners.splice(listeners.findIndex(l => l[1] === f), 1),
        save_changes: () => { saved++; },
        send: message => asked.push(message),
    };
    window.heard = () => listeners.length;
    window.change = change => {
        for (const [name, value] of Object.entries(change))
            values[name] = ["options", "lesson"].includes(name) ? value : bytes(value);
        for (const [event, f] of listeners) if (event.slice(7) in change) f();
    };
    for (const name of ["parameters", "maps", "pixels"]) values[name] = bytes(values[name]);
    document.body.dataset.jpThemeLight = theme === "light";
    document.body.append(Object.assign(document.createElement("style"), {textContent: look}));
    const el = document.body.appendChild(document.createElement("div"));
    window.gone = render({model, el});
}"""


class Shown:
    """A pad in the browser, and what went wrong."""

    def __init__(self, browser, pad, width=1000, theme="light"):
        self.pad, self.errors = pad, []
        viewport = {"width": width, "height": 800}
        self.page = browser.new_page(viewport=viewport, device_scale_factor=1)
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        given = {"script": pad.box._esm, "look": pad.box._css, "theme": theme}
        self.page.evaluate(SHOW, given | {"values": state(pad)})

    def draw(self, points, **place):
        draw(self.page, self.page.locator(".pad"), points, **place)
        self.page.wait_for_function("saved && model.get('pixels').byteLength === 280 * 280")
        self.page.wait_for_timeout(100)  # what the browser sends last
        self.receive_drawing()

    def receive_drawing(self):
        """What the browser has sent so far, for the kernel."""
        pixels = "Array.from(new Uint8Array(model.get('pixels').buffer))"
        self.pad.box.set_state({"pixels": bytes(self.page.evaluate(pixels))})

    def receive(self):
        """What the kernel has sent meanwhile."""
        change = {name: state(self.pad)[name] for name in ("options", "parameters", "lesson")}
        self.page.evaluate("change => window.change(change)", change)

    @property
    def says(self):
        return self.page.locator(".says").inner_text()

    def close(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"pad_{name}.png")
        assert not self.errors
        self.page.close()


def state(pad):
    """What the kernel has sent, bytes as base64."""
    values = {name: base64.b64encode(getattr(pad.box, name)).decode() for name in TRAITS}
    return values | {"options": pad.box.options, "lesson": pad.box.lesson}


def network(layers=(784, 100, 10), **options):
    net = NeuralNetwork(layers, seed=1, **options)
    for biases in net.biases:
        biases[:] = np.linspace(-0.5, 0.5, len(biases))
    return net


RELU = {"hidden": "relu", "output": "softmax", "loss": "cross-entropy", "biases": True}
NETWORKS = {
    "shipped": (load(ROOT / "data" / "digits.npz"), 1),
    "many looks": (load(ROOT / "data" / "digits.npz"), 16),
    "relu": (network(**RELU), 1),
    "two hidden layers": (network((784, 60, 30, 10), **RELU), 4),
    "none": (network((784, 10)), 1),
    "wide": (network((784, 600, 3), hidden="softmax"), 1),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_it_says_what_python_says(browser, name):
    net, looks = NETWORKS[name]
    shown = Shown(browser, DrawingPad(net, looks))
    assert shown.says.startswith("Draw a digit")
    shown.draw(STROKES[7])
    outputs = look(net, shown.pad.image, looks)[0]
    bars = np.array(shown.page.locator(".bar small").all_text_contents(), float)
    assert bars == pytest.approx(outputs, abs=0.011)
    said = re.match(r"It says (\d), with (\d\.\d\d)(.*)", shown.says)
    assert int(said[1]) == outputs.argmax()
    assert float(said[2]) == pytest.approx(outputs.max(), abs=0.011)
    assert said[3].startswith(f", on average of {looks} looks." if looks > 1 else ".")
    assert shown.page.locator(".tile").count() == min(net.layers[1], 400)
    one = len(net.layers) == 3  # hidden layer, whose nodes speak to the answers
    assert (shown.page.locator(".lines path").count() > 3) == one
    assert ("hidden layers" in shown.says) == (len(net.layers) > 3)
    shown.page.locator(".tile").nth(5).hover()
    hidden = net.forward(shown.pad.image)[1][0, 5]
    answers = float(re.search(r"answers (\d+\.\d\d)", shown.says)[1])
    assert answers == pytest.approx(hidden, abs=0.011)
    shown.close(name.replace(" ", "_"))


def test_another_network_and_more_learned(browser):
    shown = Shown(browser, DrawingPad(network()))
    shown.draw(STROKES[1])
    shown.pad.net = load(ROOT / "data" / "digits.npz")
    shown.receive()
    assert shown.says.startswith("It says 1, with")
    shown.pad.net = network((784, 16, 10))
    shown.receive()
    assert shown.page.locator(".tile").count() == 16
    shown.close("another")


def test_an_activation_of_ones_own_is_refused_in_words(browser):
    net = network()
    net.hidden = "tanh"
    shown = Shown(browser, DrawingPad(net))
    assert "not tanh: it needs a row in page/activations.js" in shown.says
    shown.draw(STROKES[7])
    assert "not tanh" in shown.says
    shown.close("tanh")


def test_what_is_no_digit_is_refused_in_words(browser):
    shown = Shown(browser, DrawingPad(NETWORKS["shipped"][0]))
    shown.page.locator(".width").fill("50")
    shown.draw([(0.5, 0.5), (0.55, 0.5)])
    assert "Lines or a blot" in shown.says, "a blot"
    assert not shown.pad.image.any(), "as in Python"
    assert not any(shown.page.locator(".bar small").all_text_contents())
    shown.page.locator(".clear").click()
    shown.page.locator(".width").fill("6")
    shown.draw([(0.05, 0.5)] + [(x / 12, (-0.02, 1.02)[x % 2]) for x in range(1, 12)])
    assert "Lines or a blot" in shown.says, "a zigzag that leaves the sheet"
    assert not shown.pad.image.any()
    shown.close("refused")


def test_what_was_drawn_is_there_again(browser):
    pad = DrawingPad(NETWORKS["shipped"][0])
    first = Shown(browser, pad)
    first.draw(STROKES[7])
    again = Shown(browser, pad)  # opened again, without a kernel: what it sent is all there is
    assert again.says == first.says
    again.pad.clear()
    again.page.evaluate("change({pixels: ''})")
    assert again.says.startswith("Draw a digit")
    assert again.page.evaluate("saved") == 0, "what came from the kernel is not sent back"
    again.page.evaluate("gone()")
    assert again.page.evaluate("heard()") == 0
    first.close("first")
    again.close("again")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 600, 1000])
def test_it_fits(browser, width, theme):
    shown = Shown(browser, DrawingPad(NETWORKS["shipped"][0]), width, theme)
    shown.draw(STROKES[7])
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    paper, ground = shown.page.evaluate(
        """[".pad", ".stage"].map(name =>
            getComputedStyle(document.querySelector(name)).backgroundColor)"""
    )
    assert re.search(r"\((2\d\d), ", paper), "paper stays paper"
    assert ("255, 255" in ground) == (theme == "light")
    shown.close(f"{width}_{theme}")


def test_the_keyboard_draws(browser):
    shown = Shown(browser, DrawingPad(NETWORKS["shipped"][0]))
    shown.page.locator(".pad").focus()
    shown.page.keyboard.press("Space")
    for _ in range(17):
        shown.page.keyboard.press("ArrowDown")
    shown.page.get_by_text("It says 1").first.wait_for()
    spoken = shown.page.locator(".spoken")
    shown.page.wait_for_function("document.querySelector('.spoken').textContent.includes('says 1')")
    assert spoken.get_attribute("aria-live") == "polite"
    shown.page.keyboard.press("Delete")
    assert shown.says.startswith("Draw a digit")
    unnamed = """[...document.querySelectorAll("button, input, [tabindex], [role=img]")]
        .filter(e => !(e.ariaLabel || e.textContent.trim() || e.closest("label")))
        .map(e => e.outerHTML)"""
    assert shown.page.evaluate(unnamed) == []
    shown.close("keyboard")
