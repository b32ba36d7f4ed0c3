"""Keep a network in a file, and get it back: save(net, path), load(path).

The file is an .npz, NumPy's zip of arrays: weights_0, weights_1, ..., perhaps biases_0, ..., and
`options`, a text in JSON. Nothing in it is ever run, and nothing is unpacked before it is known to
be what the options announce.
"""

import io
import json
import math
import os
import zipfile
from itertools import pairwise

import numpy as np

from files import naming, printed, sweep, written_whole
from nn import NeuralNetwork

OPTIONS = ("layers", "hidden", "output", "loss", "biases")  # of NeuralNetwork
MOST_BYTES = 64_000_000  # of a file: 16 million weights
MOST_AROUND = 100_000  # bytes of the options, and of what is around the numbers of an array


def save(net, path):
    """Write weights, biases and options of `net`. A file of that name is replaced in one go:
    whatever happens meanwhile, it is there whole, the old one or the new one.

    ValueError, and the old file stays, if `load` would refuse the new one: numbers that are not
    finite, weights of another shape or type than the network was built with, more than 64 MB.
    OSError, naming the file, if it cannot be written.
    """
    if not isinstance(net, NeuralNetwork):
        raise TypeError(f"net: expected a NeuralNetwork, got {type(net).__name__}")
    options = {"layers": net.layers, "hidden": net.hidden, "output": net.output}
    options |= {"loss": net.loss_name, "biases": bool(net.biases), "epoch": net.epoch}
    arrays = {f"weights_{i}": weights for i, weights in enumerate(net.weights)}
    arrays |= {f"biases_{i}": biases for i, biases in enumerate(net.biases)}
    with written_whole(path) as file:
        np.savez(file, options=json.dumps(options, default=str), **arrays)
        _read(file, f"This network is not saved to {printed(str(path)[-150:])}")


def load(path):
    """The network that `save` wrote. ValueError, naming the file, for one that is damaged, hostile
    or something else; OSError if it cannot be read."""
    with naming(path, "read"), open(path, "rb") as file:
        sweep(path)
        return _read(file, f"{printed(str(path)[-150:])} is no network that storage.save wrote")


def _read(file, refusal):
    try:
        return _network(file)
    except Exception as error:  # a hostile file can make any reader fail in any way
        raise ValueError(f"{refusal}: {printed(str(error)[:100])}") from error


def _network(file):
    size = file.seek(0, os.SEEK_END)
    if size > MOST_BYTES:
        raise ValueError(f"it has {size:,} bytes, more than {MOST_BYTES:,}")
    with zipfile.ZipFile(_Sips(file)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if any(member.compress_type != zipfile.ZIP_STORED for member in members.values()):
            raise ValueError("it is packed, and may unpack to anything")
        if "options.npy" not in members:
            raise ValueError("it has no options")
        if members["options.npy"].file_size > MOST_AROUND:
            raise ValueError("its options are too long")
        options = json.loads(str(_array(archive, "options")))
        shapes = _shapes(options)
        names = {f"{name}.npy" for name in ("options", *shapes)}
        # Earlier versions kept a canvas in the file; it is left where it is.
        lack, extra = names - members.keys(), members.keys() - names - {"canvas.npy"}
        if lack or extra or len(archive.infolist()) != len(members):
            raise ValueError(f"expected each array once; lacks {[*lack][:2]}, extra {[*extra][:2]}")
        for name, shape in shapes.items():
            if members[f"{name}.npy"].file_size > 8 * math.prod(shape) + MOST_AROUND:
                raise ValueError(f"{name} is larger than {shape}")
        if sum(member.file_size for member in members.values()) > size:
            raise ValueError("its arrays are larger than the file")
        found = {name: _array(archive, name) for name in shapes}
    _check(options, found)
    dtype, names = found["weights_0"].dtype, list(found)
    net = NeuralNetwork(
        **{name: options[name] for name in OPTIONS},
        initial=lambda rng, shape: found.pop(names.pop(0)),  # each is there twice no longer
        dtype=dtype,
    )
    for biases, array in zip(net.biases, found.values(), strict=True):
        biases[...] = array
    net.epoch = float(options["epoch"])
    return net


class _Sips(io.BufferedIOBase):
    """A file of which nobody gets more than a megabyte at once: zipfile would read a list of
    members of any length, and make ten times as much of it."""

    MOST = 1_000_000

    def __init__(self, file):
        self.seek, self.tell, self.file = file.seek, file.tell, file

    def seekable(self):
        return True

    def read(self, size=-1):
        if size > self.MOST:
            raise ValueError("its list of members is too long")
        return self.file.read(size if size >= 0 else self.MOST)


def _array(archive, name):
    with archive.open(f"{name}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _shapes(options):
    """Name -> shape of each array of a network with these options."""
    shapes = {f"weights_{i}": pair for i, pair in enumerate(pairwise(options["layers"]))}
    if options["biases"]:
        shapes |= {f"biases_{i}": (nodes,) for i, nodes in enumerate(options["layers"][1:])}
    return shapes


def _check(options, arrays):
    """ValueError unless the arrays are those of a network with these options."""
    for name, shape in _shapes(options).items():
        if arrays[name].shape != shape:
            raise ValueError(f"expected {name} of the shape {shape}, found {arrays[name].shape}")
    dtypes = {array.dtype for array in arrays.values()}
    if dtypes not in ({np.dtype(np.float32)}, {np.dtype(np.float64)}):
        raise ValueError(f"expected all arrays as float32, or all as float64, found {dtypes}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("it holds numbers that are not finite")
    if not 0 <= float(options["epoch"]) < np.inf:
        raise ValueError(f"expected a number of epochs, found {options['epoch']}")
