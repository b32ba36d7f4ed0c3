"""Keep a network in a file, and get it back: save(net, path), load(path).

The file is an .npz, NumPy's zip of arrays: weights_0, weights_1, ..., perhaps biases_0, ..., and
`options`, a text in JSON. Nothing in it is ever run, and nothing is unpacked before it is known to
be what the options announce.
"""

import json
import math
import zipfile
from itertools import pairwise

import numpy as np

from machine import written_whole
from nn import NeuralNetwork

OPTIONS = ("layers", "hidden", "output", "loss", "biases")  # of NeuralNetwork
MOST_BYTES = 100_000  # of the options, and of what is around the numbers of an array


def save(net, path):
    """Write weights, biases and options of `net`. A file of that name is replaced in one go:
    whatever happens meanwhile, it is there whole, the old one or the new one.

    ValueError, and the old file stays, if `load` would refuse the new one: numbers that are not
    finite, weights of another shape or type than the network was built with.
    """
    options = {"layers": net.layers, "hidden": net.hidden, "output": net.output}
    options |= {"loss": net.loss_name, "biases": bool(net.biases), "epoch": net.epoch}
    arrays = {f"weights_{i}": weights for i, weights in enumerate(net.weights)}
    arrays |= {f"biases_{i}": biases for i, biases in enumerate(net.biases)}
    try:
        _check(options, arrays)
    except ValueError as error:
        raise ValueError(f"This network is not saved to {path}: {error}") from None
    with written_whole(path) as file:
        np.savez(file, options=json.dumps(options), **arrays)


def load(path):
    """The network that `save` wrote. ValueError, naming the file, for one that is damaged, hostile
    or something else."""
    with open(path, "rb") as file:  # a missing file says so itself
        try:
            return _read(file)
        except Exception as error:  # a hostile file can make any reader fail in any way
            message = f"{path} is no network that storage.save wrote: {str(error)[:200]}"
            raise ValueError(message) from error


def _read(file):
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if any(member.compress_type != zipfile.ZIP_STORED for member in members.values()):
            raise ValueError("it is packed, and may unpack to anything")
        if members["options.npy"].file_size > MOST_BYTES:
            raise ValueError("its options are too long")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            options = json.loads(str(arrays["options"]))
            shapes = _shapes(options)
            names = {f"{name}.npy" for name in ("options", *shapes)}
            # Earlier versions kept a canvas in the file; it is left where it is.
            if len(archive.infolist()) != len(members) or members.keys() - {"canvas.npy"} != names:
                raise ValueError(f"expected {sorted(names)}, found {sorted(members)}")
            for name, shape in shapes.items():
                if members[f"{name}.npy"].file_size > 8 * math.prod(shape) + MOST_BYTES:
                    raise ValueError(f"{name} is larger than {shape}")
            found = {name: arrays[name] for name in shapes}
    _check(options, found)
    dtype = found["weights_0"].dtype
    net = NeuralNetwork(**{name: options[name] for name in OPTIONS}, dtype=dtype)
    for parameter, array in zip(net.weights + net.biases, found.values(), strict=True):
        parameter[...] = array
    net.epoch = float(options["epoch"])
    return net


def _shapes(options):
    """Name -> shape of each array of a network with these options."""
    shapes = {f"weights_{i}": pair for i, pair in enumerate(pairwise(options["layers"]))}
    if options["biases"]:
        shapes |= {f"biases_{i}": (nodes,) for i, nodes in enumerate(options["layers"][1:])}
    return shapes


def _check(options, arrays):
    """ValueError unless the arrays are those of a network with these options."""
    shapes, found = _shapes(options), {name: array.shape for name, array in arrays.items()}
    if found != shapes:
        raise ValueError(f"expected arrays of the shapes {shapes}, found {found}")
    dtypes = {array.dtype for array in arrays.values()}
    if dtypes not in ({np.dtype(np.float32)}, {np.dtype(np.float64)}):
        raise ValueError(f"expected all arrays as float32, or all as float64, found {dtypes}")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("it holds numbers that are not finite")
    if not 0 <= float(options["epoch"]) < np.inf:
        raise ValueError(f"expected a number of epochs, found {options['epoch']}")
