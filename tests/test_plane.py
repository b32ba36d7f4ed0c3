"""The plane and the landscape, in Python and in a real browser without JupyterLab: what is learned
there is what nn.py learns. Skipped where there is no browser; -s prints times, SCREENSHOTS=folder
keeps pictures.
"""

import base64
import os
from pathlib import Path

import numpy as np
import pytest
import test_browser

from optimisers import nesterov
from panels import LandscapePanel, PlanePanel
from panels.plane import network

browser = test_browser.browser  # the fixture
SHOW = """async ({script, look, values, theme, bytes}) => {
    const url = URL.createObjectURL(new Blob([script], {type: "text/javascript"}));
    const {default: {render}} = await import(url);
    const listeners = [];
    window.saved = 0;
    for (const name of bytes) {  // at an odd place, as they come in a message
        const all = Uint8Array.from(" " + atob(values[name]), character => character.charCodeAt(0));
        values[name] = new DataView(all.buffer, 1);
    }
    window.values = values;
    window.hear = name => listeners.filter(([event]) => event === `change:${name}`)
        .forEach(([, f]) => f());
    const model = {
        get: name => values[name],
        set: (name, value) => { values[name] = value; hear(name); },
        on: (...listener) => listeners.push(listener),
        off: (event, f) => listeners.splice(listeners.findIndex(l => l[1] === f), 1),
        save_changes: () => { saved++; },
    };
    window.heard = () => listeners.length;
    document.body.dataset.jpThemeLight = theme === "light";
    document.body.append(Object.assign(document.createElement("style"), {textContent: look}));
    const el = document.createElement("div");
    window.gone = render({model, el});
    window.view = el.view;
    document.body.append(el);  // after it is made, as JupyterLab does
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}"""
SENT = """name => {
    const {buffer, byteOffset, byteLength} = values[name];
    return Array.from(new Uint8Array(buffer, byteOffset, byteLength));
}"""
UNNAMED = """[...document.querySelectorAll("button, input, [tabindex], [role]")]
    .filter(e => !(e.getAttribute("aria-label") || e.textContent.trim() || e.closest("label")))
    .map(e => e.outerHTML)"""


