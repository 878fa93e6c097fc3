"""What groups of params are made of: their base class, types that several of them share."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]
JpegQuality = Annotated[int, Field(ge=1, le=100)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed in the range that NumPy's, Keras's and scikit-learn's generators take."""
Resample = Literal["bicubic", "bilinear", "box", "lanczos"]
"""Pillow's filters for resizing."""


class Strict(BaseModel):
    """A group of params: immutable, and strict about types; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def kind_by(keys: Mapping[str, str], otherwise: str) -> Discriminator:
    """Discriminate a union of groups of params by a key that only one of them has.

    Parameters
    ----------
    keys
        The tag of a group, by the key that only this group has.
    otherwise
        The tag of a group with none of these keys.
    """

    def tag(value: Any) -> str:
        present = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
        return next((name for key, name in keys.items() if key in present), otherwise)

    return Discriminator(tag)
