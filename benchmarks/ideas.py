"""What tells generated art from other art: descriptors and heads, on the same pictures and folds.

    python -m benchmarks.ideas ZIP [--weights FILE] [--seeds 0 1 2] [--elsewhere ZIP]

Prints a table in Markdown, a row an idea: accuracy, AUC and recall out of fold, means over the
seeds of grouped folds, with intervals. Pictures are in canonical form and there are no copies:
classes are weighted. The test part is not looked at. `--elsewhere` names pictures of another
origin, which a head that learnt from the whole training part judges. `--weights` are those of
MobileNetV2 without its top; the default are Keras's, which are downloaded.
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
    """Return descriptors and head of each idea."""
    backbone = DEFAULT.backbone.model_copy(update={"weights": weights})

    def deep(**changes: object) -> KerasFeatures:
        return KerasFeatures.model_validate(
            {**DEFAULT.model_dump(), "backbone": backbone, **changes}
        )

    first = {f"{name}, mean, 224 px": [deep(**PLAIN, layers=[name])] for name in DEFAULT.layers}
    grown = {
        "five layers, mean, 224 px": [deep(**PLAIN)],
        "and spread": [deep(**{**PLAIN, "pooling": ["mean", "std"]})],
        "and maximum": [deep(size=224)],
        "at 320 px, the default": [deep()],
        "at 256 px, 8 views": [deep(**EIGHT)],
        "the centre square": [deep(shape="crop")],
        "the centre square, 8 views at 256 px": [deep(**EIGHT, shape="crop")],
        "padded": [deep(shape="pad")],
    }
    measured = {
        f"forensic: {name}": [ForensicFeatures(families=[name])] for name in FORENSIC.families
    } | {"forensic: all": [FORENSIC]}
    found = {name: (parts, SVM) for name, parts in (first | grown | measured).items()}
    found["default + forensic"] = ([deep(), FORENSIC], SVM)
    found["default, logistic regression"] = ([deep()], LOGISTIC)
    return found | {"forensic, logistic regression": ([FORENSIC], LOGISTIC)}


class Set:
    """Pictures of a zip in canonical form, and what descriptors say of them, each once."""

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
        self.described: dict[str, NDArray[np.float32]] = {}

    def vectors(self, part: Descriptor) -> NDArray[np.float32]:
        """Return what a descriptor says of all pictures: float32 (n, d)."""
        key = part.model_dump_json()
        if key not in self.described:
            seen = InputSpec(parts={"it": part}, clean=PARAMS.clean, ela=None)
            look = partial(preprocessing.from_stored, spec=seen)
            if isinstance(part, ForensicFeatures):
                said = [one for (one,) in map_parallel(look, self.files, "describe")]
                self.described[key] = np.stack(said)
            else:
                networks = vectors.save_networks(seen.parts, self.folder)
                looked = map(preprocessing.stack, batches(look, self.files, 8, "describe"))
                said = [vectors.extract(one, seen.parts, networks) for one in looked]
                self.described[key] = np.concatenate(said)
        return self.described[key]


def fitted(
    head: ClassifierParams,
    parts: list[NDArray[np.float32]],
    table: pd.DataFrame,
    learnt: NDArray[np.int64],
) -> FittedClassifier:
    """Fit a head on the pictures at the positions `learnt`."""
    labels = tables.is_ai(table["label"])[learnt]
    rows = TrainingRows(
        vectors=np.concatenate(parts, axis=1)[learnt],
        labels=labels,
        weights=class_weights(labels),
        groups=table["group"].to_numpy()[learnt],
        published=np.ones(len(learnt), np.bool_),
    )
    return classifiers.fit(head, rows, [one.shape[1] for one in parts], 0)[0]


def out_of_fold(
    head: ClassifierParams, parts: list[NDArray[np.float32]], table: pd.DataFrame, seed: int
) -> NDArray[np.float64]:
    """Return scores of all pictures by heads that have not seen their fold."""
    labels, groups = tables.is_ai(table["label"]), table["group"].to_numpy()
    together, scores = np.concatenate(parts, axis=1), np.empty(len(table))
    folds = StratifiedGroupKFold(PARAMS.split.folds, shuffle=True, random_state=seed)
    for learnt, held_out in folds.split(together, labels, groups):
        scores[held_out] = fitted(head, parts, table, learnt).scores(together[held_out])
    return scores


def figures(table: pd.DataFrame, by_seed: list[NDArray[np.float64]]) -> list[intervals.Estimate]:
    """Return accuracy, AUC and recall, means over seeds, with intervals over groups."""
    labels = tables.is_ai(table["label"])
    ai = labels == 1

    def mean(statistic: Callable[..., NDArray[np.float64]]) -> intervals.Estimate:
        return intervals.bootstrap(
            lambda weights: np.mean([statistic(one, weights) for one in by_seed], axis=0),
            table["group"],
        )

    return [
        mean(lambda one, weights: intervals.accuracy(labels, one >= 0.5, weights)),
        mean(lambda one, weights: intervals.auc(labels, one, weights)),
        mean(lambda one, weights: intervals.accuracy(ai[ai], (one >= 0.5)[ai], weights[:, ai])),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--elsewhere", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        known = Set(asked.pictures, Path(folder, "known"))
        other = Set(asked.elsewhere, Path(folder, "other")) if asked.elsewhere else None
        learnt = np.flatnonzero(known.table["part"] == "train")
        table = known.table.iloc[learnt].reset_index(drop=True)
        print(f"{len(table)} pictures of the training part of {asked.pictures.name}", end="")
        print(f", {len(other.table)} of {asked.elsewhere.name} elsewhere" if other else "")
        print("\n| idea | numbers | accuracy | AUC | recall | elsewhere: accuracy | AUC |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, (descriptors, head) in ideas(asked.weights).items():
            parts = [known.vectors(one)[learnt] for one in descriptors]
            scores = [out_of_fold(head, parts, table, seed) for seed in asked.seeds]
            cells = [str(sum(one.shape[1] for one in parts)), *map(str, figures(table, scores))]
            if other:
                final = fitted(head, parts, table, np.arange(len(table)))
                unseen = np.concatenate([other.vectors(one) for one in descriptors], axis=1)
                cells += map(str, figures(other.table, [final.scores(unseen)])[:2])
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