class Shown:
    """A panel in the browser, and what went wrong."""

    def __init__(self, browser, panel, traits, bytes=(), width=1000, theme="light"):
        self.panel, self.traits, self.bytes, self.errors = panel, traits, bytes, []
        self.page = browser.new_page(
            viewport={"width": width, "height": 900}, device_scale_factor=2
        )
        self.page.set_default_timeout(30_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        values = {name: getattr(panel.box, name) for name in (*traits, *bytes)}
        values |= {name: base64.b64encode(values[name]).decode() for name in bytes}
        given = {"script": panel.box._esm, "look": panel.box._css, "bytes": list(bytes)}
        self.page.evaluate(SHOW, given | {"values": values, "theme": theme})

    def receive(self):
        """Give the kernel what the browser has sent."""
        state = {name: self.page.evaluate("name => values[name]", name) for name in self.traits}
        sent = [name for name in self.bytes if name in ("start", "parameters")]
        for name in sent:  # as a message brings it
            state[name] = memoryview(bytes(self.page.evaluate(SENT, name)))
        self.panel.box.set_state(state)

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def close(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        assert not self.errors
        self.page.close()


def plane(browser, *arguments, width=1000, theme="light", **options):
    traits = ("presets", "points", "hidden", "learning_rate", "steps")
    panel = PlanePanel(*arguments, **options)
    return Shown(browser, panel, traits, ("start", "parameters"), width, theme)


def drag(shown, locator, to):
    """With the mouse, to a place of the plane."""
    box = shown.page.locator(".picture svg").bounding_box()
    one = locator.bounding_box()
    shown.page.mouse.move(one["x"] + one["width"] / 2, one["y"] + one["height"] / 2)
    shown.page.mouse.down()
    x, y = (to[0] + 1.5) / 3, (1.5 - to[1]) / 3
    shown.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
    shown.page.mouse.up()


@pytest.mark.parametrize("hidden", [0, 1, 8])
def test_the_same_start_and_steps_give_the_weights_of_nn(browser, hidden):
    shown = plane(browser, "moons", hidden=hidden, learning_rate=0.8, seed=hidden)
    net = shown.panel.net
    shown.page.evaluate("view.train(38)")
    shown.press("Step")
    shown.press("Step")
    shown.receive()
    assert shown.panel.steps == 40
    whole = dict(batch_size=None, rotations=(), progress=False)
    net.train(shown.panel.places, shown.panel.kinds, epochs=40, learning_rate=0.8, **whole)
    ours, theirs = (np.concatenate([a.ravel() for a in n.weights + n.biases])
                    for n in (net, shown.panel.net))  # fmt: skip
    assert np.abs(ours - theirs).max() < 1e-5
    loss = float(shown.page.locator(".told b").inner_text())
    assert loss == pytest.approx(net.loss(shown.panel.places, shown.panel.kinds), abs=6e-4)
    shown.close(f"plane_{hidden}_nodes")


def test_it_learns_exclusive_or_and_goes_back(browser):
    shown = plane(browser, "exclusive or", hidden=4, learning_rate=3)
    first = shown.panel.net
    shown.press("Run")
    shown.page.wait_for_function("view.loss < 0.05")
    shown.press("Pause")
    shown.receive()
    assert shown.panel.net.predict(shown.panel.places).tolist() == [0, 1, 1, 0]
    assert "4 of 4 right" in shown.page.locator(".told").inner_text()
    times = sorted(shown.page.evaluate("view.film.times"))
    print(f"\nframe: median {times[len(times) // 2]:.1f} ms, "
          f"95 % within {times[int(0.95 * len(times))]:.1f} ms")  # fmt: skip
    if os.environ.get("SCREENSHOTS"):
        shown.page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / "plane_learned.png")
    shown.press("Again")
    shown.receive()
    assert shown.panel.steps == 0
    assert np.array_equal(shown.panel.net.weights[0], first.weights[0])
    shown.press("New start")
    shown.receive()
    assert not np.array_equal(shown.panel.net.weights[0], first.weights[0])
    shown.close("plane_again")


def test_points_and_lines_are_dragged(browser):
    shown = plane(browser, "exclusive or", hidden=0)
    drag(shown, shown.page.locator(".dot").first, (0.5, -0.25))
    shown.receive()
    assert shown.panel.places[0] == pytest.approx([0.5, -0.25], abs=0.02)
    drag(shown, shown.page.locator(".foot"), (-0.4, 0.3))
    shown.receive()
    net = shown.panel.net
    assert net.outputs(np.array([[-0.4, 0.3]]))[0, 0] == pytest.approx(0.5, abs=0.02)
    drag(shown, shown.page.locator(".tip_of"), (-0.1, 0.3))
    shown.receive()
    weights = shown.panel.net.weights[0][:, 0]
    assert weights[0] > 1 and abs(weights[1]) < 0.1 * weights[0]
    box = shown.page.locator(".picture svg").bounding_box()
    shown.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.4 * box["height"])
    shown.receive()
    assert len(shown.panel.places) == 5
    assert shown.panel.places[4] == pytest.approx([0.75, 0.3], abs=0.02)
    assert shown.panel.kinds[4] == 1
    shown.close("plane_dragged")


