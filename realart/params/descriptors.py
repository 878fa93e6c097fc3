"""The params of a descriptor: how the feature vectors of pictures are computed."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag, model_validator

from realart.params.groups import Resample, Strict, kind_by
from realart.params.networks import KerasApplication

REMOTE = "hf://"
"""Start of the address of a file on the Hugging Face Hub."""


class NetworkFeatures(Strict):
    """The input of a descriptor that is computed by a frozen network.

    Attributes
    ----------
    size
        Side of a square in pixels.
    shape
        How a picture becomes a square: resized without its aspect ratio, cropped, or padded.
    resample
        Filter for resizing.
    views
        The number of squares of a picture, whose feature vectors are averaged.
    """

    size: Annotated[int, Field(ge=32)]
    shape: Literal["squash", "crop", "pad"]
    resample: Resample = "bicubic"
    views: Annotated[int, Field(ge=1)]

    has_network: ClassVar[bool] = True


class KerasFeatures(NetworkFeatures):
    """A descriptor: pooled activations of layers of a network of `keras.applications`."""

    backbone: KerasApplication
    layers: Annotated[list[str], Field(min_length=1)]
    pooling: Annotated[list[Literal["mean", "std", "max"]], Field(min_length=1)]

    encoder: ClassVar[None] = None


class Encoder(Strict):
    """An image encoder as an ONNX file, with the preprocessing that it was trained with.

    Attributes
    ----------
    file
        A path, or the address of a file on the Hugging Face Hub, `hf://owner/name@revision/path`.
    sha256
        Of the file, checked if given.
    licence
        Of the weights.
    mean, std
        A channel of a pixel, 0 to 255, becomes (value / 255 - mean) / std.
    channels
        Their order.
    """

    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    licence: str
    mean: Annotated[list[float], Field(min_length=3, max_length=3)]
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]
    channels: Literal["rgb", "bgr"] = "rgb"


class Tap(Strict):
    """A tensor inside an encoder, and how it is pooled.

    Attributes
    ----------
    tensor
        Its name in the graph; null if `block` is given.
    block
        The residual block, counted from 0, that it is the output of; null if `tensor` is given.
    pooling
        `cls` is the first token, `embedding` a tensor without positions; `mean`, `std` and `max`
        are over patches or positions.
    """

    tensor: str | None = None
    block: Annotated[int, Field(ge=0)] | None = None
    pooling: Annotated[list[Literal["cls", "embedding", "mean", "std", "max"]], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_one_tensor(self) -> "Tap":
        if (self.tensor is None) == (self.block is None):
            raise ValueError("a tap has either tensor, a name in the graph, or block, a number")
        return self


class OnnxFeatures(NetworkFeatures):
    """A descriptor: tensors of an encoder, pooled and concatenated.

    With `precision` bfloat16, processors without it compute in float32.
    """

    encoder: Encoder
    taps: Annotated[list[Tap], Field(min_length=1)]
    precision: Literal["float32", "bfloat16"]

    backbone: ClassVar[None] = None


class ForensicFeatures(Strict):
    """A descriptor: families of measurements of `realart.features.forensic`, without weights."""

    families: Annotated[list[str], Field(min_length=1)]

    has_network: ClassVar[bool] = False
    backbone: ClassVar[None] = None
    encoder: ClassVar[None] = None


Descriptor = Annotated[
    Annotated[KerasFeatures, Tag("<layers>")]
    | Annotated[OnnxFeatures, Tag("<encoder>")]
    | Annotated[ForensicFeatures, Tag("<families>")],
    kind_by({"families": "<families>", "encoder": "<encoder>"}, "<layers>"),
]
