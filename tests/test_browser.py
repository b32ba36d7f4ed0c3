"""The notebooks in JupyterLab, in a real browser: everything runs, and the panels do what a
learner expects who presses, drags and draws. In Notebook, the other front end that `jupyter`
installs, each panel is tried once.

On a temporary copy, with the sample of digits. Skipped where there is no browser.
SCREENSHOTS=folder keeps pictures of the panels.
"""

import contextlib
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
NEEDS = "needs a browser: pip install playwright && playwright install --with-deps chromium"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TOKEN = "only-for-this-test"
SETTINGS = {  # no pop-up that asks whether to fetch news
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
READY = """() => {  // a kernel is there, and at rest
    const name = document.querySelector(".jp-KernelName")?.textContent;
    const idle = document.querySelector(".jp-Notebook-ExecutionIndicator[data-status=idle]");
    return name && name !== "No Kernel" && Boolean(idle);
}"""
ALL_RAN = """() => {
    const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
    return prompts.length && prompts.every(prompt => /\\d/.test(prompt.textContent));
}"""
TOO_WIDE = """panel => {  // the parts that leave the panel or do not fit; a table may scroll
    const parts = [...panel.querySelectorAll(":not(:has(> table), table, table *)")];
    const right = panel.getBoundingClientRect().right + 1;
    const cut = part => part.matches(".widget-label") && part.scrollWidth > part.clientWidth + 1;
    return parts.filter(part => cut(part) || part.getBoundingClientRect().right > right)
        .map(part => part.className);
}"""
WATCH = """panel => {  // ms from the last movement of the pen to the last change of the answer
    panel.addEventListener("pointermove", () => { panel.moved = performance.now(); }, true);
    panel.watch ??= new MutationObserver(() => { panel.ms = performance.now() - panel.moved; });
    panel.watch.observe(panel.querySelector(".says"), { childList: true, characterData: true });
}"""
STEPS = """panel => {  // the steps of the film that are shown from now on
    panel.steps = [];
    new MutationObserver(() => {
        for (const [, step] of panel.innerText.matchAll(/step (\\d+) of/g)) panel.steps.push(+step);
    }).observe(panel, { subtree: true, childList: true, characterData: true });
}"""
OUTPUT = ".jp-OutputArea-output"


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason=NEEDS)
    with api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = next(filter(None, map(shutil.which, [*BROWSERS, own])), None)
        if not path:
            pytest.skip(NEEDS)
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        options += ["--disable-component-update", "--disable-sync", "--no-first-run"]
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository, in a folder of its own."""
    folder = tmp_path_factory.mktemp("lab") / "repository"
    leave = shutil.ignore_patterns(".*", "mnist_*.csv*", "my_digits.npz", "*.html")
    return shutil.copytree(ROOT, folder, ignore=leave)


@pytest.fixture(scope="module")
def lab(copy):
    """The address of a JupyterLab that serves the copy."""
    home = copy.parent
    (home / "config").mkdir()
    shutil.copy(ROOT / "tests" / "jupyter_server_config.py", home / "config")
    for name, settings in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
    with open(home / "lab.log", "w") as log:
        server = subprocess.Popen(
            command,
            cwd=copy,
            env=os.environ | {"MNIST_MIRRORS": ""} | {k: str(v) for k, v in places.items()},
            stdout=log,
            stderr=log,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/api?token={TOKEN}") or server.poll() is not None)
        assert server.poll() is None, (home / "lab.log").read_text()
        yield address
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:  # after a kernel's restart it may wait for ever
            server.kill()
            server.wait()


def answers(address):
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=PATIENCE):
        return True
    return False


IN_LAB, IN_NOTEBOOK = "lab/workspaces/{0}/tree/{0}.ipynb", "notebooks/{0}.ipynb"


class Notebook:
    """A notebook opened in the browser, all of its cells run."""

    def __init__(self, browser, address, name, width=1280, where=IN_LAB):
        self.errors = []
        self.page = browser.new_page(viewport={"width": width, "height": 1000})
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("console", self._listen)
        self.page.on("pageerror", self._failed)
        self.page.goto(f"{address}/{where.format(name)}?token={TOKEN}")
        self.page.wait_for_function(READY)
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_text("Run All Cells", exact=True).click()
        self.page.wait_for_function(ALL_RAN, timeout=3000 * PATIENCE)

    def _listen(self, message):
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def _failed(self, error):
        thrown = (error.stack or "").partition("\n    at ")[2].partition("\n")[0]
        if "/static/notebook/" not in thrown:  # Notebook fails where nothing but it is open, too
            self.errors.append(str(error))

    def cell(self, name):
        """The cell that shows a panel."""
        return self.page.locator(".jp-CodeCell", has=self.page.locator(f".{name}"))

    def panel(self, name):
        """The output that holds a panel."""
        panel = self.page.locator(OUTPUT, has=self.page.locator(f".{name}"))
        panel.scroll_into_view_if_needed()
        return panel

    def training(self):
        """The training panel."""
        cell = self.page.locator(".jp-CodeCell", has_text="TrainingPanel((images").last
        cell.scroll_into_view_if_needed()
        panel = cell.locator(".training-panel")
        panel.scroll_into_view_if_needed()
        return panel

    def fine(self):
        assert self.page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
        assert self.page.locator(f"{OUTPUT}[data-mime-type*=stderr]").count() == 0
        assert not self.errors

    def keep(self, what, name):
        """A screenshot, for people."""
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            what.screenshot(path=Path(folder) / f"{name}.png")


def wait_for_text(panel, pattern):
    """What the panel says, as soon as it matches. AssertionError if it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while not re.search(pattern, text := panel.inner_text()):
        assert time.monotonic() < deadline, f"no {pattern!r} in {text!r}"
        time.sleep(0.02)
    return text


