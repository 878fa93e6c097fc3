"""Which features transfer to sets of pictures that were not trained on.

    python -m benchmarks.transfer A.zip B.zip [C.zip ...] [--judge Z.zip] [--encoder FILE]
        [--weights FILE] [--seeds 0 1 2] [--cache FOLDER]

Prints a table in Markdown, a row for each block of the encoder `clip_vit_b16`, by its class token
and by the mean of its patches, for each layer of MobileNetV2 and for each family of measurements:
the AUC on each set, of a classifier that was trained on all others, their mean, and the AUC within
each set, out of grouped folds; then a recommendation. Pictures are in canonical form, classes and
sets have equal weights, and no test part is held out. `--judge` is one more set, which is not used
to choose, scored by classifiers that were trained on all others: it shows whether the AUC within
sets or on unseen sets predicts better. `--encoder` is an ONNX file in place of that in params.yaml,
`--weights` are those of MobileNetV2 without its top. `--cache` is a folder for computed features.
"""

import argparse
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import call
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from realart.core import tables
from realart.core.parallel import map_parallel
from realart.data import cleaning
from realart.features import extraction, vectors
from realart.features.preprocessing import InputSpec
from realart.models import classifiers
from realart.models.classifiers import FittedClassifier, TrainingRows
from realart.params import (
    ClassifierRecipe,
    Descriptor,
    ForensicFeatures,
    KerasFeatures,
    OnnxFeatures,
    Tap,
    load_params,
)
from realart.training.folds import class_weights

PARAMS = load_params(Path(__file__).parents[1] / "params.yaml")
RECIPE = PARAMS.recipes["clip_transfer"]
assert isinstance(RECIPE, ClassifierRecipe)
HEAD = RECIPE.head
Vectors = NDArray[np.float32]
Columns = Callable[[Vectors], Vectors]


@dataclass(frozen=True)
class Targets:
    """Labels (1 for ai, int64) and groups of near-duplicates of n pictures."""

    labels: NDArray[np.int64]
    groups: NDArray[Any]

    def __getitem__(self, positions: NDArray[np.int64]) -> "Targets":
        return Targets(self.labels[positions], self.groups[positions])


class Set:
    """The pictures of a zip in canonical form, their targets and their features."""

    def __init__(self, path: Path, folder: Path, cache: Path | None) -> None:
        self.name, self.folder, self.cache = path.stem, folder, cache
        (folder / cleaning.FOLDER).mkdir(parents=True)
        labels = PARAMS.datasets["local"].labels
        kept, _, _ = cleaning.clean(path, labels, None, PARAMS.clean, folder / cleaning.FOLDER)
        self.files = [folder / file for file in kept["file"]]
        groups = kept["group"].map(lambda group: f"{self.name} {group}").to_numpy()
        self.targets = Targets(tables.is_ai(kept["label"]), groups)

    def features(self, descriptor: Descriptor) -> Vectors:
        """Return the feature vectors of a descriptor for all pictures: float32, shape (n, d)."""
        identity = f"{self.name} {descriptor.model_dump_json()}"
        key = hashlib.sha256(identity.encode()).hexdigest()[:16]
        cached = self.cache / f"{key}.npy" if self.cache else None
        if cached and cached.is_file():
            return np.asarray(np.load(cached))
        spec = InputSpec(parts={"descriptor": descriptor}, clean=PARAMS.clean, ela=None)
        vectors.save_networks(spec.parts, self.folder)
        extract = partial(extraction.extract_file, self.folder, spec)
        computed = np.concatenate(list(map_parallel(extract, self.files, self.name, "picture")))
        if cached:
            cached.parent.mkdir(parents=True, exist_ok=True)
            np.save(cached, computed)
        return computed


