"""The page in a real browser: that it computes what the Python computes, and does what a visitor
expects who draws, points, types and presses Train. Skipped where there is no browser.

It is opened from disk. -s prints the largest differences, the speeds and the size;
SCREENSHOTS=folder keeps pictures.
"""

import base64
import functools
import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest
import test_browser
from conftest import PATIENCE, ROOT
from PIL import Image, ImageDraw
from test_browser import PLACES, STROKES, draw

import handwriting
import nn
from imagine import canvas_of, imagine
from page import build
from storage import load, save

browser = test_browser.browser  # the fixture
PAGE = ROOT / "page" / "digits.html"
TO_JS = """({rows, columns, bytes, pixels}) => new Matrix(rows, columns,
    pixels ? bytes_of(bytes) : new Float32Array(bytes_of(bytes).buffer))"""
DEFAULT = {}
RELU = {"hidden": "relu", "output": "softmax", "loss": "cross-entropy", "biases": True}


class Visit:
    """The page, opened from disk, and what went wrong and out."""

    def __init__(self, browser, width=1400, **options):
        height = 900 if width > 400 else 740
        options |= {"viewport": {"width": width, "height": height}, "has_touch": width < 400}
        self.context, self.errors, self.requests = browser.new_context(**options), [], []
        self.page = self.context.new_page()
        self.page.set_default_timeout(1000 * PATIENCE)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._listen)
        self.page.goto(PAGE.as_uri())
        self.page.wait_for_selector("[data-ready]")

    def _listen(self, message):
        if message.type in ("error", "warning") and "willReadFrequently" not in message.text:
            self.errors.append(message.text)

    def run(self, code, **arrays):
        """What the JavaScript `code` returns, given arrays by name."""
        given = {name: to_js(array) for name, array in arrays.items()}
        names = ", ".join(arrays)
        return self.page.evaluate(
            f"""given => {{
                const to_js = {TO_JS};
                const values = Object.values(given);
                const [{names}] = values.map(value => value.rows ? to_js(value) : value);
                {code}
            }}""",
            given,
        )

    def numbers(self, code, **arrays):
        """The matrices that the list `code` holds, as NumPy arrays."""
        text = self.run(
            f"""{code}
            return JSON.stringify(result.map(m => [m.rows, m.columns, Array.from(m.data)]));""",
            **arrays,
        )
        return [np.array(flat).reshape(rows, columns) for rows, columns, flat in json.loads(text)]

    def until(self, condition):
        """Wait for a condition in JavaScript. (The page forbids what wait_for_function does.)"""
        deadline = time.monotonic() + PATIENCE
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            time.sleep(0.05)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def keep(self, name, **options):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"page_{name}.png", **options)

    def fine(self):
        assert not self.errors
        assert self.requests == [PAGE.as_uri()], "nothing but the file itself is asked for"


def to_js(array):
    if not isinstance(array, np.ndarray):
        return array
    pixels = array.dtype == np.uint8
    array = np.ascontiguousarray(np.atleast_2d(array), np.uint8 if pixels else np.float32)
    rows, columns = array.shape
    text = base64.b64encode(array.tobytes()).decode()
    return {"rows": rows, "columns": columns, "bytes": text, "pixels": pixels}


@pytest.fixture(scope="module")
def visit(browser):
    visit = Visit(browser)
    yield visit
    visit.context.close()


@pytest.fixture(scope="module")
def net():
    return load(ROOT / "data" / "digits.npz")


def compared(what, ours, theirs, most=1e-5):
    """The largest difference, as a share of the largest number of its array, is printed, and must
    not be above `most`."""
    assert len(ours) == len(theirs) > 0
    assert [one.shape for one in ours] == [np.atleast_2d(other).shape for other in theirs]
    difference = max(
        abs(one - other).max() / (abs(other).max() or 1)
        for one, other in zip(ours, theirs, strict=True)
    )
    print(f"{what}: {difference:.1e}")
    assert difference <= most


