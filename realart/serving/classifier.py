"""The Python API: a trained model that classifies pictures of any kind."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from realart.models.trained_model import TrainedModel
from realart.params import Point
from realart.serving import predict
from realart.serving.inputs import Picture, ZippedFile
from realart.serving.predict import Prediction

BATCH_DIMENSIONS = 4
"""Of an array that holds several pictures."""


class PictureClassifier:
    """A trained model that classifies pictures; `realart.load` returns one.

    Attributes
    ----------
    model
        The trained model: its recipe, input and decision rule.
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model

    def predict(
        self, pictures: Picture | Iterable[Picture], at: Point | None = None, once: bool = False
    ) -> list[Prediction]:
        """Classify pictures.

        Parameters
        ----------
        pictures
            One, or any number: paths as `str` or `Path`, the `bytes` of files, Pillow images, or
            NumPy arrays of uint8, shape (height, width), (height, width, 3) or (height, width, 4);
            an array of shape (n, height, width, 3) holds n.
        at
            Operating point of the decisions: `balanced`, `best_f1` or `low_fpr`. Without one, a
            decision may be `unsure`.
        once
            Skip the scoring of deliveries, which takes most of the time.

        Returns
        -------
        list of Prediction
            One for each picture, in their order: `verdict`, `probability_ai`, `reasons` and
            so on. One that can't be read or decoded has an `error`; nothing is raised for it.

        Raises
        ------
        RealartError
            An array is no picture, or the model can't promise the operating point.
        """
        self.model.decision_rule.require_point(at)
        single = str | bytes | Path | ZippedFile | Image.Image
        if isinstance(pictures, single) or (
            isinstance(pictures, np.ndarray) and pictures.ndim != BATCH_DIMENSIONS
        ):
            pictures = [pictures]
        return list(predict.predict(pictures, self.model, at, once))
