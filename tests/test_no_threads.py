"""The modules where no thread can start and requests is missing, as in a browser's Python."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

THERE = """
import sys, threading, warnings

def fail(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = fail
sys.modules["requests"] = sys.modules["pooch"] = None  # whoever imports them fails
warnings.simplefilter("error")
for library in ("matplotlib", "anywidget", "ipywidgets", "traitlets"):  # of each other
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=library)

import numpy as np
import mnist
from nn import NeuralNetwork

train, test = mnist.load_sample()
some = train.images[:600], train.labels[:600]
net = NeuralNetwork()
"""
NETWORK = """
from distortions import distort, look
net.train(*some, augment=distort, learning_rate=3, epochs=5, progress=True)
assert look(net, some[0], 2).argmax(axis=1).tolist().count(3) > 20
assert net.accuracy(*some) > 0.7
"""
IMAGINING = """
import handwriting, pen
from imagine import canvas_of, imagine
from PIL import Image
assert imagine(net, range(10), canvas_of(some[0]), steps=5).shape == (10, 784)
assert handwriting.from_picture("data/my_seven.png").shape == (784,)
"""
PANELS = """
import checks
from imagine import canvas_of
from panels import DrawingPad, ImaginePanel, NeuronExplorer, TrainingPanel

panel = TrainingPanel(some, (test.images, test.labels))
panel.turn(epochs=2, learning_rate=100)  # too far, and the panel says so
assert panel.net.epoch == 2 and len(panel.runs) == 1 and not panel.busy
assert "Done at epoch 2" in panel.stage.shown["says"]
assert "Nothing is learned" in panel.stage.shown["warning"] and checks.listener.get() is None

def interrupt(done):
    if done > 0.2:
        raise KeyboardInterrupt

panel._tell = interrupt
panel.train()
assert 2.2 < panel.net.epoch < 4 and len(panel.runs) == 2 and not panel.busy
assert "Paused at epoch 2." in panel.stage.shown["says"]
panel.close()

explorer = NeuronExplorer(net, *some)
explorer.knob.slider.value = 7
assert "Node <b>7</b>" in explorer.says.value
imagining = ImaginePanel(net, canvas_of(some[0]))
imagining.digit.value = 4
assert "Imagined, a 4:" in imagining.imagined.value
pad = DrawingPad(net)
pad.box.pixels = b"\\xff" * 130 * 280 + bytes(20 * 280) + b"\\xff" * 130 * 280
assert pad.image.any()
"""
JUDGE = """
from lessons.log_judge import Judge
from lessons.log_lines import parse
from lessons.simulated_log import simulate
logs = [[parse(line) for line in log] for log in simulate(200, seed=3)]
Judge(*logs, networks=2, epochs=1, decays=(0, 0.01))
"""
FETCHING = """
print(len(mnist.load(sys.argv[1])[0].labels))
"""


def run(code, *arguments):
    """What the code prints there, and what it writes to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", THERE + code, *arguments],
        cwd=ROOT,
        env=os.environ | {"MNIST_MIRRORS": "http://127.0.0.1:9/"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_a_network_learns_looks_and_imagines():
    printed, bar = run(NETWORK + IMAGINING)
    assert printed.splitlines()[-1].startswith("epoch 5: loss")
    assert "examples" in bar


@pytest.mark.parametrize("code", [PANELS, JUDGE], ids=["panels", "judge"])
def test_it_works_and_says_nothing(code):
    assert run(code) == ("", "")


def test_the_sample_stands_in_where_nothing_can_be_fetched(tmp_path):
    printed, errors = run(FETCHING, str(tmp_path))
    assert "could not be had (mnist_test.csv: the module requests is missing: pip" in printed
    assert printed.endswith("\n4000\n")
    assert "Traceback" not in errors