def weights_of(net):
    return {f"p{i}": p for i, p in enumerate(net.weights + net.biases)}


def network_in_js(net, options):
    """JavaScript that makes `net` the same network."""
    names, layers = list(weights_of(net)), len(net.weights)
    return (
        f"const net = new NeuralNetwork({list(net.layers)}, {json.dumps(options)});"
        f"net.weights = [{', '.join(names[:layers])}]; net.biases = [{', '.join(names[layers:])}];"
    )


# --- The same as the Python -----------------------------------------------------------------------


def test_the_shipped_network_says_the_same(visit, net, sample):
    images = sample[1].images[:200]
    result = visit.numbers("const result = stage.net.forward(images);", images=images)
    compared("inputs, hidden nodes and outputs of 200 digits", result, net.forward(images))


@pytest.mark.parametrize("options", [DEFAULT, RELU], ids=["sigmoid", "relu"])
@pytest.mark.parametrize("rows", [1, 7, 32])  # odd ones too: the product takes two rows at a time
def test_deltas_gradients_and_slopes_by_the_inputs(visit, sample, options, rows):
    net = nn.NeuralNetwork((784, 33, 10), seed=3, **options)
    images, labels = sample[0].images[:rows], sample[0].labels[:rows]
    result = visit.numbers(
        f"""{network_in_js(net, options)}
        const result = [...net.deltas(net.forward(images), labels),
            ...net.backprop(images, labels, 3).flat(), net.input_gradient(images, labels)];""",
        images=images,
        labels=labels.tolist(),
        **weights_of(net),
    )
    by_weights, by_biases = net.backprop(images, labels, scale=3)
    theirs = net.deltas(net.forward(images), labels) + by_weights + by_biases
    theirs.append(net.input_gradient(images, labels))
    compared(f"deltas, gradients, input gradient of {rows}", result, theirs)


@pytest.mark.parametrize("loss", ["cross-entropy", "squared error"])
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_each_loss_sends_the_same_back(visit, sample, loss, output):
    options = {"output": output, "loss": loss, "hidden": "softmax"}
    net = nn.NeuralNetwork((784, 12, 10), **options)
    images, labels = sample[0].images[:5], sample[0].labels[:5]
    result = visit.numbers(
        f"""{network_in_js(net, options)}
        const result = [net.input_gradient(images, labels)];""",
        images=images,
        labels=labels.tolist(),
        **weights_of(net),
    )
    compared(f"{loss}, {output}", result, [net.input_gradient(images, labels)])


class Order:
    """A generator of chance that shuffles in the order that it was given."""

    def __init__(self, order):
        self.order = order

    def permutation(self, count):
        assert count == len(self.order)
        return self.order


@pytest.mark.parametrize("options", [DEFAULT, RELU], ids=["sigmoid", "relu"])
def test_forty_steps_of_training(visit, sample, options):
    net = nn.NeuralNetwork(seed=1, **options)
    images, labels = sample[0].images[:630], sample[0].labels[:630]  # the last batch is smaller
    order, rate = np.random.default_rng(0).permutation(1260), 3 if options is DEFAULT else 0.1
    before = [parameter.copy() for parameter in net.weights + net.biases]
    result = visit.numbers(
        f"""{network_in_js(net, options)}
        net.rng = {{ permutation: () => order }};
        const epochs = [...net.train(images, labels,
            {{ epochs: 1, rotations: [10], learning_rate: {rate} }})];
        if (epochs.length !== 40) throw new Error(epochs.length + " steps");
        const result = net.weights.concat(net.biases);""",
        images=images,
        labels=labels.tolist(),
        order=order.tolist(),
        **weights_of(net),
    )
    net.rng = Order(order)
    net.train(
        images, labels, epochs=1, rotations=(10,), batch_size=32, learning_rate=rate, progress=False
    )
    theirs = net.weights + net.biases
    assert max(abs(one - other).max() for one, other in zip(before, theirs, strict=True)) > 0.1
    compared("weights and biases after 40 steps", result, theirs)


