"""realart: tell art made by people from art made by generators, with numbers that hold.

Examples
--------
::

    import realart

    model = realart.load()  # that of the project, models/final
    for prediction in model.predict(["picture.jpg", "another.png"]):
        print(prediction.verdict, prediction.probability_ai, prediction.reasons)
"""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realart.serving.classifier import PictureClassifier

__all__ = ["__version__", "load"]

__version__ = "0.1.0"


def load(path: str | PathLike[str] | None = None) -> "PictureClassifier":
    """Load a trained model.

    Parameters
    ----------
    path
        Its folder. By default that of the project that the current directory is in, models/final.

    Raises
    ------
    RealartError
        The folder holds no model, or one that is damaged or of another version.
    """
    import warnings
    from pathlib import Path  # what a model needs takes seconds to import

    from realart.core import paths
    from realart.core.project import in_root
    from realart.models.trained_model import TrainedModel
    from realart.serving.classifier import PictureClassifier

    model = TrainedModel(in_root(paths.FINAL) if path is None else Path(path))
    if model.caution:
        warnings.warn(model.caution, stacklevel=2)
    return PictureClassifier(model)
