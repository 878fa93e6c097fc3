"""Whether promises made by the scores of folds hold for the final model, on pictures held back.

    python -m benchmarks.promises_on_pictures A.zip [B.zip ...] [--resamples 40] [--cache FOLDER]

Each resample halves the groups of a set. On one half, classifiers on forensic measurements are
trained in folds, and thresholds are chosen on their out-of-fold scores for a false positive rate
of at most `RATE` and a precision of at least `PRECISION`; on the other half, the classifier of the
best fold, as the pipeline saves it, and the mean of all folds are tried at these. Prints a
table in Markdown: the mean rate on the pictures held back, beside that which is to be expected if
scores of folds and of the final model were drawn alike, and how many resamples exceed the promise.
That many do by chance, too: the pictures held back are few.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import betabinom
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import trange

from benchmarks.transfer import PARAMS, Set, Targets, Vectors, fit_classifier
from realart.metrics import calibration, promises, thresholds
from realart.metrics.classification import THRESHOLD, Scores
from realart.metrics.thresholds import DecisionRule
from realart.params import Promise

RATE, PRECISION = 0.1, 0.9
PROMISE = Promise(false_positive_rate=RATE, precision=PRECISION, confidence=0.9)
MODELS = ("best fold", "mean of folds")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("zips", type=Path, nargs="+", metavar="ZIP")
    parser.add_argument("--resamples", type=int, default=40)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    columns = ["set", "final model", "promise", "thresholds", "mean rate held back"]
    columns += ["expected", "exceeded", "exceeded by chance"]
    print(f"| {' | '.join(columns)} |\n| {' | '.join(['---'] * len(columns))} |")
    for path in arguments.zips:
        with tempfile.TemporaryDirectory() as folder:
            dataset = Set(path, Path(folder, path.stem), arguments.cache)
            features = dataset.features(PARAMS.descriptors["forensic"])
        rows = [
            resample(dataset.targets, features, seed)
            for seed in trange(arguments.resamples, desc=dataset.name, leave=False)
        ]
        table = pd.DataFrame([row for rows_of_one in rows for row in rows_of_one])
        for (model, promise), tried in table.groupby(["model", "promise"], sort=False):
            given = tried.dropna()
            cells = [dataset.name, model, promise, f"{len(given)} of {len(tried)}"]
            cells += [f"{given['rate'].mean():.3f}", f"{given['expected'].mean():.3f}"]
            cells += [f"{given['exceeds'].mean():.2f}", f"{given['chance'].mean():.2f}"]
            print(f"| {' | '.join(cells)} |", flush=True)


def resample(targets: Targets, features: Vectors, seed: int) -> list[dict[str, object]]:
    """Make promises on one half of the groups, and try them on the other half."""
    halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
    known, held_back = next(halves.split(features, targets.labels, targets.groups))
    probabilities, rule, final = train(targets[known], features[known])
    labels, groups = targets[held_back].labels, targets[held_back].groups
    human = targets[known].labels == 0
    count = len(np.unique(targets[known].groups[human]))
    allowed = promises.allowed_errors(count, RATE, PROMISE.confidence)
    rows: list[dict[str, object]] = []
    for model, scores in zip(MODELS, final(features[held_back]), strict=True):
        humans = pd.Series(scores[labels == 0]).groupby(groups[labels == 0]).max()
        low_fpr = rule.points.get("low_fpr", np.nan)
        chance = betabinom.sf(RATE * len(humans), len(humans), allowed + 1, count - allowed)
        rate = (humans >= low_fpr).mean() if low_fpr == low_fpr else np.nan
        name = f"false positive rate of at most {RATE}"
        rows.append(row(model, name, rate, RATE, (allowed + 1) / (count + 1), chance))
        confidence = np.maximum(scores, 1 - scores)
        wrong = ((scores >= THRESHOLD) != labels)[confidence >= rule.sure]
        known_confidence = np.maximum(probabilities, 1 - probabilities) >= rule.sure
        known_wrong = (probabilities >= THRESHOLD) != targets[known].labels
        expected = known_wrong[known_confidence].mean() if known_confidence.any() else np.nan
        chance = betabinom.sf(
            (1 - PRECISION) * len(wrong), len(wrong),
            known_wrong[known_confidence].sum() + 1,
            (~known_wrong[known_confidence]).sum() + 1,
        )  # fmt: skip
        rate = wrong.mean() if len(wrong) else np.nan
        name = f"error rate of decisions of at most {1 - PRECISION:.1f}"
        rows.append(row(model, name, rate, 1 - PRECISION, expected, chance))
    return rows


def row(
    model: str, promise: str, rate: float, promised: float, expected: float, chance: float
) -> dict[str, object]:
    return {
        "model": model, "promise": promise, "rate": rate, "expected": expected,
        "exceeds": float(rate > promised) if rate == rate else np.nan, "chance": chance,
    }  # fmt: skip


def train(
    targets: Targets, features: Vectors
) -> tuple[Scores, DecisionRule, Callable[[Vectors], list[Scores]]]:
    """Return out-of-fold probabilities, the rule chosen on them, and how final models score."""
    scores, fitted, accuracies = np.empty(len(features)), [], []
    folds = StratifiedGroupKFold(PARAMS.split.folds, shuffle=True, random_state=0)
    fold = np.empty(len(features), np.int64)
    for number, (fit, test) in enumerate(folds.split(features, targets.labels, targets.groups)):
        classifier = fit_classifier([targets[fit]], [features[fit]])
        scores[test], fold[test] = classifier.scores(features[test]), number
        fitted.append(classifier)
        accuracies.append(((scores[test] >= THRESHOLD) == targets.labels[test]).mean())
    final_calibration = calibration.fit(targets.labels, scores)
    probabilities = calibration.cross_calibrate(targets.labels, scores, fold)
    rule = thresholds.choose_rule(
        targets.labels, probabilities, pd.Series(targets.groups), PROMISE, final_calibration, ""
    )

    def final(pictures: Vectors) -> list[Scores]:
        every = [classifier.scores(pictures) for classifier in fitted]
        best = every[int(np.argmax(accuracies))]
        return [final_calibration(best), final_calibration(np.mean(every, axis=0))]

    return probabilities, rule, final


if __name__ == "__main__":
    main()
