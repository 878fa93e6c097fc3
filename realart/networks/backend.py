"""Keras and all that depends on its backend: seeds, determinism, precision, devices, gradients.

Modules import `keras` from here: what Keras and TensorFlow read when imported is set before.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from realart.core.errors import RealartError


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep off the terminal what TensorFlow's C++ writes before its log level counts."""
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Let optional imports of these packages fail, unless they have been imported before."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


UNUSED = {"matplotlib", "jax"} - {os.environ.get("KERAS_BACKEND", "jax")}
"""What Keras and TensorFlow import for galleries and converters: a fifth of the time they take."""

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is first imported
logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every fold's new network
with _quiet(), _hidden(*UNUSED):
    import keras

__all__ = [
    "check_devices", "clear_session", "distribute", "gradient", "has_accelerator", "keras",
    "prepare",
]  # fmt: skip


class _DataParallel(keras.distribution.DataParallel):  # type: ignore[misc]
    """Data parallelism in which each device computes a batch that can't be divided evenly."""

    def get_data_layout(self, shape: Any) -> Any:
        if shape[0] % self.num_model_replicas:
            return keras.distribution.TensorLayout([None] * len(shape), self.device_mesh)
        return super().get_data_layout(shape)


def prepare(seed: int, *, deterministic: bool = True, precision: str = "float32") -> None:
    """Set seed, determinism and precision for all that Keras computes in this process.

    Parameters
    ----------
    seed
        Of Python, NumPy and the backend.
    deterministic
        Whether equal seeds give bit-equal weights, on one machine with one number of threads.
    precision
        Name of a dtype policy of Keras.
    """
    with _hidden(*{"tensorflow"} - {keras.config.backend()}):  # seconds to import, to be seeded too
        keras.utils.set_random_seed(seed)
    keras.mixed_precision.set_dtype_policy(precision)
    match keras.config.backend():
        case "tensorflow":
            _prepare_tensorflow(deterministic)
        case "torch":
            _prepare_torch(deterministic)


def check_devices(devices: int, batch_size: int) -> None:
    """Check that `distribute` can divide batches of `batch_size` among so many devices.

    Raises
    ------
    RealartError
        Keras's backend is not JAX, or `devices` does not divide `batch_size`.
    """
    name = keras.config.backend()
    if devices > 1 and name != "jax":
        raise RealartError(
            f"train.devices is {devices}, but KERAS_BACKEND is {name}: only jax divides a "
            "fold among devices; set KERAS_BACKEND=jax, or train.devices=1, and folds take one each"
        )
    if batch_size % devices:
        raise RealartError(
            f"train.devices is {devices}, which does not divide the recipe's batch_size "
            f"{batch_size}: change one of them"
        )


def distribute(devices: int) -> None:
    """Divide every further batch of this process evenly among `devices` of JAX.

    All weights are on each device. Gradients and the statistics of batch normalisation are those
    of the whole batch. The last batch of an epoch is computed by each device, where it can't be
    divided evenly.

    Raises
    ------
    RealartError
        JAX has fewer devices.
    """
    if devices == 1:
        keras.distribution.set_distribution(None)
        return
    found = keras.distribution.list_devices()
    if devices > len(found):
        raise RealartError(
            f"train.devices is {devices}, but JAX has {len(found)} ({', '.join(found)}): lower it"
        )
    keras.distribution.set_distribution(_DataParallel(devices=found[:devices]))


def clear_session() -> None:
    """Free the memory of networks and restart the numbers in names of layers.

    Precision and distribution stay as they are.
    """
    precision = keras.mixed_precision.dtype_policy()
    distribution = keras.distribution.distribution()
    keras.utils.clear_session()
    keras.mixed_precision.set_dtype_policy(precision)
    keras.distribution.set_distribution(distribution)


def has_accelerator() -> bool:
    """Return whether Keras computes on an accelerator, such as a GPU."""
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
    """Return the gradient of a scalar function of one tensor, at the tensor `at`."""
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
