"""Put the page into one file, page/digits.html: python -m page.build

The scripts and the look as they are, the network and the sample as base64. So it opens from disk,
with nothing installed, and asks nobody for anything. Commit the file with what has changed.
"""

import base64
import io
import re
from pathlib import Path

import numpy as np

import mnist
from files import written_whole
from imagine import canvas_of

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
# All that thinks; the notebooks' drawing pad shares it.
NETWORK = ("arrays.js", "activations.js", "nn.js")
SCRIPTS = ("elements.js", *NETWORK, "handwriting.js", "sheet.js", "stage.js")
FILES = ("digits.npz", "sample_train.csv.gz", "sample_test.csv.gz")


def joined(*names):
    """Files of this folder as one text: a script, or a look."""
    return "\n".join((HERE / name).read_text("utf-8") for name in names)


def canvas():
    """The canvas of the sample's digits as an .npz: mean (784,), directions (80, 784)."""
    file = io.BytesIO()
    arrays = canvas_of(mnist.load_sample()[0].images)._asdict()
    np.savez(file, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return file.getvalue()


def build():
    """The page, a text."""
    parts = {"script": joined(*SCRIPTS, "imagine.js", "npz.js", "page.js")}
    parts["look"] = joined("stage.css", "page.css")
    files = {name: (DATA / name).read_bytes() for name in FILES} | {"canvas.npz": canvas()}
    parts |= {name: base64.b64encode(file).decode() for name, file in files.items()}
    return re.sub(r"\{\{(.+?)\}\}", lambda match: parts[match[1]], joined("template.html"))


if __name__ == "__main__":
    with written_whole(HERE / "digits.html") as file:
        file.write(build().encode())