@pytest.fixture(scope="module")
def network(browser, lab):
    notebook = Notebook(browser, lab, "neural_network")
    yield notebook
    notebook.page.close()


@pytest.fixture(scope="module")
def backtrack(browser, lab):
    notebook = Notebook(browser, lab, "backtrack")
    yield notebook
    notebook.page.close()


def knob(panel, label):
    """The field of a knob."""
    return panel.get_by_text(label, exact=True).locator("xpath=..").locator("input")


def turn(panel, label, value):
    knob(panel, label).fill(value)
    knob(panel, label).press("Enter")


def press(panel, name):
    panel.get_by_role("button", name=name, exact=True).click()


MOVE = """async (panel, [name, values]) => {  // ms from moving a slider to the frame that answers
    const slider = panel.querySelector(`input[type=range][aria-label="${name}"]`), took = [];
    for (const value of values) {
        const heard = panel.dataset.heard, begun = performance.now();
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
        while (panel.dataset.heard === heard) await new Promise(requestAnimationFrame);
        took.push(performance.now() - begun);
    }
    return took;
}"""
FRAMES = """async (panel, seconds) => {  // ms between the frames of a training
    const took = [];
    let last = performance.now();
    const watch = new MutationObserver(() => {
        took.push(performance.now() - last);
        last = performance.now();
    });
    watch.observe(panel, { attributeFilter: ["data-moments"] });
    await new Promise((done) => setTimeout(done, 1000 * seconds));
    watch.disconnect();
    return took.slice(1);
}"""


def at_rest(panel):
    """What the training panel says when it is through."""
    pattern = "(Done|Paused) at epoch|Nothing is learned|by heart"
    panel.page.wait_for_function("p => !p.matches('.busy')", arg=panel.element_handle())
    return wait_for_text(panel, pattern)


def percentiles(what, took):
    took = sorted(took)
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    print(f"{what}: p50 {p50:.0f} ms, p95 {p95:.0f} ms ({len(took)} times)")


def set_knob(panel, name, value):
    panel.locator("details").evaluate("more => { more.open = true; }")
    field = panel.locator(f'input[type=text][aria-label="{name}"]')
    field.fill("")
    field.press_sequentially(value)
    field.press("Enter")