def test_the_keyboard_moves_everything(browser):
    shown = plane(browser, "exclusive or", hidden=2)
    keyboard = shown.page.keyboard
    shown.page.locator(".dot").first.focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowUp")
    keyboard.press("Space")
    shown.receive()
    assert shown.panel.box.points[0] == pytest.approx([-0.95, -0.95, 1])
    keyboard.press("PageDown")
    keyboard.press("Delete")
    keyboard.press("Enter")
    shown.receive()
    assert [point[:2] for point in shown.panel.box.points[2:]] == [[1, 1], [0, 0]]
    keyboard.press("PageDown")
    assert "weights of node 1" in shown.page.evaluate("document.activeElement.ariaLabel")
    before = shown.panel.net.weights[0][:, 0]
    keyboard.press("ArrowUp")
    shown.page.wait_for_timeout(250)
    keyboard.press("ArrowUp")
    shown.receive()
    assert not np.allclose(shown.panel.net.weights[0][:, 0], before)
    assert shown.page.evaluate(UNNAMED) == []
    shown.page.get_by_label("Hidden nodes").press("ArrowRight")
    shown.receive()
    assert shown.panel.net.layers == (2, 3, 1)
    shown.close("plane_keyboard")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 600, 1000])
def test_the_plane_fits(browser, width, theme):
    shown = plane(browser, "rings", hidden=6, learning_rate=3, width=width, theme=theme)
    shown.page.evaluate("view.train(1500)")
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.close(f"plane_{width}_{theme}")


def test_what_the_kernel_sets_is_shown_and_listeners_go(browser):
    shown = plane(browser, "moons", hidden=3)
    shown.page.evaluate("values.points = [[0, 0, 1]]; hear('points')")
    assert shown.page.locator(".dot").count() == 1
    shown.page.evaluate("gone()")
    assert shown.page.evaluate("heard()") == 0
    shown.close("plane_kernel")


def test_what_python_holds():
    panel = PlanePanel(([[0, 0], [1, 1]], [0, 1]), hidden=0)
    assert panel.net.layers == (2, 1)
    assert panel.places.tolist() == [[0, 0], [1, 1]] and panel.kinds.tolist() == [[0], [1]]
    panel.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": "spiral"},
        {"points": ([[0, 2]], [1])},
        {"points": ([[0, 1]], [2])},
        {"hidden": 9},
        {"hidden": -1},
        {"learning_rate": 0},
        {"learning_rate": np.nan},
    ],
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}: expected"):
        PlanePanel(**wrong)


def messages(seed=0):
    """Those of lesson 1: how often two words come up, and whether it was spam."""
    labels = np.arange(300) % 2
    usual = np.where(labels[:, None] == 1, [1.5, 1.2], [0.5, 0.8])
    return np.random.default_rng(seed).gamma(2, usual / 2), labels


def landscape(browser, width=1000, theme="light", **options):
    traits = ("bias", "bottom", "learning_rate", "momentum", "scale", "start", "weights", "steps")
    panel = LandscapePanel(*messages(), -2.5, **options)
    return Shown(browser, panel, traits, ("inputs", "targets"), width, theme)


def only_weights(momentum):
    """The optimiser, for a bias that stays."""
    descend = nesterov(momentum)

    def descent(net, steps, rate):
        bias = net.biases[0].copy()
        descend(net, steps, rate)
        net.biases[0][:] = bias

    return descent


@pytest.mark.parametrize("momentum", [0, 0.8])
def test_the_ball_goes_as_nn_does(browser, momentum):
    shown = landscape(browser, learning_rate=1, momentum=momentum)
    shown.page.evaluate("for (let i = 0; i < 19; i++) view.step()")
    shown.press("Step")
    shown.receive()
    net = network(0)
    net.weights[0][:], net.biases[0][:] = 0, -2.5
    x, t = messages()
    whole = dict(batch_size=None, rotations=(), progress=False, descend=only_weights(momentum))
    net.train(x, t[:, None].astype(float), epochs=20, learning_rate=1, **whole)
    assert shown.panel.steps == 20
    assert shown.panel.weights == pytest.approx(net.weights[0][:, 0], abs=1e-5)
    shown.close(f"landscape_{momentum}")


def steps_of(shown, rate, momentum=0.0):
    """How many steps the ball makes until it stops, and what is said then."""
    setting = f"view.rate = {rate}; view.momentum = {momentum}; view.changed(); view.put([0, 0])"
    shown.page.evaluate(f"{setting}; while (!view.over) view.step(); view.part = 1; view.show()")
    return shown.page.evaluate("[view.steps, view.over]")


