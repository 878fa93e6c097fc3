"""How many pictures a model calls unlike those that it was trained on, and what that spares.

    python -m benchmarks.novelty A.zip B.zip [...] [--encoder FILE] [--cache FOLDER]

The embedded sample, each set and, of more than two, all but each are references in turn. Prints a
table in Markdown, a row for each on every other set and on a tenth of its own that is held out: the
share of pictures that `realart.models.novelty` calls novel; and of a classifier trained on the
references (on CLIP's middle blocks), accuracy and the share of human art that is called ai, of all
pictures and of those that are not novel. Options are those of `benchmarks.transfer`.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

from benchmarks import transfer
from benchmarks.transfer import Set, Targets, Vectors, fit_classifier
from realart.data.sample import write_archive
from realart.metrics.classification import THRESHOLD
from realart.models import novelty
from realart.params import ForensicFeatures

MEASUREMENTS = ForensicFeatures(families=list(novelty.FAMILIES))
FEATURES = "CLIP blocks 6 to 8, patch means"
FOLDS, HELD_OUT = 4, 0.1
HEADS = ["references", "tried on", "novel", "accuracy", "not novel", "called ai", "not novel"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("zips", type=Path, nargs="+", metavar="ZIP")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder, "sample.zip")
        write_archive(sample)
        paths = [sample, *arguments.zips]
        sets = [Set(path, Path(folder, path.stem), arguments.cache) for path in paths]
        descriptor, columns = transfer.candidates(arguments)[FEATURES]
        measured = [dataset.features(MEASUREMENTS) for dataset in sets]
        features = [columns(dataset.features(descriptor)) for dataset in sets]
    print(f"\n| {' | '.join(HEADS)} |\n| {' | '.join(['---'] * len(HEADS))} |")
    for chosen in references(len(sets)):
        others = [number for number in range(len(sets)) if number not in chosen]
        targets = [sets[number].targets for number in chosen]
        detector = fit([measured[number] for number in chosen], targets)
        classifier = fit_classifier(targets, [features[number] for number in chosen])
        name = " + ".join(sets[number].name for number in chosen)
        for number in others:
            novel = detector.novel(measured[number])
            scores = classifier.scores(features[number])
            print_row(name, sets[number].name, novel, sets[number].targets.labels, scores)
        for number in chosen if len(chosen) == 1 else []:
            kept, out = held_out(sets[number].targets)
            own = sets[number].targets
            detector = fit([measured[number][kept]], [own[kept]])
            scores = fit_classifier([own[kept]], [features[number][kept]]).scores(
                features[number][out]
            )
            novel = detector.novel(measured[number][out])
            print_row(name, "its own, held out", novel, own.labels[out], scores)


def references(count: int) -> Iterator[list[int]]:
    """Yield the sets that are references together: each alone, then all real ones but each."""
    yield from ([number] for number in range(count))
    if count > 3:
        for left_out in range(1, count):
            yield [number for number in range(1, count) if number != left_out]


def fit(measured: Sequence[Vectors], targets: Sequence[Targets]) -> novelty.NoveltyDetector:
    """Fit a detector as `evaluate` does, with folds that keep near-duplicates together."""
    vectors = np.concatenate(measured)
    groups = np.concatenate([own.groups for own in targets])
    chosen = np.random.default_rng(0).permutation(len(vectors))[: novelty.MAX_REFERENCES]
    folds = np.empty(len(chosen), np.int64)
    for fold, (_, own) in enumerate(GroupKFold(FOLDS).split(chosen, groups=groups[chosen])):
        folds[own] = fold
    return novelty.fit(vectors[chosen], folds)


def held_out(targets: Targets) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    splitter = GroupShuffleSplit(1, test_size=HELD_OUT, random_state=0)
    return next(splitter.split(targets.labels, groups=targets.groups))


def print_row(
    name: str,
    tried: str,
    novel: NDArray[np.bool_],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> None:
    decided = scores >= THRESHOLD
    cells = [f"{novel.mean():.3f}"]
    for values, within in (((decided == labels), np.ones_like(novel)), (decided, labels == 0)):
        for shown in (within, within & ~novel):
            cells.append(f"{values[shown].mean():.3f} ({shown.sum()})" if shown.any() else "none")
    print(f"| {' | '.join([name, tried, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
