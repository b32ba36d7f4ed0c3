"""Panels to play with in a notebook: train a network, look inside it, draw a digit, imagine one.

    TrainingPanel((images, labels), validation)  # then panel.net, panel.runs
    NeuronExplorer(net, images, labels)
    DrawingPad(net)                              # then pad.image, pad.picture, pad.save("x.png")
    ImaginePanel(net)

A panel shows itself when it stands on a cell's last line. Here are only controls: nn.py does the
work, plots.py draws, and plain cells can do the same. A panel needs JupyterLab and a running
kernel; elsewhere you see no more than the sentence that it prints.

Training takes a while. A loop inside a button's handler would keep all other handlers waiting, the
Stop button's too. So the loop has a thread of its own and shows how far it is by setting widgets'
values. JupyterLab may call handlers from several threads, hence the locks.
"""

import contextlib
import html
import inspect
import math
import threading
import time

import anywidget
import ipywidgets
import numpy as np
import pandas as pd
import PIL.Image
import traitlets
from ipywidgets import HTML, Button, Dropdown, HBox, Image, Label, Layout, VBox

import mnist
import plots
from nn import NeuralNetwork

WIDE = {"width": "100%", "max_width": "800px", "margin": "0"}  # of a picture
DRAWING = threading.Lock()  # matplotlib draws in one thread at a time


def png(picture, *what):
    """What a function of plots draws, as bytes for an Image widget."""
    with DRAWING:
        return picture(*what)._repr_png_()


def wrapped(*boxes, **layout):
    """Side by side as far as they fit, then below each other."""
    return HBox(boxes, layout=Layout(flex_flow="row wrap", **layout))


class Panel:
    """What all panels share: each shows its `box`, after a line for those who cannot see it."""

    def __repr__(self):
        return (
            f"{type(self).__name__}: in JupyterLab you find it below this line. "
            "Elsewhere use the plain cells around it."
        )

    def _ipython_display_(self):
        from IPython.display import display  # only in notebooks

        print(self)
        display(self.box)

    def close(self):
        """Take the panel away."""
        self.box.close()


class Knob:
    """A number to set, with a slider or in the field beside it; `value` is what counts.

    What is typed and does not fit is refused, with the reason below, and the value stays.
    A knob that begins with an int takes only whole numbers. `changed` is called after a change.
    """

    def __init__(self, label, value, low, high, log=False, changed=lambda: None):
        self.low, self.high, self.changed = low, high, changed
        self.kind, self.lock = type(value), threading.RLock()
        look = {"readout": False, "layout": Layout(width="150px")}
        if log:
            ends = {"min": math.log10(low), "max": math.log10(high), "step": 0.01}
            self.slider = ipywidgets.FloatLogSlider(value=value, **ends, **look)
        else:
            whole = self.kind is int
            ends = {"min": low, "max": high, "step": 1 if whole else high / 100}
            kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
            self.slider = kind(value=value, **ends, **look)
        self.field = ipywidgets.Text(continuous_update=False, layout=Layout(width="72px"))
        self.reason = HTML()
        row = [Label(label, layout=Layout(width="112px")), self.slider, self.field]
        self.box = VBox([HBox(row), self.reason], layout=Layout(width="378px"))
        self._set(value)
        self.slider.observe(self._slid, "value")
        self.field.observe(self._typed, "value")

    def _set(self, value, reason="", slide=False):
        self.value, self.setting = value, True  # the handlers leave our own changes alone
        self.field.value = f"{value:.6g}"
        if slide:
            self.slider.value = value
        self.reason.value = f'<span style="color:{plots.ORANGE}">{reason}</span>'
        self.reason.layout.display = "" if reason else "none"
        self.setting = False

    def _slid(self, change):
        with self.lock:
            # The browser moves a slider to the next of its steps and tells us so. That is not the
            # learner: what was typed between two steps stays.
            if self.setting or abs(self._place(change.new) - self._place(self.value)) < 0.51:
                return
            self._set(float(f"{change.new:.2g}") if self.kind is float else change.new)
        self.changed()

    def _place(self, value):
        """Where the slider stands for a value, in its steps."""
        log = isinstance(self.slider, ipywidgets.FloatLogSlider)
        return (math.log10(value) if log else value) / self.slider.step

    def _typed(self, change):
        with self.lock:
            if self.setting:
                return
            try:
                value = self.kind(change.new)
            except ValueError:
                value = math.nan
            fits = self.low <= value <= self.high
            if fits:
                self._set(value, slide=True)
            else:
                kind = "a whole number" if self.kind is int else "a number"
                wanted = f"expected {kind} from {self.low:g} to {self.high:g}"
                self._set(self.value, f"“{html.escape(change.new[:12])}”: {wanted}")
        if fits:
            self.changed()


