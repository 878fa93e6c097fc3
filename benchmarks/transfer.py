"""What features carry over to sets of pictures that were not trained on.

    python -m benchmarks.transfer A.zip B.zip [C.zip ...] [--judge Z.zip] [--encoder FILE]
        [--weights FILE] [--seeds 0 1 2] [--cache FOLDER]

Prints a table in Markdown, a row for each block of the encoder `clip_vit_b16`, by its class token
and by the mean of its patches, for each layer of MobileNetV2 and for each family of measurements:
the AUC on each set that a head was not trained on, having learnt from all others, their mean, and
the AUC within each set, out of grouped folds; then which to choose, in words. Pictures are in
canonical form, classes and sets weigh the same, and no test part is held out. `--judge` is one more
set that nothing is chosen by, with heads that have learnt from all others: what was a better guide
to it, the AUC within sets or on unseen ones? `--encoder` is an ONNX file in place of the one that
params.yaml names, `--weights` those of MobileNetV2 without its top. With `--cache`, features are
kept there and not computed again.
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
    """What a head learns of n pictures: 1 for ai, int64, and their groups of near-duplicates."""

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
        """Return what a descriptor computes of all pictures: float32, shape (n, d)."""
        identity = f"{self.name} {descriptor.model_dump_json()}"
        key = hashlib.sha256(identity.encode()).hexdigest()[:16]
        kept = self.cache / f"{key}.npy" if self.cache else None
        if kept and kept.is_file():
            return np.asarray(np.load(kept))
        seen = InputSpec(parts={"it": descriptor}, clean=PARAMS.clean, ela=None)
        vectors.save_networks(seen.parts, self.folder)
        work = partial(extraction.extract_file, self.folder, seen)
        found = np.concatenate(list(map_parallel(work, self.files, self.name, "picture")))
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, found)
        return found


def fitted(sets: Sequence[Targets], features: Sequence[Vectors]) -> FittedClassifier:
    """Fit a head on all pictures of several sets, each of which weighs the same."""
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
    """Return the AUC of scores out of grouped folds of one set."""
    scores = np.empty(len(features))
    folds = StratifiedGroupKFold(PARAMS.split.folds, shuffle=True, random_state=seed)
    for train, test in folds.split(features, targets.labels, targets.groups):
        scores[test] = fitted([targets[train]], [features[train]]).scores(features[test])
    return float(roc_auc_score(targets.labels, scores))


def unseen(
    learnt: Sequence[Targets], features: Sequence[Vectors], judged: Targets, numbers: Vectors
) -> float:
    """Return the AUC on one set, `judged` with features `numbers`, of a head fitted on others."""
    return float(roc_auc_score(judged.labels, fitted(learnt, features).scores(numbers)))


@dataclass(frozen=True)
class Areas:
    """AUCs of one kind of features: on each set unseen, within each set, on the judging set."""

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
    """Fit a head for each set and seed; `features` are those of `sets`, in their order."""
    tasks: list[Callable[[], float]] = []
    for number, own in enumerate(sets):
        others = [other for other in range(len(sets)) if other != number]
        learnt = [sets[other] for other in others], [features[other] for other in others]
        tasks.append(partial(unseen, *learnt, own, features[number]))
    for own, numbers in zip(sets, features, strict=True):
        tasks += [partial(within, own, numbers, seed) for seed in seeds]
    if judge:
        tasks.append(partial(unseen, sets, features, *judge))
    found = list(map_parallel(call, tasks, name, "head"))
    inside = np.reshape(found[len(sets) : len(sets) * (1 + len(seeds))], (len(sets), -1))
    return Areas(found[: len(sets)], inside.mean(1).tolist(), found[-1] if judge else None)


def recommendation(found: dict[str, Areas], judge: str | None) -> str:
    """Return in words which features to choose for which pictures; `judge` names a last set."""
    unseen_mean = {name: float(np.mean(row.unseen)) for name, row in found.items()}
    inside = {name: float(np.mean(row.within)) for name, row in found.items()}
    best, carrying = (max(of, key=lambda name: of[name]) for of in (inside, unseen_mean))
    order = sorted(unseen_mean, key=lambda name: -unseen_mean[name])
    text = (
        f"For pictures like those that were trained on: {best}, AUC {inside[best]:.3f} within the "
        f"sets and {unseen_mean[best]:.3f} on unseen ones (place {order.index(best) + 1} of "
        f"{len(order)}). For pictures from elsewhere: {carrying}, {inside[carrying]:.3f} and "
        f"{unseen_mean[carrying]:.3f}."
    )
    if not judge:
        return text
    judged = {name: row.judged for name, row in found.items()}
    by_inside, by_unseen = (
        spearmanr(list(of.values()), list(judged.values())).statistic
        for of in (inside, unseen_mean)
    )
    return (
        f"{text} On {judge}, which neither was chosen by, they have {judged[best]:.3f} and "
        f"{judged[carrying]:.3f}. Rank correlation of all rows with the AUC there: {by_inside:.2f} "
        f"for the mean within sets, {by_unseen:.2f} for the mean on unseen ones."
    )


def candidates(arguments: argparse.Namespace) -> dict[str, tuple[Descriptor, Columns]]:
    """Return the descriptor of each row, and which of its columns the row stands for."""
    clip = PARAMS.descriptors["clip_vit_b16"]
    assert isinstance(clip, OnnxFeatures)
    if arguments.encoder:
        digest = hashlib.sha256(arguments.encoder.read_bytes()).hexdigest()
        file = str(arguments.encoder.resolve())
        encoder = clip.encoder.model_copy(update={"file": file, "sha256": digest})
        clip = clip.model_copy(update={"encoder": encoder})
    taps = [Tap(block=block, pooling=["cls", "mean"]) for block in range(12)]
    blocks = clip.model_copy(update={"taps": taps})
    found: dict[str, tuple[Descriptor, Columns]] = {}
    for pooling, offset in (("class token", 0), ("patch mean", 1)):
        for block in range(12):
            found[f"CLIP block {block}, {pooling}"] = blocks, sliced(2 * block + offset)
    for first in range(2, 10):
        found[f"CLIP blocks {first} to {first + 2}, patch means"] = blocks, means(first, 3)
    mobile = PARAMS.descriptors["mobilenetv2"]
    assert isinstance(mobile, KerasFeatures)
    backbone = mobile.backbone.model_copy(update={"weights": arguments.weights or "imagenet"})
    for name in mobile.layers:
        changes = {"backbone": backbone, "layers": [name], "shape": "crop"}
        found[f"MobileNetV2 {name}"] = mobile.model_copy(update=changes), everything
    forensic = PARAMS.descriptors["forensic"]
    assert isinstance(forensic, ForensicFeatures)
    for family in forensic.families:
        found[f"forensic: {family}"] = ForensicFeatures(families=[family]), everything
    found["forensic: all"] = forensic, everything
    return found


def sliced(pooled: int, width: int = 768) -> Columns:
    """Return what takes the columns of one pooled tensor, of `width` numbers."""
    return lambda features: features[:, pooled * width : (pooled + 1) * width]


def means(first: int, count: int) -> Columns:
    """Return the patch means of several blocks, whose class tokens lie between them."""
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
        read = [Set(path, Path(folder, path.stem), arguments.cache) for path in paths]
        sets, judge = read[: len(arguments.zips)], read[len(arguments.zips) :]
        names = [of.name for of in sets]
        columns = [*names, "mean unseen", *(f"within {name}" for name in names)]
        columns += [f"all, on {of.name}" for of in judge]
        print(f"\n| features | {' | '.join(columns)} |")
        print(f"| --- |{' --- |' * len(columns)}")
        found = {}
        for name, (descriptor, chosen) in candidates(arguments).items():
            targets = [of.targets for of in sets]
            features = [chosen(of.features(descriptor)) for of in sets]
            last = [(of.targets, chosen(of.features(descriptor))) for of in judge]
            found[name] = areas(name, targets, features, last[0] if last else None, arguments.seeds)
            print(
                f"| {name} | {' | '.join(f'{one:.3f}' for one in found[name].cells)} |", flush=True
            )
        print(f"\n{recommendation(found, judge[0].name if judge else None)}")


if __name__ == "__main__":
    main()
