"""How the weights follow their slopes: the part of training that is a matter of choice.

An optimiser is a value that `train` is handed as `descend`. It is called after each batch with

    net    the network, whose weights and biases it changes in place
    steps  the slopes of the loss by each of them, times the learning rate: a list, weights first
    rate   that learning rate

and keeps what it must remember between the steps in `net.memory`, a dictionary. So one of your own
is a function like `plain`. If it rescales the slopes, as Adam does, it divides the steps by `rate`
(which a schedule may bring down to 0), and wants a learning rate of its own.
"""

from dataclasses import dataclass

import numpy as np

import checks


def plain(net, steps, rate):
    """Gradient descent: each weight and each bias goes down its slope."""
    net.memory.clear()  # who comes after it begins without velocities
    for parameter, step in zip(net.weights + net.biases, steps, strict=True):
        parameter -= step


@dataclass(frozen=True)  # equal if their numbers are: the next training goes on with the velocities
class nesterov:
    """Gradient descent with momentum, looking ahead, and with weights that shrink.

    momentum  from 0 to below 1: how much of the last step is in the next (Nesterov's, as in
              Sutskever et al. 2013, "On the importance of initialization and momentum"). The rate
              is inside the velocity, so that a falling rate acts on new slopes only.
    decay     from 0 to below 1, weight decay: each step also shrinks the weights, not the biases,
              by this share of them, times the learning rate, so that no node grows too sure
              (Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization")

    ValueError for numbers out of range.
    """

    momentum: float
    decay: float = 0.0

    def __post_init__(self):
        checks.fractions(momentum=self.momentum, decay=self.decay)

    def __call__(self, net, steps, rate):
        parameters = net.weights + net.biases
        if self not in net.memory:
            net.memory[self] = [np.zeros_like(parameter) for parameter in parameters]
        if self.decay:
            for weights in net.weights:
                weights *= 1 - rate * self.decay
        for parameter, velocity, step in zip(parameters, net.memory[self], steps, strict=True):
            velocity *= self.momentum
            velocity += step
            step += self.momentum * velocity
            parameter -= step


def fitting_rate(net, batch_size):
    """A learning rate with which most networks learn: 3.0 for the default one.

    The steeper the loss can be, the shorter the steps (Y. LeCun, L. Bottou, G. Orr, K.-R. Mueller
    1998, "Efficient BackProp", section 5). A sigmoid's slope is 1/4 at most: squared error behind
    it has that twice, cross-entropy once, as the other cancels out; half of a relu is flat. Hidden
    nodes with a slope of 1, or none, make it steeper. Many hidden nodes move an output all at once,
    and from its flat end squared error finds no way back. Few examples are an unsure guess of the
    slope: up to batches of 32 the rate grows with their square root, as does how sure it is (A.
    Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks").
    """
    hidden, flat = net.layers[1:-1], ("sigmoid", "softmax")
    crossed = net.loss_name == "cross-entropy"
    steep = 1 / 4 if crossed else 1 / 16 if net.output in flat else 1 / 2
    slope = 1 / 4 if hidden and net.hidden in flat else 1
    crowd = 1 if crossed else max((100, *hidden)) / 100
    return 3.0 * (1 / 16 / steep) * (1 / 4 / slope) / crowd * min(1, batch_size / 32) ** 0.5


def schedule(net, learning_rate, batch_size):
    """The learning rate as a function of the fraction of the training done."""
    if callable(checks.learning_rate(learning_rate)):
        # A number of NumPy's would turn the slopes into 64-bit numbers, which take twice the time.
        return lambda done: float(checks.rate(learning_rate(done)))
    rate = fitting_rate(net, batch_size) if learning_rate is None else float(learning_rate)
    if learning_rate is None and batch_size > 32:
        # Large batches pull all one way at first: warm up over a tenth of the training (P. Goyal et
        # al. 2017, "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", section 2.2).
        return lambda done: rate * min(1, 0.1 + 10 * done)
    return lambda done: rate