def knobs_for(function, table, changed=lambda: None):
    """Knobs by name for options of a function of nn.py, which says their first values."""
    options = inspect.signature(function).parameters
    return {
        name: Knob(label, options[name].default, *ends, changed=changed)
        for name, (label, *ends) in table.items()
    }


class Latest:
    """Calls `work` in a thread with the newest of what it is given: whoever drags a slider does
    not wait for all the values on the way. `work` may call `check`, and ends if it is overtaken."""

    class Overtaken(Exception):
        pass

    def __init__(self, work):
        self.work, self.lock, self.waiting, self.busy = work, threading.Lock(), None, False

    def __call__(self, *job):
        with self.lock:
            self.waiting = job
            if not self.busy:
                self.busy = True
                threading.Thread(target=self._run, daemon=True).start()

    def check(self):
        if self.waiting:
            raise self.Overtaken

    def _run(self):
        try:
            while self._take():
                with contextlib.suppress(self.Overtaken):
                    self.work(*self.job)
        except BaseException:
            self.busy = False
            raise

    def _take(self):
        with self.lock:
            self.job, self.waiting = self.waiting, None
            self.busy = self.job is not None
            return self.busy


# --- Train ----------------------------------------------------------------------------------------

TRAIN = {  # what can be turned: NeuralNetwork.train's names; label, lowest, highest, logarithmic
    "learning_rate": ("learning rate", 0.01, 100, True),
    "batch_size": ("batch size", 1, 1000),
    "epochs": ("epochs", 1, 50),
    "momentum": ("momentum", 0, 0.99),
}


