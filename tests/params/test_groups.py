"""Defaults stay as they are: DVC does not see them."""

from collections.abc import Iterator

import realart.params
from realart.params import Goals, ParquetColumns, Strict, WeakNames


def test_no_default_has_changed() -> None:
    """DVC sees the values in params.yaml alone: a new default would change stages behind its back.

    A new param whose default leaves every output as it was may be added here.
    """
    defaults = {
        f"{group.__name__}.{name}": field.get_default(call_default_factory=True)
        for group in groups(Strict)
        if group.__module__.startswith(realart.params.__name__) and group is not Goals
        for name, field in group.model_fields.items()
        if not field.is_required()
    }
    assert defaults == {
        "WeakNames.ai": [],
        "WeakNames.human": [],
        "LabelNames.weak": WeakNames(),
        "LabelNames.table": None,
        "Dataset.path": None,
        "Dataset.sha256": None,
        "Dataset.fields": None,
        "Dataset.columns": ParquetColumns(),
        "ParquetColumns.image": None,
        "ParquetColumns.label": None,
        "Balance.deliveries": 0,
        "KerasApplication.weights": "imagenet",
        "KerasApplication.arguments": {},
        "Backbone.weights": "imagenet",
        "Backbone.arguments": {},
        "Backbone.frozen": True,
        "Backbone.unfreeze": 0,
        "Optimizer.schedule": "constant",
        "Optimizer.arguments": {},
        "PixelInput.backbone": None,
        "PixelInput.augment": [],
        "NetworkRecipe.fine_tune": None,
        "NetworkRecipe.published": "",
        "ClassifierRecipe.published": "",
        "NetworkFeatures.resample": "bicubic",
        "KerasFeatures.resample": "bicubic",
        "OnnxFeatures.resample": "bicubic",
        "Encoder.sha256": None,
        "Encoder.channels": "rgb",
        "Tap.tensor": None,
        "Tap.block": None,
    }
    assert {*Goals().model_dump().values()} == {None}


def groups(base: type[Strict]) -> Iterator[type[Strict]]:
    """Yield every group of params below one, at any depth."""
    for group in base.__subclasses__():
        yield group
        yield from groups(group)