def fit_classifier(sets: Sequence[Targets], features: Sequence[Vectors]) -> FittedClassifier:
    """Fit a classifier on all pictures of several sets, with equal weights of the sets."""
    count = sum(len(targets.labels) for targets in sets)
    weights = [
        class_weights(targets.labels) * count / len(targets.labels) / len(sets) for targets in sets
    ]
    rows = TrainingRows(
        vectors=np.concatenate(features),
        labels=np.concatenate([targets.labels for targets in sets]),
        weights=np.concatenate(weights).astype(np.float32),
        groups=np.concatenate([targets.groups for targets in sets]),
        published=np.ones(count, np.bool_),
    )
    return classifiers.fit(HEAD, rows, [features[0].shape[1]], 0)[0]


def within(targets: Targets, features: Vectors, seed: int) -> float:
    """Return the AUC of out-of-fold scores of one set, with grouped folds."""
    scores = np.empty(len(features))
    folds = StratifiedGroupKFold(PARAMS.split.folds, shuffle=True, random_state=seed)
    for train, test in folds.split(features, targets.labels, targets.groups):
        scores[test] = fit_classifier([targets[train]], [features[train]]).scores(features[test])
    return float(roc_auc_score(targets.labels, scores))


def unseen(
    train: Sequence[Targets], features: Sequence[Vectors], test: Targets, test_features: Vectors
) -> float:
    """Return the AUC on a test set of a classifier that was fitted on other sets."""
    return float(roc_auc_score(test.labels, fit_classifier(train, features).scores(test_features)))


@dataclass(frozen=True)
class Areas:
    """AUCs of one kind of features: on each unseen set, within each set, and on the judging set."""

    unseen: list[float]
    within: list[float]
    judged: float | None

    @property
    def cells(self) -> list[float]:
        """The values of a row of the table."""
        last = [] if self.judged is None else [self.judged]
        return [*self.unseen, float(np.mean(self.unseen)), *self.within, *last]


def areas(
    name: str,
    sets: Sequence[Targets],
    features: Sequence[Vectors],
    judge: tuple[Targets, Vectors] | None,
    seeds: Sequence[int],
) -> Areas:
    """Fit a classifier for each set and seed; `features` are those of `sets`, in their order."""
    tasks: list[Callable[[], float]] = []
    for number, test in enumerate(sets):
        others = [other for other in range(len(sets)) if other != number]
        train = [sets[other] for other in others], [features[other] for other in others]
        tasks.append(partial(unseen, *train, test, features[number]))
    for test, test_features in zip(sets, features, strict=True):
        tasks += [partial(within, test, test_features, seed) for seed in seeds]
    if judge:
        tasks.append(partial(unseen, sets, features, *judge))
    values = list(map_parallel(call, tasks, name, "classifier"))
    within_sets = np.reshape(values[len(sets) : len(sets) * (1 + len(seeds))], (len(sets), -1))
    return Areas(values[: len(sets)], within_sets.mean(1).tolist(), values[-1] if judge else None)


def recommendation(rows: dict[str, Areas], judge: str | None) -> str:
    """Return a recommendation of features as text; `judge` names the judging set."""
    unseen_mean = {name: float(np.mean(row.unseen)) for name, row in rows.items()}
    within_mean = {name: float(np.mean(row.within)) for name, row in rows.items()}
    best, transferring = (
        max(means, key=lambda name: means[name]) for means in (within_mean, unseen_mean)
    )
    order = sorted(unseen_mean, key=lambda name: -unseen_mean[name])
    text = (
        f"For pictures like those of training: {best}, AUC {within_mean[best]:.3f} within the "
        f"sets and {unseen_mean[best]:.3f} on unseen ones (place {order.index(best) + 1} of "
        f"{len(order)}). For pictures from elsewhere: {transferring}, "
        f"{within_mean[transferring]:.3f} and {unseen_mean[transferring]:.3f}."
    )
    if not judge:
        return text
    judged = {name: row.judged for name, row in rows.items()}
    within_correlation, unseen_correlation = (
        spearmanr(list(means.values()), list(judged.values())).statistic
        for means in (within_mean, unseen_mean)
    )
    return (
        f"{text} On {judge}, which neither was chosen by, they have {judged[best]:.3f} and "
        f"{judged[transferring]:.3f}. Rank correlation of all rows with the AUC there: "
        f"{within_correlation:.2f} for the mean within sets, {unseen_correlation:.2f} for the mean "
        "on unseen ones."
    )


