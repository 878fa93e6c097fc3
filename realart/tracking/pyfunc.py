"""The final model as a pyfunc model of MLflow: files of pictures in, a verdict on each out.

MLflow runs this file when it loads the model, beside the code of the run that logged it.
"""

import base64
import re
from binascii import Error
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array

from realart.metrics.thresholds import PROMISED
from realart.models.trained_model import TrainedModel
from realart.params import POINTS
from realart.serving.predict import Prediction, predict_bytes

PICTURE = "picture"
"""Name of the input column."""
ARTIFACT = "final"
"""Name of the artifact: the folder of the trained model."""
ONCE = ParamSpec("once", DataType.boolean, default=False)
"""Param of a request, with which deliveries are not scored, as by `realart predict --once`."""
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, PICTURE)]),
    outputs=Schema(
        [
            ColSpec(DataType.string, "verdict"),
            ColSpec(DataType.double, "probability_ai", required=False),
            ColSpec(DataType.string, "reason"),
            *(ColSpec(DataType.string, point) for point in POINTS),
            ColSpec(Array(DataType.string), "promises"),
            ColSpec(DataType.string, "error"),
            ColSpec(Array(DataType.string), "evidence"),
        ]
    ),
    params=ParamSchema([ONCE]),
)
"""A picture's file for each row: base64 or a data URI, or from Python its bytes.

The column is no binary one, since MLflow decodes that only in `dataframe_records` and
`dataframe_split`, and there drops what is no base64 without a word.
"""
_DATA_URI = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)
_NULLS = ("None", "nan", "NaN")
"""What MLflow makes of a null in `instances` and `inputs`."""


class PictureModel(PythonModel):
    """Predicts with the model that `realart.models.trained_model.save` wrote."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the trained model."""
        self.model = TrainedModel(Path(context.artifacts[ARTIFACT]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Return a row for each file in the column `PICTURE`; columns: outputs of `SIGNATURE`.

        `verdict` may be `unsure`, and `reason` says why: the picture is unlike those of training or
        a delivery would turn the verdict. Those of the operating points are `unsure` only where a
        point can't be promised. `promises` has a sentence on the verdict, and one on that of
        `low_fpr`. With the param `ONCE`, deliveries are not scored. Of a file that can't be
        decoded, `probability_ai` is None (a NaN is no JSON), and all else is empty but `error` and
        `evidence`.
        """
        values = [*model_input[PICTURE]]
        if len(values) == 1 and isinstance(values[0], list):
            (values,) = values  # MLflow casts a dict of texts that Python sends to this
        once = bool((params or {}).get(ONCE.name))
        rows = [self._row(value, once) for value in values]
        return pd.DataFrame(rows, columns=SIGNATURE.outputs.input_names(), dtype=object)

    def _row(self, value: Any, once: bool) -> dict[str, Any]:
        try:
            prediction = predict_bytes(decode_file(value), self.model, once=once)
        except ValueError as error:
            prediction = Prediction("", error=str(error))
        points: dict[str, str] = dict.fromkeys(POINTS, "")
        promises: list[str] = []
        if (probability := prediction.probability_ai) is not None:
            rule = self.model.decision_rule
            points = {point: rule.decide(probability, point) for point in POINTS}
            promises = [rule.promise(), rule.promise(PROMISED)]
        evidence = list(prediction.evidence)
        return {**asdict(prediction), **points, "promises": promises, "evidence": evidence}


def decode_file(value: Any) -> bytes:
    r"""Decode a value of the column `PICTURE` to the bytes of a file.

    Both alphabets of base64 (RFC 4648, 4 and 5) are read, with or without padding and spaces.

    Raises
    ------
    ValueError
        The value is neither bytes, nor base64, nor a data URI (RFC 2397) of base64.

    Examples
    --------
    >>> decode_file("data:image/png;base64,iVBORw")
    b'\x89PNG'
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if value is None or value is pd.NA or str(value) in _NULLS:
        raise ValueError("null: send a file's bytes as base64")
    if not isinstance(value, str):
        raise ValueError(f"no file, but of type {type(value).__name__}: send its bytes as base64")
    if uri := _DATA_URI.match(value):
        value = unquote(value[uri.end() :])
    digits = "".join(value.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (Error, ValueError) as error:
        start = value if len(value) <= 40 else f"{value[:40]}…"
        raise ValueError(
            f"not base64: {start!r}; send a file's bytes as base64 or as data:…;base64,…, "
            "no path or address"
        ) from error


mlflow.models.set_model(PictureModel())
