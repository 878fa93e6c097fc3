"""How often a threshold breaks its promise on pictures that it was not chosen on.

    python -m benchmarks.promises [--draws N]

Probabilities are drawn whose true error rates are known. On each draw a threshold is chosen for a
false positive rate of at most `RATE`, and one for a precision of at least `PRECISION`: by reading
it off the same probabilities, as older releases did, and by an exact bound at `CONFIDENCE`
(`realart.metrics.promises`), which gives none where the draw is too small; one more is for the
highest of several precisions that is proved. Prints in Markdown how many draws have a threshold,
and how many of these are broken: a bound is in at most 5 of 100.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import TypeAlias

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
PRECISIONS = (0.95, 0.9, 0.85, 0.8)
POPULATION = 1_000_000


Groups: TypeAlias = "pd.Series[str]"
Promised = tuple[float, float] | None
"""The promised rate, and the threshold that is to keep it, if there is one."""


def read_off_low_fpr(labels: Labels, scores: Scores, _: Groups) -> Promised:
    """Return the lowest threshold whose false positive rate on these scores is at most `RATE`."""
    humans = np.sort(scores[labels == 0])[::-1]
    return RATE, float(np.nextafter(humans[int(RATE * len(humans))], np.inf))


def bound_low_fpr(labels: Labels, scores: Scores, groups: Groups) -> Promised:
    human = labels == 0
    threshold = promises.false_positive_threshold(scores[human], groups[human], RATE, CONFIDENCE)
    return None if threshold is None else (RATE, threshold)


def read_off_confidence(labels: Labels, scores: Scores, _: Groups) -> Promised:
    """Return the least confidence from which the precision on these scores is `PRECISION`."""
    curve = thresholds.coverage(labels, scores)
    kept = curve.loc[curve["accuracy"] >= PRECISION, "sureness"]
    return (PRECISION, float(kept.min())) if len(kept) else None


def bound_confidence(precisions: Sequence[float]) -> "Rule":
    return lambda labels, scores, groups: promises.highest_precision(
        labels, scores, groups, precisions, CONFIDENCE
    )


Rule = Callable[[Labels, Scores, Groups], Promised]
RULES: dict[str, dict[str, Rule]] = {
    f"false positive rate of at most {RATE}": {
        "read off": read_off_low_fpr,
        "bound": bound_low_fpr,
    },
    f"precision of at least {PRECISION}": {
        "read off": read_off_confidence,
        "bound": bound_confidence([PRECISION]),
        f"bound, else of {PRECISIONS[1:]}": bound_confidence(PRECISIONS),
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
        chosen: dict[tuple[str, str], list[tuple[float, float]]] = {
            (promise, rule): [] for promise, rules in RULES.items() for rule in rules
        }
        for _ in trange(draws, desc=f"{size} pictures", leave=False):
            labels, probabilities = draw(random, size)
            for (promise, rule), found in chosen.items():
                if promised := RULES[promise][rule](labels, probabilities, groups):
                    found.append(promised)
        for (promise, rule), found in chosen.items():
            broken = sum(not is_kept[promise](*promised) for promised in found)
            print(f"| {promise} | {rule} | {size} | {len(found)} | {broken} |", flush=True)


def draw(random: np.random.Generator, size: int) -> tuple[Labels, Scores]:
    """Draw labels and calibrated probabilities of ai, both of shape (size,)."""
    probabilities = expit(random.normal(scale=SPREAD, size=size))
    return (random.random(size) < probabilities).astype(int), probabilities


def true_checks() -> tuple[Callable[[float, float], bool], Callable[[float, float], bool]]:
    """Return whether a threshold keeps a promised rate, and precision, on a large population."""
    labels, probabilities = draw(np.random.default_rng(0), POPULATION)
    humans = probabilities[labels == 0]
    confidence = np.maximum(probabilities, 1 - probabilities)  # also that a decision is right
    return (
        lambda rate, threshold: (humans >= threshold).mean() <= rate,
        lambda precision, threshold: confidence[confidence >= threshold].mean() >= precision,
    )


if __name__ == "__main__":
    main()