class TrainingPanel(Panel):
    """Turn the knobs and watch a network learn.

    train, validation  (images, labels) each: to learn from, and to judge with

    `net` is the network so far, `runs` the table of all runs, `knobs` the knobs by name. train(),
    stop() and reset() are what the buttons do. One panel trains at a time: another one that begins
    to train, or is made, stops it.
    """

    switching = threading.RLock()  # held by who starts or replaces a training, in any panel
    active = None  # the panel that trains or did so last

    def __init__(self, train, validation):
        self.examples, self.validation = train[:2], validation[:2]
        self.knobs = {
            "hidden_nodes": Knob("hidden nodes", 100, 1, 500, changed=self._foretell),
            **knobs_for(NeuralNetwork.train, TRAIN),
            "rotation": Knob("rotation, ± °", 10, 0, 90),
            "seed": Knob("seed", 0, 0, 9999, changed=self._foretell),
        }
        self.buttons = [Button(description=name) for name in ("Train", "Stop", "Reset")]
        self.buttons[0].button_style = "primary"
        for button, press in zip(self.buttons, (self.train, self.stop, self.reset), strict=True):
            button.on_click(lambda _, press=press: press())
        self.bar = ipywidgets.FloatProgress(max=1.0)
        self.says, self.digits, self.curve = HTML(), HTML(), Image(layout=Layout(**WIDE))
        self.table = HTML(layout=Layout(overflow="auto", max_height="200px"))
        knobs = wrapped(*(knob.box for knob in self.knobs.values()))
        buttons = wrapped(*self.buttons, self.bar)
        self.box = VBox([knobs, buttons, self.says, self.curve, self.digits, self.table])
        self.rows, self.networks, self.busy, self.thread = [], 0, False, None
        self.stopping, self.telling = threading.Event(), threading.Lock()
        self.drawing = self.drawn = self.took = 0.0  # seconds for drawing, and for the last time
        _, self.shown = np.unique(self.validation[1], return_index=True)  # the first of each digit
        with self.switching:
            if TrainingPanel.active:
                TrainingPanel.active.stop()
            self.reset()

    @property
    def runs(self):
        """A row for each run: the accuracy on the held-out digits after it, its seconds without
        those for drawing, its knobs. Rows of one network went on from each other."""
        return pd.DataFrame(self.rows, columns=["network", "accuracy", "seconds", *self.knobs])

    def reset(self):
        """Begin with a new network. The table of runs stays."""
        with self.switching:
            if self.busy:
                return
            nodes, seed = self.built = self._wanted()
            self.net = NeuralNetwork((self.examples[0].shape[1], nodes, 10), seed=seed)
            self.networks += 1
            self._draw(self.knobs["epochs"].value)
            self._rest(f"A new network with {nodes} hidden nodes. Press Train.")

    def train(self):
        """Train in a thread; nothing more if one does so already. It goes on with the network
        that is there, as long as this has the hidden nodes and the seed that the knobs say."""
        with self.switching:
            if self.busy:
                return
            if TrainingPanel.active:
                TrainingPanel.active.stop(wait=True)
            if self.built != self._wanted():
                self.reset()
            self.stopping.clear()
            self.busy, TrainingPanel.active = True, self
            self._enable(False, True, False)
            self.says.value = "Turning the digits …"
            knobs = {name: knob.value for name, knob in self.knobs.items()}
            self.thread = threading.Thread(target=self._train, args=(knobs,), daemon=True)
            self.thread.start()

    def stop(self, wait=False):
        """End the training before its next step. The weights stay."""
        with self.telling:
            if self.busy:
                self.stopping.set()
                self.says.value = "Stopping …"
        if wait and self.thread:
            self.thread.join()

    def close(self):
        self.stop(wait=True)
        super().close()

    def _wanted(self):
        return self.knobs["hidden_nodes"].value, self.knobs["seed"].value

    def _foretell(self):
        if not self.busy:
            new = "With these hidden nodes and this seed, Train begins a new network."
            self.says.value = self.message if self.built == self._wanted() else new

    def _rest(self, message):
        with self.telling:
            self.bar.value, self.message, self.busy = 0, message, False
            self._foretell()
            self._enable(True, False, True)

    def _enable(self, *which):
        for button, enabled in zip(self.buttons, which, strict=True):
            button.disabled = not enabled

    # What the thread does

    def _train(self, knobs):
        begun, start, angle = time.monotonic(), self.net.epoch, knobs["rotation"]
        until, self.drawing, self.told = start + knobs["epochs"], 0.0, begun

        def rate(done):  # train asks for it before each step: nowhere is Stop quicker
            if self.stopping.is_set():
                raise KeyboardInterrupt
            self._tell(done, until)
            return knobs["learning_rate"]

        try:
            self.net.train(
                *self.examples,
                **{name: knobs[name] for name in TRAIN} | {"learning_rate": rate},
                rotations=(angle, -angle) if angle else (),
                validation=self.validation,
                callback=lambda measurement: self._draw(until, hurry=True),
                progress=False,
            )
            seconds = round(time.monotonic() - begun - self.drawing, 1)
            accuracy = self.net.accuracy(*self.validation)
            if self.net.epoch > start:
                row = knobs | {"network": self.networks, "epochs": round(self.net.epoch - start, 2)}
                self.rows.append(row | {"accuracy": accuracy, "seconds": seconds})
            self._draw(self.net.epoch)
            done = f"{'Stopped' if self.stopping.is_set() else 'Done'} at epoch"
            self._rest(
                f"{done} {self.net.epoch:.1f}: <b>{accuracy:.2%}</b> of the held-out digits are "
                "right. Train goes on from here, Reset begins anew."
            )
        except Exception as error:  # there is no cell below a thread that would show it
            self._rest(html.escape(f"{type(error).__name__}: {error}"))

    def _tell(self, done, until):
        now = time.monotonic()
        if not done:
            self.stepping = now
        elif now > self.told + 0.2:
            self.told, self.bar.value = now, done
            left = (now - self.stepping) * (1 - done) / done
            self.says.value = f"Epoch {self.net.epoch:.1f} of {until:.0f}, {left:.0f} s left"

    def _draw(self, epochs, hurry=False):
        """Show curve, answers and runs. In a hurry at most a quarter of the time goes into it."""
        begun = time.monotonic()
        if hurry and begun - self.drawn < max(0.4, 3 * self.took):
            return
        self.curve.value = png(plots.curve, self.net.history, epochs)
        images, labels = (np.asarray(part)[self.shown] for part in self.validation)
        outputs = self.net.outputs(images)
        answers, sure = outputs.argmax(axis=1), outputs.max(axis=1)
        captions = [f"says {n}\n{share:.2f}" for n, share in zip(answers, sure, strict=True)]
        self.digits.value = plots.digits_html(images, captions, np.flatnonzero(answers != labels))
        self.table.value = plots.table_html(self.runs.iloc[::-1])
        self.drawn = time.monotonic()
        self.took = self.drawn - begun
        self.drawing += self.took


