"""The params of networks of Keras: backbones, layers, optimizers, by their Keras names."""

from typing import Annotated, Any, Literal

from pydantic import Field

from realart.params.groups import Strict

Layer = Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=1)]
"""A layer of Keras, or of `realart.networks.layers`: its class name, and its keyword arguments."""

LearningRate = Annotated[float, Field(gt=0, le=100)]
"""A factor of steps; the largest published is 31.2, of LARS with batches of 32,768 pictures.

Ying et al., "Image Classification at Supercomputer Scale", 2018.
"""


class KerasApplication(Strict):
    """A network of `keras.applications` by name, with its own keyword arguments."""

    name: str
    weights: str = "imagenet"
    arguments: dict[str, Any] = {}


class Backbone(KerasApplication):
    """The network below the layers of a recipe.

    Attributes
    ----------
    frozen
        Whether its weights stay as published in the first phase of training.
    unfreeze
        The number of its last layers that fine-tuning may train.
    """

    frozen: bool = True
    unfreeze: Annotated[int, Field(ge=0)] = 0


class Optimizer(Strict):
    """A class of `keras.optimizers` by name, with its own keyword arguments.

    Its learning rate is constant, or decays to 0 over the epochs of a phase along a cosine
    (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017).
    """

    name: str
    learning_rate: LearningRate
    schedule: Literal["constant", "cosine"] = "constant"
    arguments: dict[str, Any] = {}


class FineTune(Strict):
    """A second phase of training, with the last `unfreeze` layers of the backbone."""

    learning_rate: LearningRate
    epochs: Annotated[int, Field(ge=1)]
