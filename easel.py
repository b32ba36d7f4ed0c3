"""What every picture stands on: its size, its colours, and how a notebook shows it.

Beside it a notebook keeps words for those who do not see it, {"image/png": {"alt": ...}}, as beside
IPython's own images. What they say is in spoken.py, what is drawn in plots.py.
"""

import io

import numpy as np
import PIL.Image
from matplotlib.figure import Figure

import spoken

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
TELLABLE = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#000000")  # Okabe and Ito, too
SIGNS = (BLUE, "white", ORANGE)  # below 0, 0, above
WIDTH = 8.0  # inches; at 100 dots an inch as wide as a page on GitHub


class Shown:
    """What a notebook shows as a PNG, and `print` in words: those in `alt`, or what can be said of
    any."""

    def _repr_png_(self):
        file = io.BytesIO()
        self._write(file)
        return file.getvalue(), {"alt": str(self)}

    def __str__(self):
        words = " ".join((self.alt or self._words()).split())
        return words.encode(errors="replace").decode()  # halves of letters, as names of files have

    __repr__ = __str__


class Picture(Shown, Figure):
    """A figure that shows itself in a notebook, without pyplot's list of open figures."""

    def __init__(self, width=WIDTH, height=3.0, alt=""):
        super().__init__(figsize=(width, height), dpi=100, layout="constrained")
        self.alt = alt

    def _write(self, file):
        self.savefig(file, format="png", metadata={"Software": None})

    def _words(self):
        return spoken.figure(self)


class Film(Shown):
    """Frames (n, h, w), 0..1 with 1 as ink, one after the other, again and again: an animated PNG.
    Where it stands still, as on paper, it is its last frame."""

    def __init__(self, frames, seconds=0.04, alt=""):
        self.frames, self.seconds = np.asarray(frames), seconds  # of each; the last stays for 3
        self.alt = alt

    def _write(self, file):
        shades = np.uint8(np.round(255 * (1 - self.frames.clip(0, 1))))
        still, *frames = (PIL.Image.fromarray(frame) for frame in (shades[-1], *shades))
        times = [round(1000 * self.seconds)] * (len(frames) - 1) + [3000]
        how = {"save_all": True, "default_image": True, "loop": 0, "duration": times}
        still.save(file, format="png", append_images=frames, **how)

    def _words(self):
        return f"A film of {len(self.frames)} pictures."
