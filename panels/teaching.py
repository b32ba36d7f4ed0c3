"""A drawing pad that learns from you: say what your drawing should have been."""

import base64
import time
from pathlib import Path

import numpy as np

import checks
import signs
from distortions import distort

from .controls import Latest
from .drawing import DrawingPad
from .wire import in_base64

FRAME = 0.1  # seconds between two looks at a network that learns
MOST, LONGEST = 6, 12  # signs of one's own, and letters of a name
JUDGES = 2_000  # held-out digits that say what was forgotten
BUTTONS = ("teach", "drop", "forget", "keep", "load")  # what the browser may ask for
WELCOME = (
    "Is it wrong? Say what it should have been. Or draw a sign of your own, and name it. "
    "(To go on without teaching, press Clear.)"
)


class TeachingPad(DrawingPad):
    """Draw, and say what it should have been: a digit, or a sign of your own.

    net         the network to begin with. It stays as it is; `pad.net` is what became of it
    known       (images, labels) that it must not forget meanwhile
    validation  (images, labels) to measure what it forgets all the same
    looks       as in DrawingPad
    path        the CSV that Keep adds to and Load reads

    With each drawing the first network is taught anew, by all of them: what becomes of it depends
    on nothing else, and a drawing that is taken away is as if it had never been there. teach(),
    drop(), forget(), keep() and load() are what the buttons do; `taught` lists the drawings, (digit
    or name, image (784,)) each. ValueError for what does not fit.
    """

    def __init__(self, net, known, validation, looks=1, path="data/my_drawings.csv"):
        images, labels = checks.pair("known", known)
        checks.examples(net, images, labels)
        self.known = distort(np.asarray(images), np.random.default_rng(0)), labels
        self.validation = [part[:JUDGES] for part in checks.pair("validation", validation)]
        self.path, self.taught, self.learning = path, [], Latest(self._learn)
        self.answers = 0
        super().__init__(net, looks)
        self._tell(WELCOME)
        self.box.on_msg(lambda box, message, buffers: self._asked(**message))

    def _use(self, net):
        if net.layers[-1] != 10:
            raise ValueError(f"expected a network with 10 outputs, got layers {net.layers}")
        self.first, self.names = net, []
        self.accuracy = net.accuracy(*self.validation)
        super()._use(net)

    def teach(self, what, image=None):
        """The drawing on the sheet, or another `image` (784,), is this digit, 0 to 9, or a sign
        of this name. Returns at once; the network learns aside."""
        image = self.image if image is None else checks.rows(image, 784)[0]
        if not image.any():
            raise ValueError("There is nothing on the sheet. Draw it first.")
        others = self.taught
        if others and np.array_equal(others[-1][1], image):  # on second thoughts
            others = others[:-1]
        self._take([*others, (named(what), image.astype(np.uint8))])

    def drop(self, place):
        """Take a drawing away, counted from 0."""
        self._take(self.taught[:place] + self.taught[place + 1 :])

    def forget(self):
        """Take all drawings away."""
        self._take([])

    def keep(self, path=None):
        """Add the drawings to a CSV in MNIST's format, or begin one."""
        path = path or self.path
        there = in_words(*signs.load(path)) if Path(path).exists() else []
        both = merged(there, self.taught)
        if not both:
            raise ValueError("There are no drawings to keep yet.")
        signs.keep(path, *in_numbers(both))
        self._tell(
            f"{len(both) - len(there)} new, {len(both)} drawings are in {path} now, with those "
            "of earlier days, in MNIST's format. (Delete the file to begin anew.)"
        )

    def load(self, path=None):
        """Take the drawings in such a CSV, too."""
        path = path or self.path
        if not Path(path).exists():
            raise ValueError(f"There is no {path} yet: Keep makes it.")
        self._take(merged(self.taught, in_words(*signs.load(path))))

    def _take(self, taught):
        """These are the drawings from now on."""
        own = len(in_numbers(taught)[2])
        if own > MOST:
            raise ValueError(f"There is room for {MOST} signs of your own, not for {own}.")
        self.taught = taught
        self.learning(taught)

    def _learn(self, taught):
        images, labels, own = in_numbers(taught)
        names = [*map(str, range(10)), *own]
        if not taught:
            self._show(self.first, [])
            self._tell(f"It has no drawings of yours any more. {WELCOME}")
            return
        many = f"{len(taught)} drawing{'s' * (len(taught) > 1)}"
        self._tell(f"It learns from {many} …")
        begun = self.shown = time.perf_counter()

        def watch(net):
            self.learning.check()
            if time.perf_counter() - self.shown > FRAME:
                self._show(net, names)
                self.shown = time.perf_counter()

        net = signs.teach(self.first, images, labels, self.known, each_step=watch)
        took = time.perf_counter() - begun
        self._show(net, names)
        held_out = f"{len(self.validation[1]):,} held-out digits"
        self._tell(
            f"It has learned from {many}, in {took:.1f} s. Of {held_out} it reads "
            f"{net.accuracy(*self.validation):.1%}; before, {self.accuracy:.1%}. (Some tenths up "
            "or down are luck.)"
        )

    def _show(self, net, names):
        self._net, self.names = net, names
        self._send()

    def _tell(self, says):
        images, _, own = in_numbers(self.taught)
        taught = [what for what, _ in self.taught]
        shown = {"signs": own, "taught": taught, "images": in_base64(images), "says": says}
        self.answers += 1  # so that the same answer twice is sent twice
        self.box.lesson = shown | {"answer": self.answers}

    def _asked(self, do, **what):
        if "image" in what:
            what["image"] = np.frombuffer(base64.b64decode(what["image"]), np.uint8)
        try:
            if do in BUTTONS:
                getattr(self, do)(**what)
        except (ValueError, OSError) as error:
            self._tell(str(error))


def named(what):
    """A digit, 0 to 9, or a name."""
    text = " ".join(str(what).split())
    if text in list("0123456789"):
        return int(text)
    if not isinstance(what, str) or not text.isprintable() or not 0 < len(text) <= LONGEST:
        wanted = f"a digit, 0 to 9, or a name of at most {LONGEST} letters"
        raise ValueError(f"Expected {wanted}, got {what!r:.40}.")
    return text


def in_numbers(taught):
    """Drawings as images (n, 784), labels (n,), and the names of the labels from 10."""
    names = list(dict.fromkeys(what for what, _ in taught if isinstance(what, str)))
    numbers = {name: n for n, name in enumerate(names, start=10)}
    images = np.array([image for _, image in taught], np.uint8).reshape(-1, 784)
    return images, np.array([numbers.get(what, what) for what, _ in taught], int), names


def in_words(images, labels, names):
    """The same backwards."""
    whats = [named(names[label - 10]) if label > 9 else int(label) for label in labels]
    return list(zip(whats, images, strict=True))


def merged(one, other):
    """The drawings of both, none of them twice."""
    seen = {(what, image.tobytes()): (what, image) for what, image in one + other}
    return list(seen.values())
