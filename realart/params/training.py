"""The params of how training is run, whatever the recipe."""

from typing import Annotated, Literal

from pydantic import Field

from realart.params.groups import Seed, Strict


class Train(Strict):
    """How training is run.

    Attributes
    ----------
    seed
        Of weights, batches and augmentation.
    deterministic
        Whether equal seeds give equal weights on one machine; slower.
    precision
        Dtype policy of Keras.
    checkpoint_seconds
        Least time between two checkpoints; 0 saves one after each epoch.
    devices
        Over which each batch is spread evenly; more than one need JAX.
    window_gigabytes
        Most memory for inputs; of a larger dataset, a window is in memory at a time.
    """

    seed: Seed
    deterministic: bool
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    devices: Annotated[int, Field(ge=1)]
    window_gigabytes: Annotated[float, Field(gt=0)]