def test_a_notebook_that_is_merely_opened_and_saved_stays_as_it_is(browser, copy, lab):
    path = copy / "lessons" / "1_neuron.ipynb"
    before, modified = path.read_bytes(), path.stat().st_mtime_ns
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{lab}/lab/workspaces/opened/tree/lessons/1_neuron.ipynb?token={TOKEN}")
    page.get_by_text("| Idle").wait_for()
    page.locator(".jp-mod-dirty").first.wait_for()  # by what JupyterLab knows of the language
    # Only the server's answer says that the file is whole: it is emptied first, then written.
    with page.expect_response(lambda r: r.request.method == "PUT" and "/api/contents/" in r.url):
        page.keyboard.press("Control+s")
    page.close()
    assert path.stat().st_mtime_ns > modified
    assert path.read_bytes() == before


def test_both_notebooks_run_without_a_complaint(network, backtrack):
    network.fine()
    backtrack.fine()


def test_a_knob_that_moves_trains_at_once_and_time_goes_back(network):
    panel = network.training()
    network.keep(panel, "training_before")
    slider = panel.get_by_role("slider", name="learning rate")
    slider.focus()
    network.page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "3.4", "the value is read out, no exponent"
    assert panel.get_by_role("textbox", name="learning rate").input_value() == "3.4"
    at_rest(panel)
    percentiles("a knob", panel.evaluate(MOVE, ["learning rate", [n / 20 for n in range(-6, 14)]]))
    panel.evaluate(MOVE, ["learning rate", [0.5]])
    percentiles("between frames", panel.evaluate(FRAMES, 1.5))
    network.keep(panel, "training")
    assert "Done at epoch 10" in at_rest(panel)
    network.keep(panel, "trained")
    assert float(re.search(r"([\d.]+) %", panel.inner_text())[1]) > 90
    last = int(panel.get_attribute("data-moments")) - 1
    assert 50 < last <= 300
    percentiles("a moment", panel.evaluate(MOVE, ["time", list(range(0, last, 3))]))
    panel.evaluate(MOVE, ["time", [0]])
    wait_for_text(panel, "epoch 0.00")
    assert float(re.search(r"([\d.]+) %", panel.inner_text())[1]) < 50
    network.keep(panel, "training_back")
    network.fine()


def test_pause_is_quick_and_train_goes_on(network):
    panel = network.training()
    for name, value in (("batch size", "1"), ("epochs", "50"), ("learning rate", "0.1")):
        set_knob(panel, name, value)
    wait_for_text(panel, r"Epoch [\d.]+ of 50")
    clicked = time.monotonic()
    press(panel, "Pause")
    text = at_rest(panel)
    print(f"{time.monotonic() - clicked:.2f} s to Pause")
    paused = float(re.search(r"Paused at epoch ([\d.]+\d)", text)[1])
    assert paused < 50
    assert "each_step=pause(" in panel.locator(".text input").last.input_value()
    press(panel, "Train")
    wait_for_text(panel, rf"Epoch [\d.]+ of {paused + 50:.0f}")
    press(panel, "Pause")
    text = at_rest(panel)
    assert float(re.search(r"Paused at epoch ([\d.]+\d)", text)[1]) >= paused
    press(panel, "Start over")
    wait_for_text(panel, "A new network with 100 hidden nodes")
    network.fine()


def test_a_rate_too_large_and_digits_by_heart(network):
    panel = network.training()
    press(panel, "a rate too large")
    wait_for_text(panel, "Nothing is learned: with a learning rate of 20")
    network.keep(panel, "training_too_large")
    press(panel, "fifty digits by heart")
    wait_for_text(panel, "it learns by heart")
    network.keep(panel, "training_by_heart")
    press(panel, "as it was")
    wait_for_text(panel, "Done at epoch 10")
    network.fine()


@pytest.mark.parametrize("typed", ["abc", "-5", "1e9", "12.5", "<b>"])
def test_wrong_input_is_refused_where_it_is_typed(network, typed):
    panel = network.training()
    set_knob(panel, "hidden nodes", typed)
    wait_for_text(
        panel, re.escape(f"hidden nodes, “{typed}”: expected a whole number from 1 to 500")
    )
    assert panel.get_by_role("textbox", name="hidden nodes").input_value() == "100"
    network.keep(panel, "refused")
    network.fine()


