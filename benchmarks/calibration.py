"""What calibration on a few labelled pictures of another set brings, or costs.

    python -m benchmarks.calibration A.zip B.zip [...] [--encoder FILE] [--weights FILE]
        [--draws 40] [--cache FOLDER]

For each kind of features and each ordered pair of sets, a classifier is trained on the first and
calibrated out of fold; then it is tried on the second, or out of fold on its own. Of that, 10, 20,
40 and 80 pictures are drawn, the rule is recalibrated on them by `realart.metrics.recalibration`,
and its accuracy on all others is compared with that of no change, and of Platt's method on those
alone. Prints a table in Markdown: means over draws. Options are those of
`benchmarks.transfer`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks import transfer
from benchmarks.transfer import PARAMS, Set, Targets, Vectors, fit_classifier
from realart.metrics import calibration
from realart.metrics.calibration import Calibration
from realart.metrics.classification import THRESHOLD, Labels, Scores
from realart.metrics.recalibration import recalibrate
from realart.metrics.thresholds import DecisionRule

COUNTS = (10, 20, 40, 80)
FEATURES = ("CLIP block 10, class token", "CLIP blocks 6 to 8, class tokens", "forensic: all")
UNCHANGED = DecisionRule(calibration=Calibration(slope=1.0, offset=0.0), points={}, sure=THRESHOLD)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("zips", type=Path, nargs="+", metavar="ZIP")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--weights")
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    heads = ["trained on", "tried on", "features", "AUC", "unchanged"]
    heads += [f"{count}{kind}" for count in COUNTS for kind in ("", ", Platt")]
    print(f"| {' | '.join(heads)} |\n| {' | '.join(['---'] * len(heads))} |")
    with tempfile.TemporaryDirectory() as folder:
        sets = [Set(path, Path(folder, path.stem), arguments.cache) for path in arguments.zips]
        rows = transfer.candidates(arguments)
        blocks = rows[FEATURES[0]][0]
        parts = [transfer.sliced(2 * block) for block in (6, 7, 8)]
        rows[FEATURES[1]] = (
            blocks,
            lambda features: np.concatenate([part(features) for part in parts], axis=1),
        )
        for name in FEATURES:
            descriptor, columns = rows[name]
            computed = {dataset: columns(dataset.features(descriptor)) for dataset in sets}
            for trained, features in computed.items():
                own, fitted = out_of_fold(trained.targets, features)
                classifier = fit_classifier([trained.targets], [features])
                for tried, others in computed.items():
                    probabilities = own if tried is trained else fitted(classifier.scores(others))
                    cells = compare(tried.targets, probabilities, arguments.draws)
                    print(f"| {trained.name} | {tried.name} | {name} | {cells} |", flush=True)


def out_of_fold(targets: Targets, features: Vectors) -> tuple[Scores, Calibration]:
    """Return calibrated out-of-fold probabilities, and the calibration fitted on them."""
    scores = np.empty(len(features))
    folds = StratifiedGroupKFold(PARAMS.split.folds, shuffle=True, random_state=0)
    for train, test in folds.split(features, targets.labels, targets.groups):
        scores[test] = fit_classifier([targets[train]], [features[train]]).scores(features[test])
    fitted = calibration.fit(targets.labels, scores)
    return fitted(scores), fitted


def compare(targets: Targets, probabilities: Scores, draws: int) -> str:
    """Return AUC, accuracy unchanged and the mean accuracies of both methods as cells."""
    labels, groups = targets.labels, pd.Series(targets.groups)
    auc = roc_auc_score(labels, probabilities)
    cells = [f"{auc:.3f}", f"{accuracy(labels, probabilities):.3f}"]
    for count in COUNTS:
        random, gains = np.random.default_rng(0), []
        for _ in range(draws):
            order = random.permutation(len(labels))
            drawn, rest = order[:count], order[count:]
            unchanged = accuracy(labels[rest], probabilities[rest])
            after = [unchanged, unchanged]
            if 0 < labels[drawn].sum() < count:
                rule, _ = recalibrate(
                    UNCHANGED, labels[drawn], probabilities[drawn], groups.iloc[drawn],
                    PARAMS.promise, "drawn",
                )  # fmt: skip
                platt = calibration.fit(labels[drawn], probabilities[drawn])
                maps = (rule.calibration, platt)
                after = [accuracy(labels[rest], each(probabilities[rest])) for each in maps]
            gains.append([value - unchanged for value in after])
        cells += [f"{gain:+.3f}" for gain in np.mean(gains, axis=0)]
    return " | ".join(cells)


def accuracy(labels: Labels, probabilities: Scores) -> float:
    return float(((probabilities >= THRESHOLD) == labels).mean())


if __name__ == "__main__":
    main()