@pytest.mark.parametrize("degrees", [10, -10, 33.5])
def test_turned_digits(visit, sample, degrees):
    images = sample[0].images[:200]
    result = visit.numbers(f"const result = [rotate(images, {degrees})];", images=images)
    compared(
        f"grey levels, turned by {degrees}", result, [nn.rotate(images, degrees).astype(int)], 0
    )


def test_imagined_digits(visit, net, sample):
    canvas = canvas_of(sample[0].images)
    shifts = np.random.default_rng(0).integers(-2, 3, (200, 2))  # as imagine draws them
    result = visit.numbers(
        """const rng = { integers: () => shifts.shift() }, film = [];
        const callback = (step, images) => { film.push(images); };
        const images = imagine(stage.net, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            { mean, directions }, { rng, callback });
        const result = [film[0], film[99], images];""",
        mean=canvas.mean,
        directions=canvas.directions,
        shifts=shifts.ravel().tolist(),
    )
    film = []
    images = imagine(net, range(10), canvas, callback=lambda step, images: film.append(images))
    compared("imagined in 200 steps", result, [film[0], film[99], images])


def test_the_canvas_in_the_page_is_that_of_the_sample(visit, sample):
    theirs = canvas_of(sample[0].images)
    mean, directions = visit.numbers("const result = [canvas.mean, canvas.directions];")
    compared("the mean of the digits", [mean], [theirs.mean])
    ours, theirs = directions.T @ directions, theirs.directions.T @ theirs.directions
    compared("what the directions span", [ours], [theirs], 1e-4)  # which way each points is chance


def drawing(lines, pen):
    """Grey values (280, 280) of lines, each a list of points, 0..1, drawn with a round pen."""
    large, width = Image.new("L", (1120, 1120), 255), 4 * pen
    brush = ImageDraw.Draw(large)
    for line in lines:
        marks = [(1120 * x, 1120 * y) for x, y in line]
        brush.line(marks, fill=0, width=width, joint="curve")
        for x, y in marks:
            ends = (x - width / 2, y - width / 2, x + width / 2, y + width / 2)
            brush.ellipse(ends, fill=0)
    return np.asarray(large.resize((280, 280)))


def drawings():
    """Digits in several places and widths, one with a speck, one with a line along the border, one
    that the border cuts: a name, and the grey values."""
    for digit, points in STROKES.items():
        for where, (size, right, down) in PLACES.items():
            line = [(right + size * x, down + size * y) for x, y in points]
            for pen in (8, 20, 45):
                yield f"{digit} {where}, {pen}", drawing([line], pen)
    yield "a speck", drawing([STROKES[3], [(0.9, 0.9), (0.9, 0.91)]], 12)
    yield "a line along the border", drawing([STROKES[3], [(0, 0.9), (0, 1)]], 12)
    yield "cut", drawing([[(x, y + 0.2) for x, y in STROKES[7]]], 20)


PREPARED = "prepare(new Grid(280, 280, new Float32Array(grey.data)))"
REFUSED = f"""(() => {{
    try {{ {PREPARED}; }} catch (error) {{
        if (error instanceof NoDigit) return error.message.slice(0, 15); }}
}})()"""


def test_drawings_are_prepared_alike(visit, net):
    differences, same = [], 0
    for name, grey in drawings():
        try:
            theirs = handwriting.prepare(grey)
        except ValueError:  # a blot
            assert visit.run(f"return {REFUSED};", grey=grey) == "Lines or a blot", name
            continue
        (image,) = visit.numbers(f"const result = [{PREPARED}];", grey=grey)
        assert image.max() == 255 and image.shape == (1, 784)
        differences.append(abs(image - theirs).mean())
        same += net.predict(image.astype(np.uint8)) == net.predict(theirs[None])
        assert differences[-1] <= 2, name
    print(
        f"{len(differences)} drawings: {np.mean(differences):.2f} grey levels, "
        f"{max(differences):.2f} at most; {int(same[0])} answers are the same"
    )
    assert len(differences) == same == 38


