"""The figures of lesson 3: ReLU and softmax."""

import json

import numpy as np
from conftest import ROOT, WHOLE_BATCH
from sklearn.model_selection import train_test_split

import nn
from nn import NeuralNetwork

RELU_SOFTMAX = {
    "hidden": "relu",
    "output": "softmax",
    "loss": "cross-entropy",
    "biases": True,
    "initial": nn.uniform(-0.5, 0.5),
}


def test_relu_softmax_after_500_whole_batch_steps_on_the_sample(sample):
    """The 82 to 86 % of 41,000 digits are asserted in the lesson itself."""
    net = NeuralNetwork((784, 10, 10), seed=1, **RELU_SOFTMAX)
    images, held_images, labels, held_labels = train_test_split(
        net.as_input(sample[0].images), sample[0].labels, test_size=1000, random_state=1
    )
    history = net.train(images, labels, epochs=500, learning_rate=0.1, **WHOLE_BATCH)
    assert len(history) == 500
    assert history[9]["accuracy"] < 0.3
    assert 0.79 < net.accuracy(held_images, held_labels) < 0.89


def test_committed_lesson_3_reached_82_to_86_percent():
    notebook = json.loads((ROOT / "lessons" / "3_relu_softmax.ipynb").read_text(encoding="utf-8"))
    printed = "".join(
        "".join(output.get("text", []))
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
    )
    assert "41,000 to train on, 1,000 for development" in printed
    found = printed.split("% of those for development")[0].split()[-1]
    assert 82 <= float(found) <= 86


def test_summing_a_bias_slope_over_all_softmax_outputs_gives_nothing(sample):
    net = NeuralNetwork((784, 10, 10), dtype=np.float64, **RELU_SOFTMAX)
    _, (hidden, outputs) = net.backprop(sample[0].images[:50], sample[0].labels[:50])
    assert abs(outputs).max() > 0.01
    assert abs(outputs.sum()) < 1e-12
    assert hidden.std() > 0.01  # where one number for all of them is wrong, too