def arc(x, y, rx, ry, start, end, steps=14):
    """Points on an ellipse, angles as parts of a turn, clockwise from the right."""
    angles = [2 * math.pi * (start + (end - start) * k / steps) for k in range(steps + 1)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


STROKES = {  # by digit: points, 0..1 of the sheet, right and down
    1: [(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)],
    7: [(0.28, 0.2), (0.72, 0.2), (0.6, 0.5), (0.45, 0.85)],
    0: arc(0.5, 0.5, 0.24, 0.34, -0.25, 0.75),
    3: arc(0.48, 0.33, 0.2, 0.18, -0.4, 0.25) + arc(0.48, 0.68, 0.22, 0.18, -0.25, 0.4),
}
PLACES = {
    "large": (1, 0, 0),
    "small, upper left": (0.4, 0.03, 0.03),
    "lower right": (0.5, 0.48, 0.45),
}


def draw(page, canvas, points, size=1, right=0, down=0):
    box = canvas.bounding_box()
    for n, (x, y) in enumerate(points):
        x = box["x"] + (right + size * x) * box["width"]
        y = box["y"] + (down + size * y) * box["height"]
        page.mouse.move(x, y, steps=3)
        if n == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("digit", STROKES)
def test_drawn_digits_are_read(network, digit, place):
    panel = network.panel("DrawingPad")
    press(panel, "Clear")
    wait_for_text(panel, "Draw a digit")
    panel.evaluate(WATCH)
    draw(network.page, panel.locator(".pad"), STROKES[digit], *PLACES[place])
    wait_for_text(panel, f"It says {digit}, with")
    panel.page.wait_for_function(  # the last answer is there
        "panel => performance.now() - panel.moved > panel.ms + 300", arg=panel.element_handle()
    )
    text, ms = panel.locator(".says").inner_text(), panel.evaluate("panel => panel.ms")
    print(f"{digit}, {place}: {text} {ms:.0f} ms after the pen was still")
    network.keep(panel, f"drawn_{digit}_{place.split()[-1]}")
    assert f"It says {digit}" in text
    assert ms < 1000
    press(panel, "Clear")
    wait_for_text(panel, "Draw a digit")
    network.fine()


def test_it_learns_what_it_is_told(network):
    panel, page = network.panel("TeachingPad"), network.page
    draw(page, panel.locator(".pad"), [(0.25, 0.45), (0.62, 0.12), (0.62, 0.88)])  # a flagged 1
    assert not wait_for_text(panel, "It says .* with").startswith("It says 1")
    begun = time.perf_counter()
    panel.get_by_role("button", name="1", exact=True).first.click()
    wait_for_text(panel, "It says 1, with")
    wait_for_text(panel, "It has learned from 1 drawing")
    print(f"a correction: {time.perf_counter() - begun:.2f} s")
    draw(page, panel.locator(".pad"), [(0.15, 0.55), (0.4, 0.85), (0.85, 0.15)])
    name = panel.get_by_label("A sign of your own")
    name.press_sequentially("tick")  # no letter of it reaches JupyterLab
    begun = time.perf_counter()
    name.press("Enter")
    wait_for_text(panel, "It says tick, with")
    wait_for_text(panel, "It has learned from 2 drawings")
    print(f"a new sign: {time.perf_counter() - begun:.2f} s")
    network.keep(panel, "taught")
    press(panel, "Forget all")
    wait_for_text(panel, "no drawings of yours")
    network.fine()


def test_draw_with_a_finger(network):
    panel = network.panel("DrawingPad")
    press(panel, "Clear")
    wait_for_text(panel, "Draw a digit")  # it is in sight, and stays there
    box = panel.locator(".pad").bounding_box()
    finger = network.page.context.new_cdp_session(network.page)
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in STROKES[3]]
    before = network.page.locator(".jp-WindowedPanel-outer").first.evaluate("e => e.scrollTop")
    for n, (x, y) in enumerate(points):
        touch = {"type": "touchMove" if n else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        finger.send("Input.dispatchTouchEvent", touch)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_for_text(panel, "It says 3")
    after = network.page.locator(".jp-WindowedPanel-outer").first.evaluate("e => e.scrollTop")
    assert before == after, "a finger draws, it does not scroll the page"
    press(panel, "Clear")
    network.fine()


def test_it_answers_while_the_kernel_is_at_work(network):
    panel, page = network.panel("DrawingPad"), network.page
    cell = network.cell("DrawingPad")
    cell.locator(".jp-InputPrompt").first.click()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.type("import time; time.sleep(600)")
    page.keyboard.press("Control+Enter")
    sleeps = page.locator(".jp-CodeCell", has_text="time.sleep(600)")
    sleeps.get_by_text("[*]:").wait_for()
    draw(page, panel.locator(".pad"), STROKES[7])
    wait_for_text(panel, "It says 7, with")
    panel.locator(".pad").press("Delete")  # neither a cell goes, nor does another become the active
    panel.locator(".pad").press("Space")
    for _ in range(17):
        panel.locator(".pad").press("ArrowDown")
    wait_for_text(panel, "It says 1, with")
    assert page.get_by_text("| Busy").count(), "that was without the kernel"
    sleeps.locator(".jp-InputPrompt").click()
    for key in "iidd":  # interrupt, delete the cell
        page.keyboard.press(key)
    page.get_by_text("| Idle").wait_for()
    press(panel, "Clear")
    network.fine()


def test_pick_a_hidden_node(network):
    panel = network.panel("NeuronExplorer")
    before = panel.locator("img.widget-image").get_attribute("src")
    turn(panel, "hidden node", "42")
    wait_for_text(panel, "Node 42 speaks loudest for the digit")
    assert panel.locator("img.widget-image").get_attribute("src") != before
    network.keep(panel, "node")
    network.fine()


def test_pick_another_digit_and_see_the_picture_change(backtrack):
    panel = backtrack.panel("ImaginePanel")
    wait_for_text(panel, "Imagined, a 3")
    images = panel.locator("img")
    before = [images.nth(n).get_attribute("src") for n in (0, 1)]
    press(panel, "7")
    wait_for_text(panel, "Imagined, a 7:")
    after = [images.nth(n).get_attribute("src") for n in (0, 1)]
    assert before[0] != after[0] and before[1] != after[1]
    backtrack.keep(panel, "imagined_7")
    backtrack.fine()


def test_the_film_plays(backtrack):
    panel = backtrack.panel("ImaginePanel")
    wait_for_text(panel, "step 200 of 200")
    panel.evaluate(STEPS)
    panel.locator(".widget-play button").first.click()
    wait_until(lambda: panel.evaluate("p => Math.min(...p.steps) < 20 && p.steps.at(-1) == 200"))
    assert len(set(panel.evaluate("panel => panel.steps"))) > 20
    backtrack.fine()


def test_own_outputs_and_a_blend(backtrack):
    panel = backtrack.panel("ImaginePanel")
    panel.locator(".widget-vslider .noUi-handle").nth(5).focus()
    backtrack.page.keyboard.press("End")
    wait_for_text(panel, "Imagined, these outputs:")
    panel.locator(".widget-hslider .noUi-handle").first.focus()
    backtrack.page.keyboard.press("ArrowRight")
    wait_for_text(panel, "Imagined, 45% 4, 55% 9:")
    backtrack.keep(panel, "blend")
    backtrack.fine()


def test_the_pen_writes_stroke_by_stroke(backtrack):
    panel = backtrack.panel("ImaginePanel")
    press(panel, "7")
    press(panel, "pen")
    wait_for_text(panel, "Written, a 7:")
    panel.locator(".widget-play button").first.click()
    wait_for_text(panel, r"piece \d of 48")
    wait_for_text(panel, "piece 48 of 48")
    backtrack.keep(panel, "written_7")
    press(panel, "canvas")
    wait_for_text(panel, "Imagined, a 7:")
    backtrack.fine()


CELLS = """import numpy as np, mnist, storage
from imagine import canvas_of
from nn import NeuralNetwork
from panels import *
train, test = mnist.load_sample()
images, labels, net = train.images[:500], train.labels[:500], storage.load("data/digits.npz")

TrainingPanel((images, labels), (test.images, test.labels))

NeuronExplorer(net, images, labels)

DrawingPad(net)

BlamePanel(NeuralNetwork(), images, labels, epochs=1)

ImaginePanel(net, canvas_of(images))

PlanePanel()

LandscapePanel(np.array([[0, 1.0], [1, 0], [1, 1]]), [0, 1, 1])"""


def written(path, cells):
    """A new notebook of these cells."""
    parts = {"execution_count": None, "metadata": {}, "outputs": []}
    content = {"cells": [{"cell_type": "code", "source": cell} | parts for cell in cells]}
    content["metadata"] = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path.write_text(json.dumps(content | {"nbformat": 4, "nbformat_minor": 4}))


def test_each_panel_in_notebook(browser, copy, lab):
    written(copy / "panels.ipynb", CELLS.split("\n\n"))
    notebook = Notebook(browser, lab, "panels", where=IN_NOTEBOOK)
    training, blame = notebook.page.locator(".training-panel"), notebook.page.locator(".blame")
    press(training, "Train")
    wait_for_text(training, "Done at epoch 10")
    training.evaluate(MOVE, ["time", [0]])
    wait_for_text(training, "epoch 0.00")
    explorer, pad = notebook.panel("NeuronExplorer"), notebook.panel("DrawingPad")
    turn(explorer, "hidden node", "42")
    wait_for_text(explorer, "Node 42 speaks loudest")
    pad.scroll_into_view_if_needed()
    draw(notebook.page, pad.locator(".pad"), STROKES[7])
    wait_for_text(pad, "It says 7, with")
    for key in ("PageDown", "Enter"):
        blame.locator("canvas").press(key)
    wait_for_text(blame, "Weight from hidden node .* to output 0")
    press(blame, "One step")
    wait_for_text(blame, "1 step of yours")
    imagining, plane = notebook.panel("ImaginePanel"), notebook.panel("PlanePanel")
    press(imagining, "7")
    wait_for_text(imagining, "Imagined, a 7:")
    landscape = notebook.panel("LandscapePanel")
    for panel in (plane, landscape):
        press(panel, "Step")
        wait_for_text(panel, "after 1 step")
    count = notebook.page.locator(".jp-Cell").count()
    for place in (
        training.locator("button"),
        blame.locator("canvas"),
        plane.locator("svg"),
        landscape.locator(".ball"),
        pad.locator(".pad"),
    ):
        for key in "ab":
            place.first.press(key)
        assert notebook.page.locator(".jp-Cell").count() == count, "a and b make no cells"
    for width in (1400, 600):
        notebook.page.set_viewport_size({"width": width, "height": 1000})
        for panel in (training, explorer, blame, imagining, landscape):
            wait_until(lambda panel=panel: not panel.evaluate(TOO_WIDE))
    notebook.fine()
    notebook.page.close()


def test_nothing_is_cut_off_in_a_narrow_window(network, backtrack):
    panels = [(network, name) for name in ("TrainingPanel", "NeuronExplorer", "DrawingPad")]
    for notebook, name in [*panels, (backtrack, "ImaginePanel")]:
        notebook.page.set_viewport_size({"width": 900, "height": 1000})
        panel = notebook.training() if name == "TrainingPanel" else notebook.panel(name)
        notebook.keep(panel, f"narrow_{name}")
        too_wide = panel.evaluate(TOO_WIDE)
        assert not too_wide


def test_a_restart_of_the_kernel_is_said(network):  # the last one, as it ends the panels
    panel = network.training()
    network.page.get_by_role("menuitem", name="Kernel", exact=True).click()
    network.page.get_by_text("Restart Kernel…", exact=True).first.click()
    network.page.locator(".jp-Dialog .jp-mod-accept").click()
    # JupyterLab scrolls, and what is out of sight has no inner_text
    wait_until(lambda: "The kernel has stopped or was restarted" in panel.text_content())
    network.page.get_by_text("| Idle").wait_for()
