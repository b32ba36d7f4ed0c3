"""What one sees of a training: a bar, a line an epoch, the measurements, and how it ends early."""

import numpy as np
from tqdm.auto import tqdm

import checks

MEASUREMENTS = 5  # an epoch
LINES = 10  # at most


class Bar(tqdm):
    """tqdm's bar, without the thread that watches over it: there may be none to have."""

    monitor_interval = 0


class Watch:
    """Looks on while `net` trains. It never changes what the network learns.

    examples, validation  (images, targets) to measure on; of the examples 1,000 or so are enough
    callback              called with each measurement, which net.history keeps
    shown                 whether a person is watching: then there are a bar and lines, and an
                          interrupt ends the training quietly
    epochs, steps, count  to come, and the steps and examples in each

    ValueError if the loss is no longer finite; the network is then as after the last good epoch.
    """

    def __init__(self, net, examples, validation, callback, shown, epochs, steps, count):
        every = -(-len(examples[1]) // 1000)
        self.probe = [part[::every].copy() for part in examples]  # (1000, 784), (1000, 10) or so
        checks.pixels(self.probe[0])
        self.alike = (self.probe[1] == self.probe[1][0]).all()  # one answer to all of them is right
        self.net, self.validation, self.callback, self.shown = net, validation, callback, shown
        self.start, self.epochs, self.steps = net.epoch, epochs, steps
        self.measured = {-(-steps * part // MEASUREMENTS) for part in range(1, MEASUREMENTS + 1)}
        self._keep()
        look = {"unit": " examples", "unit_scale": True, "miniters": 1, "leave": False}
        self.bar = Bar(total=epochs * count, disable=not shown, **look)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        """True, which ends it quietly, if a person stopped it. Any other caller must hear of it."""
        self.bar.close()
        if self.shown and kind is KeyboardInterrupt:
            print(f"Stopped after {self.net.epoch:.4g} epochs; call train again to go on.")
            return True
        return False

    def stepped(self, epoch, step, count):
        """In `epoch`, from 0, the network has done `step`, from 1, with `count` examples."""
        self.net.epoch = self.start + epoch + step / self.steps
        self.bar.update(count)
        if step in self.measured:
            self.net.history.append(self._measurement())
            if self.callback:
                self.callback(self.net.history[-1])
        if step == self.steps:
            self._keep()
            if self.shown and (self.epochs - epoch - 1) % -(-self.epochs // LINES) == 0:
                self.bar.write(in_words(self.net.history[-1]))

    def _measurement(self):
        z = self.net.last_sums(self.probe[0])  # (1000, 10)
        loss, accuracy = self.net.judge(z, self.probe[1])
        if not all(np.isfinite(p).all() for p in [loss, *self.net.weights, *self.net.biases]):
            reached, _ = self.net.epoch, self._give_back()
            checks.diverged(reached, self.net.epoch)
        if self.net.epoch >= self.start + 1 and not self.alike:
            self.alike = checks.all_alike(self.net.activation(-1).value(z))  # said once
        found = {"epoch": self.net.epoch, "loss": loss, "accuracy": accuracy}
        if self.validation:
            loss, accuracy = self.net.measure(*self.validation)
            found |= {"validation_loss": loss, "validation_accuracy": accuracy}
        return found

    def _keep(self):
        """The network as it is after a good epoch."""
        parameters = [parameter.copy() for parameter in self.net.weights + self.net.biases]
        self.kept = parameters, self.net.epoch, len(self.net.history)

    def _give_back(self):
        parameters, self.net.epoch, measured = self.kept
        for parameter, good in zip(self.net.weights + self.net.biases, parameters, strict=True):
            parameter[...] = good
        del self.net.history[measured:]
        self.net.memory.clear()  # velocities that led astray


def in_words(m):
    """A line for people: on the validation digits where there are some."""
    held_out = "validation_" if "validation_loss" in m else ""
    loss, accuracy = m[f"{held_out}loss"], m[f"{held_out}accuracy"]
    on = "held out" if held_out else "in training"
    return f"epoch {m['epoch']:.4g}: loss {loss:.4f}, accuracy {accuracy:.2%} of the digits {on}"