def candidates(arguments: argparse.Namespace) -> dict[str, tuple[Descriptor, Columns]]:
    """Return the descriptor of each row of the table, and the columns that the row uses."""
    clip = PARAMS.descriptors["clip_vit_b16"]
    assert isinstance(clip, OnnxFeatures)
    if arguments.encoder:
        digest = hashlib.sha256(arguments.encoder.read_bytes()).hexdigest()
        file = str(arguments.encoder.resolve())
        encoder = clip.encoder.model_copy(update={"file": file, "sha256": digest})
        clip = clip.model_copy(update={"encoder": encoder})
    taps = [Tap(block=block, pooling=["cls", "mean"]) for block in range(12)]
    blocks = clip.model_copy(update={"taps": taps})
    rows: dict[str, tuple[Descriptor, Columns]] = {}
    for pooling, offset in (("class token", 0), ("patch mean", 1)):
        for block in range(12):
            rows[f"CLIP block {block}, {pooling}"] = blocks, sliced(2 * block + offset)
    for first in range(2, 10):
        rows[f"CLIP blocks {first} to {first + 2}, patch means"] = blocks, means(first, 3)
    mobile = PARAMS.descriptors["mobilenetv2"]
    assert isinstance(mobile, KerasFeatures)
    backbone = mobile.backbone.model_copy(update={"weights": arguments.weights or "imagenet"})
    for name in mobile.layers:
        changes = {"backbone": backbone, "layers": [name], "shape": "crop"}
        rows[f"MobileNetV2 {name}"] = mobile.model_copy(update=changes), everything
    forensic = PARAMS.descriptors["forensic"]
    assert isinstance(forensic, ForensicFeatures)
    for family in forensic.families:
        rows[f"forensic: {family}"] = ForensicFeatures(families=[family]), everything
    rows["forensic: all"] = forensic, everything
    return rows


def sliced(pooled: int, width: int = 768) -> Columns:
    """Return a function that selects the columns of one pooled tensor, `width` wide."""
    return lambda features: features[:, pooled * width : (pooled + 1) * width]


def means(first: int, count: int) -> Columns:
    """Return a function that selects the patch means of several successive blocks."""
    parts = [sliced(2 * block + 1) for block in range(first, first + count)]
    return lambda features: np.concatenate([part(features) for part in parts], axis=1)


def everything(features: Vectors) -> Vectors:
    return features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("zips", type=Path, nargs="+", metavar="ZIP")
    parser.add_argument("--judge", type=Path, metavar="ZIP")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [*arguments.zips, *([arguments.judge] if arguments.judge else [])]
        all_sets = [Set(path, Path(folder, path.stem), arguments.cache) for path in paths]
        sets, judge = all_sets[: len(arguments.zips)], all_sets[len(arguments.zips) :]
        names = [dataset.name for dataset in sets]
        columns = [*names, "mean unseen", *(f"within {name}" for name in names)]
        columns += [f"all, on {dataset.name}" for dataset in judge]
        print(f"\n| features | {' | '.join(columns)} |")
        print(f"| --- |{' --- |' * len(columns)}")
        rows = {}
        for name, (descriptor, columns_of) in candidates(arguments).items():
            targets = [dataset.targets for dataset in sets]
            features = [columns_of(dataset.features(descriptor)) for dataset in sets]
            judging = None
            if judge:
                judging = judge[0].targets, columns_of(judge[0].features(descriptor))
            rows[name] = areas(name, targets, features, judging, arguments.seeds)
            cells = [f"{value:.3f}" for value in rows[name].cells]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        print(f"\n{recommendation(rows, judge[0].name if judge else None)}")


if __name__ == "__main__":
    main()
