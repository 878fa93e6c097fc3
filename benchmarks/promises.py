"""How often a threshold breaks its promise on pictures that it was not chosen on.

    python -m benchmarks.promises [--draws N]

Probabilities are drawn whose true error rates are known. On each draw a threshold is chosen for a
false positive rate of at most `RATE`, and one for a precision of at least `PRECISION`: by reading
it off the same probabilities, as older releases did, and by an exact bound at `CONFIDENCE`
(`realart.metrics.promises`), which gives none where the draw is too small. Prints in Markdown how
many draws have a threshold, and how many of these are broken: a bound is in at most 5 of 100.
"""

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit
from tqdm import trange

from realart.metrics import promises, thresholds
from realart.metrics.classification import Labels, Scores

RATE, PRECISION, CONFIDENCE = 0.01, 0.95, 0.95
SIZES = (50, 200, 1000, 5000)
SPREAD = 3.0
"""Standard deviation of the log-odds of ai."""
POPULATION = 1_000_000


def read_off_low_fpr(labels: Labels, scores: Scores) -> float:
    """Return the lowest threshold whose false positive rate on these scores is at most `RATE`."""
    humans = np.sort(scores[labels == 0])[::-1]
    return float(np.nextafter(humans[int(RATE * len(humans))], np.inf))


def read_off_confidence(labels: Labels, scores: Scores) -> float | None:
    """Return the least confidence from which the precision on these scores is `PRECISION`."""
    curve = thresholds.coverage(labels, scores)
    return curve.loc[curve["accuracy"] >= PRECISION, "sureness"].min()


Rule = Callable[[Labels, Scores, "pd.Series[str]"], float | None]
RULES: dict[str, dict[str, Rule]] = {
    f"false positive rate of at most {RATE}": {
        "read off": lambda labels, scores, _: read_off_low_fpr(labels, scores),
        "bound": lambda labels, scores, groups: promises.false_positive_threshold(
            scores[labels == 0], groups[labels == 0], RATE, CONFIDENCE
        ),
    },
    f"precision of at least {PRECISION}": {
        "read off": lambda labels, scores, _: read_off_confidence(labels, scores),
        "bound": lambda labels, scores, groups: promises.confidence_threshold(
            labels, scores, groups, PRECISION, CONFIDENCE
        ),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    is_kept = dict(zip(RULES, true_checks(), strict=True))
    print("| promise | rule | pictures | thresholds | broken |\n| --- | --- | --- | --- | --- |")
    for size in SIZES:
        groups = pd.Series([f"{number}" for number in range(size)])
        random = np.random.default_rng(size)
        chosen: dict[tuple[str, str], list[float]] = {
            (promise, rule): [] for promise, rules in RULES.items() for rule in rules
        }
        for _ in trange(draws, desc=f"{size} pictures", leave=False):
            labels, probabilities = draw(random, size)
            for (promise, rule), found in chosen.items():
                threshold = RULES[promise][rule](labels, probabilities, groups)
                if threshold is not None and not np.isnan(threshold):
                    found.append(threshold)
        for (promise, rule), found in chosen.items():
            broken = sum(not is_kept[promise](threshold) for threshold in found)
            print(f"| {promise} | {rule} | {size} | {len(found)} | {broken} |", flush=True)


def draw(random: np.random.Generator, size: int) -> tuple[Labels, Scores]:
    """Draw labels and calibrated probabilities of ai, both of shape (size,)."""
    probabilities = expit(random.normal(scale=SPREAD, size=size))
    return (random.random(size) < probabilities).astype(int), probabilities


def true_checks() -> tuple[Callable[[float], bool], Callable[[float], bool]]:
    """Return whether a threshold keeps the promised rate, and precision, on a large population."""
    labels, probabilities = draw(np.random.default_rng(0), POPULATION)
    humans = probabilities[labels == 0]
    confidence = np.maximum(probabilities, 1 - probabilities)  # also that a decision is right
    return (
        lambda threshold: (humans >= threshold).mean() <= RATE,
        lambda threshold: confidence[confidence >= threshold].mean() >= PRECISION,
    )


if __name__ == "__main__":
    main()
