"""Compare descriptors and classifiers on the same pictures and folds.

    python -m benchmarks.ideas ZIP [--weights FILE] [--seeds 0 1 2] [--elsewhere ZIP]

Prints a table in Markdown, a row an idea: accuracy, AUC and recall out of fold, means over the
seeds of grouped folds, with intervals. Pictures are in canonical form and there are no copies:
classes are weighted. The test part is not used. `--elsewhere` is a zip of pictures of another
origin, which are scored by a classifier that is fitted on the whole training part. `--weights` are
those of MobileNetV2 without its top; by default Keras's, which are downloaded.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from realart.core import tables
from realart.core.parallel import batches, map_parallel
from realart.data import cleaning, splits
from realart.features import preprocessing, vectors
from realart.features.preprocessing import InputSpec
from realart.metrics import intervals
from realart.models import classifiers
from realart.models.classifiers import FittedClassifier, TrainingRows
from realart.params import (
    ClassifierParams,
    Descriptor,
    ForensicFeatures,
    KerasFeatures,
    load_params,
)
from realart.training.folds import class_weights

PARAMS = load_params(Path(__file__).parents[1] / "params.yaml")
DEFAULT = PARAMS.descriptors["mobilenetv2"]
FORENSIC = PARAMS.descriptors["forensic"]
assert isinstance(DEFAULT, KerasFeatures)
assert isinstance(FORENSIC, ForensicFeatures)
SVM = PARAMS.recipes["mobilenetv2_svm"].head
PLAIN = {"size": 224, "views": 2, "pooling": ["mean"]}
EIGHT = {"size": 256, "views": 8}
LOGISTIC = ClassifierParams(name="logistic", grid={"C": [0.1, 1.0, 10.0, 100.0]})


def ideas(weights: str) -> dict[str, tuple[list[Descriptor], ClassifierParams]]:
    """Return the descriptors and the classifier of each idea, by name."""
    backbone = DEFAULT.backbone.model_copy(update={"weights": weights})

    def deep(**changes: object) -> KerasFeatures:
        return KerasFeatures.model_validate(
            {**DEFAULT.model_dump(), "backbone": backbone, **changes}
        )

    single_layers = {
        f"{name}, mean, 224 px": [deep(**PLAIN, layers=[name])] for name in DEFAULT.layers
    }
    extended = {
        "five layers, mean, 224 px": [deep(**PLAIN)],
        "and spread": [deep(**{**PLAIN, "pooling": ["mean", "std"]})],
        "and maximum": [deep(size=224)],
        "at 320 px, the default": [deep()],
        "at 256 px, 8 views": [deep(**EIGHT)],
        "the centre square": [deep(shape="crop")],
        "the centre square, 8 views at 256 px": [deep(**EIGHT, shape="crop")],
        "padded": [deep(shape="pad")],
    }
    forensic = {
        f"forensic: {name}": [ForensicFeatures(families=[name])] for name in FORENSIC.families
    } | {"forensic: all": [FORENSIC]}
    rows = {name: (parts, SVM) for name, parts in (single_layers | extended | forensic).items()}
    rows["default + forensic"] = ([deep(), FORENSIC], SVM)
    rows["default, logistic regression"] = ([deep()], LOGISTIC)
    return rows | {"forensic, logistic regression": ([FORENSIC], LOGISTIC)}


class Set:
    """The pictures of a zip in canonical form, and their feature vectors, computed once."""

    def __init__(self, path: Path, folder: Path) -> None:
        labels = PARAMS.datasets["cashbowman"].labels, PARAMS.datasets["local"].labels
        both = labels[1].model_copy(
            update={name: [*getattr(labels[0], name), *getattr(labels[1], name)]
                    for name in ("ai", "human")}
        )  # fmt: skip
        (folder / cleaning.FOLDER).mkdir(parents=True)
        kept, _, _ = cleaning.clean(path, both, None, PARAMS.clean, folder / cleaning.FOLDER)
        split = splits.assign(kept, PARAMS.split)
        kept["part"] = split["part"].to_numpy()
        self.table = kept
        self.files = [folder / file for file in kept["file"]]
        self.folder = folder
        self.cache: dict[str, NDArray[np.float32]] = {}

    def vectors(self, part: Descriptor) -> NDArray[np.float32]:
        """Return the feature vectors of a descriptor for all pictures: float32, shape (n, d)."""
        key = part.model_dump_json()
        if key not in self.cache:
            spec = InputSpec(parts={"descriptor": part}, clean=PARAMS.clean, ela=None)
            prepare = partial(preprocessing.from_stored, spec=spec)
            if isinstance(part, ForensicFeatures):
                computed = [batch for (batch,) in map_parallel(prepare, self.files, "describe")]
                self.cache[key] = np.stack(computed)
            else:
                networks = vectors.save_networks(spec.parts, self.folder)
                inputs = map(preprocessing.stack, batches(prepare, self.files, 8, "describe"))
                computed = [vectors.extract(batch, spec.parts, networks) for batch in inputs]
                self.cache[key] = np.concatenate(computed)
        return self.cache[key]


def fit_classifier(
    head: ClassifierParams,
    parts: list[NDArray[np.float32]],
    table: pd.DataFrame,
    train: NDArray[np.int64],
) -> FittedClassifier:
    """Fit a classifier on the pictures at the positions `train`."""
    labels = tables.is_ai(table["label"])[train]
    rows = TrainingRows(
        vectors=np.concatenate(parts, axis=1)[train],
        labels=labels,
        weights=class_weights(labels),
        groups=table["group"].to_numpy()[train],
        published=np.ones(len(train), np.bool_),
    )
    return classifiers.fit(head, rows, [part.shape[1] for part in parts], 0)[0]


def out_of_fold(
    head: ClassifierParams, parts: list[NDArray[np.float32]], table: pd.DataFrame, seed: int
) -> NDArray[np.float64]:
    """Return out-of-fold scores of all pictures."""
    labels, groups = tables.is_ai(table["label"]), table["group"].to_numpy()
    concatenated, scores = np.concatenate(parts, axis=1), np.empty(len(table))
    folds = StratifiedGroupKFold(PARAMS.split.folds, shuffle=True, random_state=seed)
    for train, held_out in folds.split(concatenated, labels, groups):
        scores[held_out] = fit_classifier(head, parts, table, train).scores(concatenated[held_out])
    return scores


def compute_metrics(
    table: pd.DataFrame, scores_by_seed: list[NDArray[np.float64]]
) -> list[intervals.Estimate]:
    """Compute accuracy, AUC and recall, means over seeds, with intervals over groups."""
    labels = tables.is_ai(table["label"])
    ai = labels == 1

    def mean(statistic: Callable[..., NDArray[np.float64]]) -> intervals.Estimate:
        return intervals.bootstrap(
            lambda weights: np.mean(
                [statistic(scores, weights) for scores in scores_by_seed], axis=0
            ),
            table["group"],
        )

    return [
        mean(lambda scores, weights: intervals.accuracy(labels, scores >= 0.5, weights)),
        mean(lambda scores, weights: intervals.auc(labels, scores, weights)),
        mean(
            lambda scores, weights: intervals.accuracy(ai[ai], (scores >= 0.5)[ai], weights[:, ai])
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--elsewhere", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        known = Set(arguments.pictures, Path(folder, "known"))
        other = Set(arguments.elsewhere, Path(folder, "other")) if arguments.elsewhere else None
        train = np.flatnonzero(known.table["part"] == "train")
        table = known.table.iloc[train].reset_index(drop=True)
        print(f"{len(table)} pictures of the training part of {arguments.pictures.name}", end="")
        print(f", {len(other.table)} of {arguments.elsewhere.name} elsewhere" if other else "")
        print("\n| idea | numbers | accuracy | AUC | recall | elsewhere: accuracy | AUC |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, (descriptors, head) in ideas(arguments.weights).items():
            parts = [known.vectors(descriptor)[train] for descriptor in descriptors]
            scores = [out_of_fold(head, parts, table, seed) for seed in arguments.seeds]
            cells = [
                str(sum(part.shape[1] for part in parts)),
                *map(str, compute_metrics(table, scores)),
            ]
            if other:
                classifier = fit_classifier(head, parts, table, np.arange(len(table)))
                other_vectors = np.concatenate(
                    [other.vectors(descriptor) for descriptor in descriptors], axis=1
                )
                cells += map(
                    str, compute_metrics(other.table, [classifier.scores(other_vectors)])[:2]
                )
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