@pytest.mark.parametrize("pixels", [0, 4])
def test_nothing_on_it(visit, pixels):
    grey = np.full((280, 280), 255, np.uint8)
    grey[100 : 100 + pixels, 100 : 100 + pixels] = 0
    with pytest.raises(ValueError):
        handwriting.prepare(grey)
    said = visit.run(f"return {REFUSED};", grey=grey)
    assert said == ("There is nearly" if pixels else "Draw a digit, 0")


def test_a_network_that_was_saved_here(visit, tmp_path):
    net = nn.NeuralNetwork((784, 20, 10), seed=5, **RELU)
    save(net, tmp_path / "digits.npz")
    file = base64.b64encode((tmp_path / "digits.npz").read_bytes()).decode()
    result = visit.numbers(
        "const result = [...load(bytes_of(file)).weights, ...load(bytes_of(file)).biases];",
        file=file,
    )
    compared("weights from an .npz", result, net.weights + net.biases, 0)


def test_an_array_in_columns_is_refused(visit, tmp_path):
    np.savez(tmp_path / "turned.npz", a=np.zeros((3, 4), np.float32).T)
    file = base64.b64encode((tmp_path / "turned.npz").read_bytes()).decode()
    with pytest.raises(Exception, match="expected float32 in C order"):
        visit.run("read_npz(bytes_of(file));", file=file)


def test_the_sample_is_read_as_it_is(visit, sample):
    add = "(sum, pixel) => (31 * sum + pixel) % 1000003, 0"
    for name, part in zip(("train", "test"), sample, strict=True):
        code = f"[{name}.images.data.reduce({add}), {name}.labels]"
        total, labels = visit.page.evaluate(code)
        theirs = functools.reduce(
            lambda sum, pixel: (31 * sum + pixel) % 1000003, part.images.ravel().tolist(), 0
        )
        assert labels == part.labels.tolist()
        assert total == theirs


SPEEDS = {  # what is measured: milliseconds that it should take, and how it is done
    "an answer": (5, "(() => { const image = prepare(grey); stage.net.outputs(image); })"),
    "a film of 200 steps": (500, "(() => { imagine(stage.net, [3], canvas); })"),
    "an epoch of 4,000 digits": (
        3000,
        """(() => { for (const epoch of new NeuralNetwork().train(
        train.images, train.labels, { epochs: 1, rotations: [] })); })""",
    ),
}


@pytest.mark.parametrize("what", SPEEDS)
def test_speed(visit, what):
    wanted, work = SPEEDS[what]
    _, grey = next(drawings())
    took = visit.run(
        f"""const sheet = grey;
        return (grey => {{
            const work = {work}, times = [];
            for (let i = 0; i < {100 if wanted < 10 else 3}; i++) {{
                const began = performance.now();
                work();
                times.push(performance.now() - began);
            }}
            return Math.min(...times);
        }})(new Grid(280, 280, new Float32Array(sheet.data)));""",
        grey=grey,
    )
    print(f"{what}: {took:.1f} ms at best, {wanted} wanted")
    assert took < 10 * wanted, "ten times as long is left to busy machines"


# --- The file -------------------------------------------------------------------------------------


def parts_of(html):
    """The page without its canvas, whose last digits differ from one machine to another."""
    return re.sub(r'(id="canvas.npz">)[^<]*', r"\1", html)


def test_the_page_is_what_build_makes():
    html = PAGE.read_text("utf-8")
    assert parts_of(html) == parts_of(build.build()), "run: python -m page.build"
    print(f"the page has {len(html) / 1e6:.2f} MB")
    assert len(html) < 2.5e6


