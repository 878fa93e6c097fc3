"""The final model as MLflow keeps and serves it: bytes of pictures in, a verdict on each out.

MLflow runs this file when it loads the model, beside the code of the run that logged it.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, Schema

from realart.models import Final
from realart.params import POINTS
from realart.predict import answer

PICTURE, ARTIFACT = "picture", "final"
SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.binary, PICTURE)]),
    outputs=Schema(
        [
            ColSpec(DataType.string, "verdict"),
            ColSpec(DataType.double, "probability"),
            *(ColSpec(DataType.string, point) for point in POINTS),
            ColSpec(DataType.string, "error"),
        ]
    ),
)
"""A file for each row, base64 where it comes as JSON."""


class Served(PythonModel):
    """The model in the artifact `ARTIFACT`, as `realart.models.save` wrote it."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load what answers."""
        self.model = Final(Path(context.artifacts[ARTIFACT]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Answer for the files in the column `PICTURE`, in order; columns of `SIGNATURE`.

        The verdict may be `unsure`, those of the operating points never are. Of a file that can't
        be read, all is empty but `error`.
        """
        return pd.DataFrame(
            [self._answer(bytes(data)) for data in model_input[PICTURE]],
            columns=SIGNATURE.outputs.input_names(),
        )

    def _answer(self, data: bytes) -> dict[str, Any]:
        said = answer(data, self.model, once=True)
        points: dict[str, str] = dict.fromkeys(POINTS, "")
        if said.probability is not None:
            points = {point: self.model.verdicts.name(said.probability, point) for point in POINTS}
        return {**asdict(said), **points}


mlflow.models.set_model(Served())