# --- Look inside ----------------------------------------------------------------------------------


class NeuronExplorer(Panel):
    """Pick a hidden node: what it looks for, what it says to the digits, what excites it.

    images, labels  digits to look for exciting ones in

    `knob` holds the node. ValueError unless the network has one hidden layer.
    """

    def __init__(self, net, images, labels):
        if len(net.layers) != 3:
            raise ValueError(f"expected a network with one hidden layer, got layers {net.layers}")
        self.net, self.images, self.labels = net, np.asarray(images), np.asarray(labels)
        chunks = np.array_split(self.images, -(-len(self.images) // 2000))
        self.hidden = np.concatenate([net.forward(chunk)[1] for chunk in chunks])  # (n, 100)
        draw = Latest(self._draw)
        nodes = net.layers[1]
        self.knob = Knob("hidden node", 0, 0, nodes - 1, changed=lambda: draw(self.knob.value))
        self.says, self.digits, self.weights = HTML(), HTML(), Image(layout=Layout(**WIDE))
        self.box = VBox([self.knob.box, self.says, self.weights, self.digits])
        self._draw(0)

    def _draw(self, node):
        out, excited = self.net.weights[1][node], self.hidden[:, node]
        self.weights.value = png(plots.node, self.net.weights[0][:, node], out)
        order = excited.argsort(kind="stable")
        rows = ""
        for how, chosen in (("most", order[:-11:-1]), ("least", order[:10])):
            captions = [f"a {self.labels[n]}\n{excited[n]:.2f}" for n in chosen]
            rows += f"These digits excite it {how}:"
            rows += plots.digits_html(self.images[chosen], captions)
        self.digits.value = rows
        self.says.value = (
            f"Node <b>{node}</b> speaks loudest for the digit {out.argmax()} "
            f"and against the digit {out.argmin()}."
        )


# --- Draw -----------------------------------------------------------------------------------------


class Canvas(anywidget.AnyWidget):
    """A white square to draw on in black, with mouse, pen or finger."""

    _esm = """
    function render({ model, el }) {
      const size = model.get("size");
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = size;
      canvas.className = "drawing-canvas";
      el.style.flex = "0 0 auto";
      el.append(canvas);
      const ink = canvas.getContext("2d", { willReadFrequently: true });
      let pointer = null, last = null, timer = null, sending = false;

      function paint() {  // what the kernel has: nothing, or the drawing before the page was closed
        ink.fillStyle = "white";
        ink.fillRect(0, 0, size, size);
        const pixels = model.get("pixels");
        if (!pixels || pixels.byteLength !== size * size) return;
        const picture = ink.createImageData(size, size);
        for (let i = 0; i < size * size; i++) {
          picture.data.fill(pixels.getUint8(i), 4 * i, 4 * i + 3);
          picture.data[4 * i + 3] = 255;
        }
        ink.putImageData(picture, 0, 0);
      }
      function send() {
        clearTimeout(timer);
        timer = null;
        const data = ink.getImageData(0, 0, size, size).data;
        const pixels = new Uint8Array(size * size).map((_, i) => data[4 * i]);
        sending = true;
        model.set("pixels", new DataView(pixels.buffer));
        model.save_changes();
        sending = false;
      }
      function line(event) {
        const box = canvas.getBoundingClientRect(), scale = size / box.width;
        const point = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
        ink.lineCap = ink.lineJoin = "round";
        ink.lineWidth = model.get("pen");
        ink.beginPath();
        ink.moveTo(...(last || point));
        ink.lineTo(...point);
        ink.stroke();
        last = point;
        timer = timer || setTimeout(send, 80);
      }
      function up(event) {
        if (event.pointerId !== pointer) return;
        pointer = last = null;
        send();
      }
      canvas.addEventListener("pointerdown", (event) => {
        if (pointer !== null || event.button !== 0) return;
        pointer = event.pointerId;
        canvas.setPointerCapture(pointer);
        event.preventDefault();
        line(event);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (event.pointerId !== pointer) return;
        const events = event.getCoalescedEvents?.() ?? [];
        (events.length ? events : [event]).forEach(line);
      });
      canvas.addEventListener("pointerup", up);
      canvas.addEventListener("pointercancel", up);
      const changed = () => sending || paint();
      model.on("change:pixels", changed);
      paint();
      return () => { clearTimeout(timer); model.off("change:pixels", changed); };
    }
    export default { render };
    """
    _css = """
    .drawing-canvas {
      width: 280px; height: 280px; border: 1px solid #999999; cursor: crosshair;
      touch-action: none; user-select: none;
    }
    """
    size = traitlets.Int(280).tag(sync=True)
    pen = traitlets.Int(20).tag(sync=True)
    # (size * size,) bytes, 0 = ink, 255 = paper; none at all while nothing is drawn
    pixels = traitlets.Bytes().tag(
        sync=True, echo_update=False, from_json=lambda value, widget: bytes(value)
    )


class DrawingPad(Panel):
    """Draw a digit with mouse, pen or finger, and watch what the network says meanwhile.

    `net` can be replaced by another network at any time. With `looks` it looks several times, as
    in NeuralNetwork.outputs. `picture` is the drawing, `image` what the network sees of it.
    clear() is what the button does.
    """

    def __init__(self, net, looks=1):
        self.net, self.looks, self.lock = net, looks, threading.Lock()
        self.canvas, self.shows = Canvas(), HTML()
        clear = Button(description="Clear", layout=Layout(width="80px"))
        clear.on_click(lambda _: self.clear())
        pen = ipywidgets.IntSlider(20, 4, 50, description="pen", readout=False)
        pen.layout.width, pen.style.description_width = "200px", "36px"
        self.link = ipywidgets.jslink((pen, "value"), (self.canvas, "pen"))
        self.box = wrapped(VBox([self.canvas, HBox([clear, pen])]), self.shows, grid_gap="20px")
        self.canvas.observe(lambda change: self._answer(), "pixels")
        self._answer()

    @property
    def picture(self):
        """The drawing, (280, 280) uint8, 255 = paper."""
        size = self.canvas.size
        pixels = np.frombuffer(self.canvas.pixels or b"\xff" * size**2, np.uint8)
        return pixels.reshape(size, size).copy()

    @property
    def image(self):
        """The drawing as the network sees it, (784,) uint8. All 0 if nothing is drawn."""
        try:
            return mnist.prepare(self.picture)
        except ValueError:  # there is no digit on it
            return np.zeros(784, np.uint8)

    def save(self, path):
        """Write the drawing as PNG. mnist.from_picture reads it."""
        PIL.Image.fromarray(self.picture).save(path, format="png")

    def clear(self):
        """Take a new sheet."""
        self.canvas.pixels = b""

    def _answer(self):
        with self.lock:  # whoever comes last shows the newest drawing
            image = self.image
            outputs = self.net.outputs(image, self.looks)[0] if image.any() else None
            title, verdict = "What the network sees:", "Draw a digit, 0 to 9."
            if outputs is not None:
                verdict = f"It says {outputs.argmax()}, with {outputs.max():.2f}."
            self.shows.value = plots.answer_html(title, image, outputs, verdict)


# --- Imagine --------------------------------------------------------------------------------------


IMAGINE = {  # NeuralNetwork.imagine's names; label, lowest, highest, logarithmic
    "steps": ("steps", 1, 1000),
    "learning_rate": ("step size", 0.001, 0.1, True),
    "distance": ("distance", 0, 15),
    "jiggle": ("jiggle, pixels", 0, 4),
    "seed": ("seed", 0, 9999),
}


class ImaginePanel(Panel):
    """Say what the outputs should be, and see what picture the network makes of that.

    `sliders` are the targets, one a digit; `digit` and `blend` (two digits, and the share of the
    second) set them. `knobs` are those of NeuralNetwork.imagine, by its names.
    """

    def __init__(self, net):
        self.net, self.lock, self.work = net, threading.RLock(), Latest(self._imagine)
        self.knobs = knobs_for(NeuralNetwork.imagine, IMAGINE, changed=self._ask)
        low, high = (float(end) for end in np.sort(net.as_targets(0)[0])[[0, -1]])
        digits = list(range(net.layers[-1]))
        upright, narrow = Layout(width="40px", height="130px"), Layout(width="56px")
        look = {"readout": False, "orientation": "vertical", "layout": upright, "step": 0.01}
        self.sliders = [ipywidgets.FloatSlider(min=low, max=high, **look) for _ in digits]
        self.numbers = [HTML() for _ in digits]
        column = Layout(align_items="center", width="44px")
        columns = [
            VBox([slider, number], layout=column)
            for slider, number in zip(self.sliders, self.numbers, strict=True)
        ]
        self.digit = ipywidgets.ToggleButtons(options=digits)
        self.digit.style.button_width = "34px"
        first, second = (Dropdown(options=digits, value=n, layout=narrow) for n in (4, 9))
        share = ipywidgets.FloatSlider(0.5, min=0, max=1, step=0.05, readout=False)
        self.blend = first, second, share
        self.backquery, self.imagined, self.step = HTML(), HTML(), Label()
        self.play = ipywidgets.Play(min=0, interval=30)
        self.frame = ipywidgets.IntSlider(min=0, readout=False)
        self.link = ipywidgets.jslink((self.play, "value"), (self.frame, "value"))
        rows = [
            wrapped(Label("one digit"), self.digit),
            wrapped(Label("or a blend, from"), first, share, Label("to"), second),
            Label("or any outputs you like:"),
            wrapped(HBox(columns), VBox([knob.box for knob in self.knobs.values()])),
            wrapped(self.backquery, self.imagined, grid_gap="20px"),
            wrapped(Label("the film of it"), self.play, self.frame, self.step),
        ]
        self.box = VBox(rows)
        self._set(net.as_targets(3)[0], "a 3", digit=3)
        self._imagine(*self._asked())
        self.digit.observe(self._one, "value")
        for control in self.blend:
            control.observe(self._two, "value")
        for slider in self.sliders:
            slider.observe(self._any, "value")
        self.frame.observe(lambda change: self._show(change.new), "value")

    def _set(self, targets, what, digit=None):
        self.targets, self.what, self.setting = np.array(targets), what, True
        self.digit.value = digit
        for slider, number, n in zip(self.sliders, self.numbers, self.digit.options, strict=True):
            slider.value = float(targets[n])
            number.value = f"<center>{targets[n]:.2f}<br><b>{n}</b></center>"
        self.setting = False

    def _one(self, change):
        with self.lock:
            if self.setting:  # by us, not by the learner
                return
            self._set(self.net.as_targets(change.new)[0], f"a {change.new}", digit=change.new)
        self._ask()

    def _two(self, _):
        with self.lock:
            first, second, share = (control.value for control in self.blend)
            targets = np.array([1 - share, share]) @ self.net.as_targets([first, second])  # (10,)
            self._set(targets, f"{1 - share:.0%} {first}, {share:.0%} {second}")
        self._ask()

    def _any(self, _):
        with self.lock:
            values = np.array([slider.value for slider in self.sliders])
            # The browser moves a slider to the next of its steps: not the learner's doing.
            if self.setting or abs(values - self.targets).max() < 0.0051:
                return
            self._set(values, "these outputs")
        self._ask()

    def _ask(self):
        self.work(*self._asked())

    def _asked(self):
        with self.lock:
            targets = self.targets[None]  # (1, 10)
            if self.net.output == "softmax":  # they must add up to 1; all at 0 are all alike
                targets = targets if targets.any() else np.ones_like(targets)
                targets = targets / targets.sum()
            knobs = {name: knob.value for name, knob in self.knobs.items()}
            return self.what, targets, knobs

    def _imagine(self, what, targets, knobs):
        film = []

        def keep(step, images):
            self.work.check()
            film.append(images[0])

        self.backquery.value = self._answer(f"Backquery, {what}:", self.net.backquery(targets)[0])
        try:
            film.append(self.net.imagine(targets, callback=keep, **knobs)[0])
        except ValueError as error:  # it cannot, and says why
            self.imagined.value = html.escape(str(error))
        self.film = what, film
        for control in (self.play, self.frame):
            control.max = control.value = max(0, len(film) - 1)
        self._show(self.frame.max)

    def _show(self, frame):
        what, film = self.film
        if frame < len(film):  # else the slider is late
            self.step.value = f"step {frame} of {len(film) - 1}"
            self.imagined.value = self._answer(f"Imagined, {what}:", film[frame])

    def _answer(self, title, image):
        outputs = self.net.outputs(image)[0]
        verdict = f"The network says {outputs.argmax()}, with {outputs.max():.2f}."
        return plots.answer_html(title, image, outputs, verdict)
