"""Makers of tiny real recipes and rows for the tests of what trains, scores and keeps models."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit

from realart.data.pictures import Pixels
from realart.metrics.calibration import Calibration
from realart.metrics.thresholds import DecisionRule
from realart.params import NetworkRecipe, Train, load_params

if TYPE_CHECKING:  # many tests need something from here, and few of them Keras
    from realart.models.trained_model import TrainedModel
    from realart.networks.backend import keras
    from realart.training.fold_training import TrainingData
    from realart.training.folds import FoldIndices

REPOSITORY = Path(__file__).parents[2]
PARAMS = load_params(REPOSITORY / "params.yaml")
TRAIN = Train(
    seed=0,
    deterministic=True,
    precision="float32",
    checkpoint_seconds=0.0,
    devices=1,
    window_gigabytes=1,
)
LAYERS = [
    {"Conv2D": {"filters": 4, "kernel_size": 3, "strides": 2, "activation": "relu"}},
    {"BatchNormalization": {}},
    {"Flatten": {}},
    {"Dropout": {"rate": 0.25}},
]
UNCALIBRATED_RULE = DecisionRule(
    calibration=Calibration(slope=1.0, offset=0.0),
    points={"balanced": 0.5, "low_fpr": 0.9, "best_f1": 0.4},
    sure=0.5,
)
"""Scores are probabilities as they are, and every picture is decided."""


def turn_a_delivery(model: "TrainedModel", data: bytes) -> str:
    """Calibrate a model so that a delivery of a picture is decided the other way; return its name.

    One half then lies between the picture and the delivery whose score is farthest from its own.
    """
    from realart.serving.predict import predict_bytes

    model.decision_rule = UNCALIBRATED_RULE
    prediction = predict_bytes(data, model)
    score, delivered = prediction.probability_ai, prediction.deliveries
    assert score is not None
    name = max(delivered, key=lambda name: abs(delivered[name] - score))
    middle = (score + delivered[name]) / 2
    calibration = Calibration(slope=1.0, offset=-float(logit(middle)))
    model.decision_rule = UNCALIBRATED_RULE.model_copy(update={"calibration": calibration})
    return name


POOLED: list[dict[str, dict[str, Any]]] = [{"GlobalAveragePooling2D": {}}]


def recipe(size: int = 16, backbone: dict[str, Any] | None = None, **changes: Any) -> NetworkRecipe:
    """Make a small recipe: 16 px, one convolution, batch normalisation and dropout."""
    small = {
        "sees": {"input": "rgb", "size": size, "shape": "squash", "backbone": backbone},
        "layers": LAYERS, "outputs": 1, "optimizer": {"name": "Adam", "learning_rate": 0.01},
        "epochs": 3, "batch_size": 8, "patience": 3, "monitor": "loss", "fine_tune": None,
    }  # fmt: skip
    return NetworkRecipe.model_validate({**small, **changes})


def backbone_recipe(name: str, **changes: Any) -> NetworkRecipe:
    """Make a recipe of 32 px on a backbone with random weights."""
    backbone = {"name": name, "weights": "none", **changes.pop("backbone", {})}
    return recipe(**{"size": 32, "layers": POOLED, "backbone": backbone, **changes})


def awake(model: "keras.Model") -> "keras.Model":
    """Give a network's random backbone the statistics of some pictures; return the backbone.

    Without them the signal of random weights dies away, and all pictures would score alike.
    """
    from realart.networks.backend import keras

    (backbone,) = (layer for layer in model.layers if isinstance(layer, keras.Model))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    trainable, backbone.trainable = backbone.trainable, True
    before = model.layers[model.layers.index(backbone) - 1]
    enter = keras.Model(model.layers[0].output, before.output)
    backbone(enter(noise(model.input_shape[1], 8)), training=True)
    backbone.trainable = trainable
    return backbone


def rows(count: int = 40, size: int = 16, seed: int = 0) -> "TrainingData":
    """Make noise in which what ai made is brighter, of both classes in turn."""
    from realart.training.fold_training import TrainingData

    labels = np.arange(count) % 2
    noise = np.random.default_rng(seed).integers(0, 128, (count, size, size, 3))
    pixels = (noise + labels[:, None, None, None] * 100).astype(np.uint8)
    return TrainingData((pixels,), labels, np.ones(count, np.float32))


def thirds(data: "TrainingData") -> "FoldIndices":
    """Fit on the first rows, watch and hold out ten each."""
    from realart.training.folds import FoldIndices

    everything = np.arange(len(data.labels))
    return FoldIndices(everything[:-20], everything[-20:-10], everything[-10:], everything[:-10])


def noise(size: int, count: int = 3, seed: int = 0) -> Pixels:
    """Make pictures that hold all values from 0 to 255."""
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def some_scores(count: int = 60, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Make labels of both classes, and scores that are better than chance."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return labels, np.clip(generator.normal(0.4 + 0.2 * labels, 0.2), 0, 1)


def scored(
    scores: NDArray[np.float64], labels: NDArray[np.int64], part: str = "oof"
) -> pd.DataFrame:
    """Make a table of predictions, each picture in a group of its own."""
    rows = [f"{number:04}" for number in range(len(labels))]
    named = np.array(["human", "ai"])[labels]
    return pd.DataFrame({"row": rows, "part": part, "label": named, "group": rows, "score": scores})


def python(
    code: str, *arguments: Any, cwd: Path = REPOSITORY, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run code in a fresh interpreter that has nothing of this one's environment but PATH."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=600,
    )


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of a fresh interpreter that finds this project and its tests."""
    tests = [str(folder) for folder in (REPOSITORY / "tests").glob("[a-z]*/")]
    path = [*filter(None, [os.environ.get("PYTHONPATH")]), str(REPOSITORY), *sorted(tests)]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path),
        "KERAS_BACKEND": "tensorflow",
    } | more