def test_it_is_one_file():
    html = PAGE.read_text("utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html)
    assert "default-src 'none'" in html
    links = set(re.findall(r'<a href="([^"#]+)"', html))
    assert len(links) >= 4
    assert not [link for link in links if not (PAGE.parent / link).exists()]


def test_the_readme_names_each_part_and_links_to_what_exists():
    text = (PAGE.parent / "README.md").read_text("utf-8")
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    assert not [link for link in links if not (PAGE.parent / link).exists()]
    parts = [
        path.name for kind in ("js", "css", "py", "html") for path in PAGE.parent.glob(f"*.{kind}")
    ]
    assert len(parts) >= 12
    assert not set(parts) - links


# --- What a visitor does --------------------------------------------------------------------------


def drawn(visit, digit, pad="#trained .pad"):
    visit.page.locator(f"{pad.split()[0]} .clear").click()
    visit.page.locator(pad).scroll_into_view_if_needed()
    draw(visit.page, visit.page.locator(pad), STROKES[digit])


@pytest.mark.parametrize("digit", STROKES)
def test_draw_a_digit(visit, digit):
    drawn(visit, digit)
    visit.page.get_by_text(f"It says {digit}, with").first.wait_for()
    assert visit.page.locator("#trained .bar.first b").inner_text() == str(digit)
    assert visit.page.locator("#trained .lines path").count() >= 5
    visit.until(f"stage.spoken.textContent.startsWith('It says {digit}')")
    visit.fine()


def test_point_at_a_node_and_at_another_digit(visit, net):
    drawn(visit, 3)
    visit.page.get_by_text("It says 3").first.wait_for()
    visit.page.locator("#trained .bar").nth(8).hover()
    said = visit.text("#trained .says")
    assert re.match(r"It says 3.* Why not 8, with 0\.\d\d.*Against it: nodes \d", said)
    image = np.array(visit.page.evaluate("Array.from(stage.image.data)"), np.uint8)[None]
    activations = net.forward(image)
    node = int(activations[1].argmax())  # the one that is lit most
    z = net.sums(activations[0], 0)[0, node]
    tile = visit.page.locator("#trained .tile").nth(node)
    tile.hover()
    said = visit.text("#trained .says")
    assert f"z = {z:+.2f}, it answers {activations[1].max():.2f}".replace("-", "−") in said
    tip = f"node {node}: sum {z:+.2f} → {activations[1].max():.2f}".replace("-", "−")
    assert visit.text("#trained .tip") == tip
    assert visit.page.locator("#trained .lines path").count() >= 3
    tile.click()
    assert visit.text("#node").startswith(f"Node {node}.")
    visit.page.locator("#next").click()
    assert visit.text("#node").startswith(f"Node {(node + 1) % 100}.")
    assert visit.page.locator("#trained .tile[aria-current=true]").count() == 1
    visit.fine()


def test_another_drawing_lets_go_of_the_answer_that_was_chosen(visit):
    drawn(visit, 3)
    visit.page.locator("#trained .bar").nth(8).click()
    assert visit.page.evaluate("stage.chosen") == 8
    drawn(visit, 1)
    visit.page.get_by_text("It says 1").first.wait_for()
    assert visit.page.evaluate("stage.chosen") is None


def test_a_click_makes_a_dot(visit):
    visit.page.locator("#trained .clear").click()
    visit.page.locator("#trained .pad").click()
    assert visit.page.evaluate("stage.sheet.grey.filter(grey => grey < 100).length") > 200


def test_with_the_keyboard_alone(visit):
    page = visit.page
    page.locator("#trained .clear").focus()
    page.keyboard.press("Enter")
    assert visit.text("#trained .says").startswith("Draw a digit")
    page.locator("#trained .pad").focus()
    page.keyboard.press("Space")
    for _ in range(17):
        page.keyboard.press("ArrowDown")
    page.get_by_text("It says 1").first.wait_for()
    page.keyboard.press("Tab")  # lifts the pen
    page.locator("#trained .tile[tabindex='0']").focus()
    before = int(re.search(r"\d+", visit.text("#node"))[0])
    page.keyboard.press("ArrowDown" if before < 90 else "ArrowUp")
    assert int(re.search(r"\d+", visit.text("#node"))[0]) == before + (10 if before < 90 else -10)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("bar"), "one stop, not 100"
    page.keyboard.press("Enter")
    assert re.match(r"It says 1, with .*Why not 0", visit.text("#trained .says"))
    page.keyboard.press("Escape")
    assert "Why" not in visit.text("#trained .says")
    page.locator("#seen").focus()
    page.keyboard.press("ArrowRight")
    assert "column 15" in visit.text("#pixel")
    visit.fine()


def test_everything_that_can_be_pressed_has_a_name(visit):
    unnamed = """[...document.querySelectorAll("button, input, [tabindex], [role=img]")]
        .filter(e => !(e.ariaLabel || e.textContent.trim() || e.closest("label")))
        .map(e => e.outerHTML)"""
    assert visit.page.evaluate(unnamed) == []
    assert visit.page.evaluate("document.querySelectorAll('[id]').length") == len(
        set(visit.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
    )


def test_name_a_digit_and_see_it_imagined(visit):
    visit.page.locator("#named").get_by_text("7", exact=True).click()
    visit.page.get_by_text("Step 200 of 200: the network says 7").wait_for()
    visit.page.locator("#frame").focus()
    visit.page.keyboard.press("Home")
    assert visit.text("#imagined").startswith("Step 0 of 200")
    assert visit.page.locator("#strip figure").count() == 6
    visit.fine()


def test_train_a_newborn_and_draw_for_it_meanwhile(visit, sample):
    page = visit.page
    page.locator("#train").click()
    visit.until("lesson.points.length >= 2")
    drawn(visit, 1, "#newborn .pad")
    assert page.evaluate("lesson.running"), "it learns while one draws"
    assert re.match(r"It says \d", visit.text("#newborn .says"))
    page.locator("#train").click()
    assert visit.text("#train") == "Go on"
    stopped = page.evaluate("young.net.epoch")
    page.locator("#train").click()
    visit.until(f"young.net.epoch > {stopped}")
    visit.until("!lesson.running")
    points = np.array(page.evaluate("lesson.points"))
    print(f"held out: {', '.join(f'{share:.1%}' for share in points[4::5, 1])} after each epoch")
    assert len(points) == 25 and points[-1, 1] >= 0.93 > points[0, 1]
    assert f"{points[-1, 1]:.1%}".replace("%", " %") in visit.text("#progress")
    net = nn.NeuralNetwork()
    net.weights = visit.numbers("const result = young.net.weights;")
    assert net.accuracy(sample[1].images, sample[1].labels) == pytest.approx(
        points[-1, 1], abs=0.002
    )
    page.get_by_text("It says 1").last.wait_for()
    print(visit.text("#speeds"))
    page.locator("#reset").click()
    assert visit.text("#progress") == "It has seen nothing yet."
    visit.fine()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1400])
