"""The libraries of lesson 7: which are here, and whether each works. Nothing is installed."""

import importlib
import math
import os
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd


class Library(NamedTuple):
    module: str
    trial: Callable  # the module -> 6, found by what it is good for: mostly the slope of w² at 3
    package: str  # what pip calls it


def _slope_of_a_line(sklearn):
    from sklearn.linear_model import LinearRegression

    return LinearRegression().fit([[0], [1]], [0, 6]).coef_[0]


def _slope_in_pytorch(torch):
    w = torch.tensor(3.0, requires_grad=True)
    (w * w).backward()
    return w.grad.item()


def _slope_in_tensorflow(tf):
    w = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        square = w * w
    return float(tape.gradient(square, w))


def _sum_in_keras(keras):
    if keras.__version__.startswith("2."):
        raise ImportError(f"{keras.__version__} is too old, the lesson needs Keras 3")
    return float(keras.ops.sum(keras.ops.convert_to_tensor([1.0, 2.0, 3.0])))


LIBRARIES = {
    "scikit-learn": Library("sklearn", _slope_of_a_line, "scikit-learn"),
    "PyTorch": Library("torch", _slope_in_pytorch, "torch"),
    "JAX": Library("jax", lambda jax: float(jax.grad(lambda w: w * w)(3.0)), "jax"),
    "TensorFlow": Library("tensorflow", _slope_in_tensorflow, "tensorflow"),
    "Keras": Library("keras", _sum_in_keras, "keras jax"),  # last: it needs one of those above
}
BACKENDS = {"JAX": "jax", "PyTorch": "torch", "TensorFlow": "tensorflow"}


def find():
    """Import and try each library. Returns a table with a row for each: `works`, its version, and
    what to do if it does not work. Keras is put on the first of BACKENDS that works, unless the
    environment variable KERAS_BACKEND already names one; its version says which."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow talks of its own affairs
    rows = {}
    for name, library in LIBRARIES.items():
        if name == "Keras" and (working := [b for b in BACKENDS if rows[b]["works"]]):
            os.environ.setdefault("KERAS_BACKEND", BACKENDS[working[0]])
        rows[name] = _row(library)
    if rows["Keras"]["works"] and (backend := os.environ.get("KERAS_BACKEND")):
        rows["Keras"]["version"] += f" on {backend}"
    return pd.DataFrame.from_dict(rows, orient="index")


def _row(library):
    get = f"pip install {library.package}"
    try:
        module = importlib.import_module(library.module)
        if not math.isclose(found := library.trial(module), 6, rel_tol=1e-5):
            raise ArithmeticError(f"it found {found} where 6 is right")
    except Exception as error:  # a broken library may raise anything
        missing = isinstance(error, ModuleNotFoundError) and error.name == library.module
        what = str(error).partition("\n")[0]
        reason = "" if missing else f"it is here, but broken ({what}); perhaps "
        return {"works": False, "version": "", "what to do": reason + get}
    return {"works": True, "version": module.__version__, "what to do": ""}


def processors(works):
    """Name -> what it can compute on here, for the libraries that work (a name -> bool)."""
    found = {}
    if works["PyTorch"]:
        import torch

        cards = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
        found["PyTorch"] = ["cpu", *cards] + ["mps"] * torch.backends.mps.is_available()
    if works["JAX"]:
        import jax

        found["JAX"] = [device.device_kind for device in jax.devices()]
    if works["TensorFlow"]:
        import tensorflow

        devices = tensorflow.config.list_physical_devices()
        found["TensorFlow"] = [device.name for device in devices]
    return found or {"NumPy": ["cpu"]}
