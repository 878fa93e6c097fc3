"""The params of what is done to pictures before training: cleaning, splits, copies, ELA."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from realart.params.groups import Fraction, JpegQuality, Seed, Strict


class Clean(Strict):
    """Which pictures are kept, and the canonical form in which they are stored."""

    encoding: Literal["jpeg", "original"]
    long_side: Annotated[int, Field(ge=32)]
    shrink: Annotated[float, Field(gt=0, le=1)]
    quality: JpegQuality
    min_side: Annotated[int, Field(ge=1)]
    max_pixels: Annotated[int, Field(ge=1, le=178_956_970)]  # where Pillow itself refuses
    duplicate: Fraction
    similar: Fraction

    @model_validator(mode="after")
    def _levels_ordered(self) -> "Clean":
        if self.similar > self.duplicate:
            raise ValueError(
                f"similar ({self.similar}) is above duplicate ({self.duplicate}), but duplicates "
                "are similar, too: set similar at most as high"
            )
        return self


class Split(Strict):
    """The test part, the folds, and the slice of a fold's training part for early stopping.

    With `method` sources, folds hold out whole generators or folders: the out-of-fold score of a
    picture is by a model that was not trained on its source. With `sets`, there are `folds` random
    folds, and one more for each dataset, which holds out the whole dataset.
    """

    method: Literal["random", "published", "sources", "sets"]
    test_size: Fraction
    folds: Annotated[int, Field(ge=2)]
    slices: Annotated[int, Field(ge=2)]
    seed: Seed


class Balance(Strict):
    """Class balance and augmentation.

    Attributes
    ----------
    method
        Augmented copies of the smaller class, class weights, or neither.
    rotation
        Largest angle of a copy, in degrees.
    zoom, brightness
        Largest relative change of a copy.
    horizontal_flip, vertical_flip
        Whether copies may be mirrored.
    deliveries
        Further copies of each training picture, downscaled and saved again as on their way through
        web sites.
    seed
        Of the random changes.
    """

    method: Literal["augment", "class_weight", "none"]
    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    brightness: Annotated[float, Field(ge=0, lt=1)]
    horizontal_flip: bool
    vertical_flip: bool
    deliveries: Annotated[int, Field(ge=0, le=20)] = 0
    seed: Seed


class Audit(Strict):
    """The number of audited pictures, and the AUC of a shortcut above which the pipeline stops."""

    pictures: Annotated[int, Field(ge=100)]
    stop_above: Annotated[float, Field(ge=0.5, le=1)] | None


class Ela(Strict):
    """Error level analysis (ELA).

    Attributes
    ----------
    quality
        JPEG quality of the second save.
    scale
        Factor of the difference, or `max`: the largest difference of a picture becomes 255.
    long_side
        Of stored maps, in pixels.
    """

    quality: JpegQuality
    scale: Literal["max"] | Annotated[float, Field(gt=0)]
    long_side: Annotated[int, Field(ge=32)]


class Features(Strict):
    """The disk space that the stored activations of the frozen part of a network may take."""

    gigabytes: Annotated[float, Field(gt=0)]