def test_too_small_right_too_large_and_momentum_in_the_ravine(browser):
    shown = landscape(browser)
    small, right, large = (steps_of(shown, rate)[0] for rate in (0.1, 3, 15))
    print(f"\nvalley: {small} steps at 0.1, {right} at 3, {large} at 15")
    assert right < small and right < large == 120
    shown.press("ravine")
    plain, heavy = steps_of(shown, 0.3)[0], steps_of(shown, 0.3, 0.8)[0]
    print(f"ravine: {plain} steps without momentum, {heavy} with")
    assert heavy < plain / 2
    shown.close("landscape_ravine")


def test_the_ball_rolls_and_is_put_elsewhere(browser):
    shown = landscape(browser)
    shown.press("Run")
    shown.page.wait_for_function("view.over && !view.film.running")
    assert "It is there." in shown.page.locator(".told").inner_text()
    times = sorted(shown.page.evaluate("view.film.times"))
    print(f"\nframe: median {times[len(times) // 2]:.1f} ms, "
          f"95 % within {times[int(0.95 * len(times))]:.1f} ms")  # fmt: skip
    shown.receive()
    assert shown.panel.weights == pytest.approx(shown.panel.box.bottom, abs=0.4)
    shown.page.locator(".ball").press("ArrowLeft")
    shown.receive()
    assert shown.panel.steps == 0
    moved = shown.panel.weights
    box = shown.page.locator(".picture svg").bounding_box()
    shown.page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"])
    shown.receive()
    assert np.abs(shown.panel.weights - moved).max() > 0.1
    assert shown.page.evaluate(UNNAMED) == []
    shown.page.evaluate("gone()")
    assert shown.page.evaluate("heard()") == 0
    shown.close("landscape_put")


@pytest.mark.parametrize("width, theme", [(360, "light"), (600, "dark"), (1000, "dark")])
def test_the_landscape_fits(browser, width, theme):
    shown = landscape(browser, width, theme)
    steps_of(shown, 15)
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.close(f"landscape_{width}_{theme}")


@pytest.mark.parametrize("panel", ["plane", "landscape"])
def test_another_theme_paints_it_anew(browser, panel):
    shown = plane(browser) if panel == "plane" else landscape(browser)
    pixels = "document.querySelector('.picture canvas').toDataURL()"
    before = shown.page.evaluate(pixels)
    shown.page.evaluate("document.body.dataset.jpThemeLight = false")
    shown.page.wait_for_function(f"before => {pixels} !== before", arg=before)
    shown.close(f"{panel}_theme")


def test_what_makes_no_landscape_is_refused():
    with pytest.raises(ValueError, match="x: expected two inputs"):
        LandscapePanel(np.zeros((3, 3)), [0, 1, 0])
    with pytest.raises(ValueError, match="momentum"):
        LandscapePanel(*messages(), momentum=1)


def test_where_all_answers_are_the_same_there_is_no_border(browser):
    shown = plane(browser, "exclusive or")
    shown.page.evaluate("view.net.weights[0].data.fill(0); view.net.biases[0].data.fill(0)")
    shown.page.evaluate("view.show()")
    assert shown.page.locator(".edge").get_attribute("d") == ""
    assert "everywhere." in shown.page.locator(".told").inner_text()
    shown.page.close()


def test_what_is_pressed_gets_no_ring_of_the_browsers_own(browser):
    """It would be measured in the units of the picture: a disc over all of it."""
    shown = plane(browser, "exclusive or")
    shown.page.locator(".dot").first.dispatch_event("pointerdown", {"pointerId": 1, "button": 0})
    shown.page.locator(".dot").first.focus()
    style = "e => getComputedStyle(e).outlineStyle"
    assert shown.page.locator(".dot").first.evaluate(style) == "none"
    shown.page.close()
