"""Film the panels: pytest tests/film_panels.py

data/panel_blame.png, panel_landscape.png, panel_plane_hidden.png, panel_teaching.png and
panel_training.png, each an animated PNG of a panel at work in Chromium: a few colours, below 600
kB. Where nothing moves, its first picture is seen.
"""

import io

import numpy as np
import test_browser
from PIL import Image
from test_browser import IN_NOTEBOOK, Notebook, at_rest, written
from test_browser_blame import Visit
from test_plane import landscape, plane
from test_teaching import Taught

import mnist
from nn import NeuralNetwork
from panels import BlamePanel, TeachingPad
from storage import load

browser, copy, lab = test_browser.browser, test_browser.copy, test_browser.lab  # the fixtures
DATA = test_browser.ROOT / "data"
MOST, COLORS = 600_000, 32  # bytes of a film; all of it in so many colours
TRAINING = """import mnist
from panels import TrainingPanel
train, test = mnist.load_sample()
panel = TrainingPanel((train.images, train.labels), (test.images, test.labels))
panel.turn(learning_rate=0.03, batch_size=4, epochs=8)
panel"""


def shot(part):
    """A picture of part of a page, a pixel of which counts as one."""
    picture = Image.open(io.BytesIO(part.screenshot())).convert("RGB")
    density = part.page.evaluate("devicePixelRatio")
    return picture.reduce(int(density))


def on_white(picture, size):
    """A picture with a margin, cut or filled up to a size."""
    page = Image.new("RGB", size, "white")
    page.paste(picture.crop((0, 0, size[0] - 20, min(picture.height, size[1] - 20))), (10, 10))
    return page


def save(name, still, shots, milliseconds):
    """A picture that may stand alone, for a while; then the film, all as large."""
    room = still.width + 20, still.height + 20
    shots = [on_white(one, room) for one in (still, *shots)]
    pixels = np.concatenate([np.asarray(picture).reshape(-1, 3) for picture in shots[::3]])
    colors, counts = np.unique(pixels, axis=0, return_counts=True)
    colors = colors.repeat(np.ceil(counts**0.4).astype(int), axis=0)  # rare ones count, too
    palette = Image.fromarray(colors[None]).quantize(COLORS, Image.Quantize.MEDIANCUT, kmeans=1)
    frames = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in shots]
    times = [3000, *[milliseconds] * (len(shots) - 2), 2000]
    path = DATA / f"panel_{name}.png"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, optimize=True)
    print(f"{path.name}: {len(frames)} pictures, {path.stat().st_size / 1000:.0f} kB")
    assert path.stat().st_size < MOST


def test_blame(browser):
    """A few steps, which the outputs follow, and back."""
    train, _ = mnist.load_sample()
    visit = Visit(
        browser, BlamePanel(NeuralNetwork(), train.images[:9], train.labels[:9]), 860, 900
    )
    root, shots = visit.page.locator(".blame"), []
    for do in ("", *["One step"] * 4, *["Back"] * 4):
        if do:
            visit.page.get_by_role("button", name=do).click()
        visit.page.mouse.move(0, 0)
        shots.append(shot(root))
    save("blame", shots[0], shots, 700)
    visit.close()


def test_plane(browser):
    """The boundary bends until it parts what no line can part."""
    shown = plane(browser, "exclusive or", hidden=4, learning_rate=3, width=860)
    shots = []
    for steps in (0, 20, 40, 40, *[50] * 11, 200):
        shown.page.evaluate(f"view.train({steps})")
        shots.append(shot(shown.page.locator(".stage")))
    save("plane_hidden", shots[-1], shots, 300)
    shown.page.close()


def test_landscape(browser):
    """The ball runs down the ravine, with momentum."""
    shown = landscape(browser, 860, learning_rate=0.3, momentum=0.8)
    shown.press("ravine")
    shown.page.evaluate("view.put([-1, 2])")
    shots = []
    for steps in (0, *[1] * 12, *[4] * 6):
        shown.page.evaluate(
            f"for (let k = 0; k < {steps}; k++) view.step(); view.part = 1; view.show()"
        )
        shots.append(shot(shown.page.locator(".stage")))
    save("landscape", shots[-1], shots, 250)
    shown.page.close()


def test_teaching(browser):
    """A heart is drawn, and named; the next one is known."""
    parts = [part[:2] for part in mnist.load_sample()]
    shown = Taught(browser, TeachingPad(load(DATA / "default.npz"), *parts), width=860)
    shown.page.set_viewport_size({"width": 860, "height": 900})
    stage, shots = shown.page.locator(".stage").first, []

    def draw(scale, left, top):
        places = [(left + scale * x, top + scale * y) for x, y in HEART]
        for way in (places[:4], places[3:7], places[6:]):
            shown.draw(way)
            shots.append(shot(stage))

    draw(0.19, 0.12, 0.1)
    shots += [shots[-1]] * 3
    name = shown.page.get_by_label("A sign of your own")
    name.fill("heart")
    name.press("Enter")
    (message,) = shown.page.evaluate("asked.splice(0)")
    shown.pad._asked(**message)
    while shown.pad.learning.busy:
        shown.receive()
        shots.append(shot(stage))
    shown.receive()
    shots += [shot(stage)] * 4  # a second
    draw(0.17, 0.2, 0.16)
    save("teaching", shots[-1], shots, 300)
    shown.close("film")


HEART = [(2, 4), (0, 2), (0, 1), (1, 0), (2, 1), (3, 0), (4, 1), (4, 2), (2, 4)]
ROLL = """steps => {
    for (let k = 0; k < steps; k++) view.step();
    view.part = 1;
    view.show();
}"""


def test_training(browser, copy, lab):
    """A knob is dragged; the network learns anew, its curve and its hidden nodes form."""
    written(copy / "film.ipynb", [TRAINING])
    notebook = Notebook(browser, lab, "film", where=IN_NOTEBOOK)
    notebook.page.set_viewport_size({"width": 850, "height": 1400})
    panel, shots = notebook.page.locator(".training-panel"), []
    at_rest(panel)
    slider = panel.get_by_role("slider", name="learning rate")
    for rate in (0.03, 0.06, 0.15, 0.5):
        slider.evaluate(DRAG, float(np.log10(rate)))
        shots.append(shot(panel))
    while "busy" in panel.get_attribute("class"):
        shots.append(shot(panel))
    at_rest(panel)
    few = np.unique(np.linspace(4, len(shots) - 1, 6).astype(int))
    done = shot(panel)
    save("training", done, [*shots[:4], *[shots[k] for k in few], done], 250)
    notebook.page.close()


DRAG = """(slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
}"""