def test_it_fits(browser, width, scheme):
    visit = Visit(browser, width, color_scheme=scheme, reduced_motion="reduce")
    visit.page.get_by_text("It says 3").first.wait_for()
    visit.keep(f"{width}_{scheme}_first")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    bars = visit.page.locator("#trained .answers").bounding_box()
    assert bars["y"] + bars["height"] <= visit.page.viewport_size["height"] or width == 768
    visit.page.locator("#picture").scroll_into_view_if_needed()
    visit.page.get_by_text("Step 200 of 200").wait_for()
    visit.keep(f"{width}_{scheme}", full_page=True)
    visit.fine()
    visit.context.close()


def test_draw_with_a_finger(browser):
    visit = Visit(browser, 360, reduced_motion="reduce")
    visit.page.get_by_text("It says 3").first.wait_for()
    box = visit.page.locator("#trained .pad").bounding_box()
    finger = visit.context.new_cdp_session(visit.page)
    for n, (x, y) in enumerate(STROKES[7]):
        point = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        touch = {"type": "touchMove" if n else "touchStart", "touchPoints": [point]}
        finger.send("Input.dispatchTouchEvent", touch)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    visit.page.get_by_text("It says 7").first.wait_for()
    assert visit.page.evaluate("scrollY") == 0, "a finger draws, it does not scroll the page"
    visit.fine()
    visit.context.close()
