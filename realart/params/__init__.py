"""The params of params.yaml: names, types and ranges, validated once, on loading.

A module for each part of the file; others import from here.
"""

from realart.params.datasets import (
    CLASSES,
    READ,
    Dataset,
    LabelNames,
    LabelTable,
    ParquetColumns,
    WeakNames,
)
from realart.params.descriptors import (
    REMOTE,
    Descriptor,
    Encoder,
    ForensicFeatures,
    KerasFeatures,
    NetworkFeatures,
    OnnxFeatures,
    Tap,
)
from realart.params.evaluation import POINTS, Cases, Goals, Point, Promise
from realart.params.groups import Resample, Strict
from realart.params.loading import load_params
from realart.params.networks import Backbone, FineTune, KerasApplication, Layer
from realart.params.params import Params
from realart.params.preparation import Balance, Clean, Ela, Split
from realart.params.recipes import (
    ClassifierParams,
    ClassifierRecipe,
    NetworkRecipe,
    PixelInput,
    Recipe,
    VectorInput,
)
from realart.params.training import Train

__all__ = [
    "CLASSES", "POINTS", "READ", "REMOTE", "Backbone", "Balance", "Cases", "ClassifierParams",
    "ClassifierRecipe", "Clean", "Dataset", "Descriptor", "Ela", "Encoder", "FineTune",
    "ForensicFeatures", "Goals", "KerasApplication", "KerasFeatures", "LabelNames", "LabelTable",
    "Layer", "NetworkFeatures", "NetworkRecipe", "OnnxFeatures", "Params", "ParquetColumns",
    "PixelInput", "Point", "Promise", "Recipe", "Resample", "Split", "Strict", "Tap", "Train",
    "VectorInput", "WeakNames", "load_params",
]  # fmt: skip
