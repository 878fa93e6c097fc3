"""Keras, and the one place that speaks to its backend: seeds, determinism, precision, memory.

Modules take `keras` from here, so that what Keras and TensorFlow read when imported is set before.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from realart.core.errors import RealartError


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

__all__ = [
    "forget_networks", "gradient", "has_accelerator", "keras", "may_spread", "prepare", "spread",
]  # fmt: skip


class _DataParallel(keras.distribution.DataParallel):  # type: ignore[misc]
    """Data parallelism in which a batch that devices can't share evenly is computed by each."""

    def get_data_layout(self, shape: Any) -> Any:
        if shape[0] % self.num_model_replicas:
            return keras.distribution.TensorLayout([None] * len(shape), self.device_mesh)
        return super().get_data_layout(shape)


def prepare(seed: int, *, deterministic: bool = True, precision: str = "float32") -> None:
    """Set seed, determinism and precision for all that Keras does in this process from now on.

    On one machine, with one number of threads, equal seeds then give bit-equal weights where
    `deterministic` is set. `precision` is the name of a dtype policy of Keras.
    """
    keras.utils.set_random_seed(seed)
    keras.mixed_precision.set_dtype_policy(precision)
    match keras.config.backend():
        case "tensorflow":
            _prepare_tensorflow(deterministic)
        case "torch":
            _prepare_torch(deterministic)


def may_spread(devices: int, batch_size: int) -> None:
    """Check that `spread` can spread batches of that size.

    Raises
    ------
    RealartError
        Keras's backend is not JAX, or devices can't share a batch evenly.
    """
    name = keras.config.backend()
    if devices > 1 and name != "jax":
        raise RealartError(
            f"train.devices is {devices}, but KERAS_BACKEND is {name}: only jax spreads a fold "
            "over devices; set KERAS_BACKEND=jax, or train.devices=1, and folds take one each"
        )
    if batch_size % devices:
        raise RealartError(
            f"train.devices is {devices}, which does not divide the recipe's batch_size "
            f"{batch_size}: change one of them"
        )


def spread(devices: int) -> None:
    """Spread every batch of this process evenly over so many devices, from now on.

    All weights are on each of them. What is computed, gradients and the statistics of batch
    normalisation included, is that of the whole batch. The last batch of an epoch, where devices
    can't share it evenly, is computed by each.

    Raises
    ------
    RealartError
        There are not so many devices.
    """
    if devices == 1:
        keras.distribution.set_distribution(None)
        return
    found = keras.distribution.list_devices()
    if devices > len(found):
        raise RealartError(
            f"train.devices is {devices}, but JAX has {len(found)} ({', '.join(found)}): set it "
            "to as many at most"
        )
    keras.distribution.set_distribution(_DataParallel(devices=found[:devices]))


def forget_networks() -> None:
    """Free what networks left, and number layers from the start: equal networks, equal names."""
    precision = keras.mixed_precision.dtype_policy()
    distribution = keras.distribution.distribution()
    keras.utils.clear_session()
    keras.mixed_precision.set_dtype_policy(precision)
    keras.distribution.set_distribution(distribution)


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
