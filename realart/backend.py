"""Keras, and the one place that speaks to its backend: seeds, determinism, precision, memory.

Modules take `keras` from here, so that what Keras and TensorFlow read when imported is set before.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from realart.params import Train


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off the terminal what TensorFlow's C++ writes before its log level counts."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is first imported
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every fold's new network
with _quiet():
    import keras

__all__ = ["forget_networks", "gradient", "has_accelerator", "keras", "prepare"]


def prepare(train: Train) -> None:
    """Set seed, determinism and precision for all that Keras does in this process from now on.

    On one machine, with one number of threads, equal seeds then give bit-equal weights.
    """
    keras.utils.set_random_seed(train.seed)
    keras.mixed_precision.set_dtype_policy(train.precision)
    match keras.config.backend():
        case "tensorflow":
            _prepare_tensorflow(train.deterministic)
        case "torch":
            _prepare_torch(train.deterministic)


def forget_networks() -> None:
    """Free what networks left, and number layers from the start: equal networks, equal names."""
    precision = keras.mixed_precision.dtype_policy()
    keras.utils.clear_session()
    keras.mixed_precision.set_dtype_policy(precision)


def has_accelerator() -> bool:
    """Tell whether Keras computes on something faster than this machine's processors."""
    match keras.config.backend():
        case "tensorflow":
            import tensorflow

            return bool(tensorflow.config.list_physical_devices("GPU"))
        case "torch":
            import torch

            return bool(torch.cuda.is_available())
    import jax

    return bool(jax.default_backend() != "cpu")


def gradient(function: Callable[[Any], Any], at: Any) -> Any:
    """Return the gradient of a function of one tensor, whose value is one number, at a tensor."""
    match keras.config.backend():
        case "tensorflow":
            import tensorflow

            with tensorflow.GradientTape() as tape:
                tape.watch(at)
                value = function(at)
            return tape.gradient(value, at)
        case "torch":
            import torch

            at = at.detach().requires_grad_()
            return torch.autograd.grad(function(at), at)[0]
    import jax

    return jax.grad(function)(at)


def _prepare_tensorflow(deterministic: bool) -> None:
    import tensorflow

    for device in tensorflow.config.list_physical_devices("GPU"):
        tensorflow.config.experimental.set_memory_growth(device, True)
    if deterministic:
        tensorflow.config.experimental.enable_op_determinism()


def _prepare_torch(deterministic: bool) -> None:
    import torch

    torch.use_deterministic_algorithms(deterministic)
