"""Fit the decision rule of a trained model to labelled pictures of where it will be used."""

import numpy as np
import pandas as pd

from realart.metrics import calibration, proofs, thresholds
from realart.metrics.calibration import Calibration
from realart.metrics.classification import Labels, Scores
from realart.metrics.proofs import Proofs
from realart.metrics.thresholds import PROMISED, DecisionRule
from realart.params import Promise

FOLDS = 5
"""Parts of the pictures; each is calibrated on the others before thresholds are chosen."""


def recalibrate(
    rule: DecisionRule,
    labels: Labels,
    scores: Scores,
    groups: "pd.Series[str]",
    promise: Promise,
    data: str,
) -> tuple[DecisionRule, Scores]:
    """Refit calibration and promises of a rule, by `calibration.refit`.

    The thresholds of other operating points stay what they were as probabilities: few pictures
    choose none that is better. Human art alone moves the point `PROMISED` and nothing else.

    Parameters
    ----------
    rule
        Of the trained model.
    labels, scores
        1 for ai and 0 for human, and uncalibrated scores; shape (n,). Human art is present.
    groups
        The group of near-duplicates of each picture, which counts once; length n.
    promise
        Error rates that are to hold for further pictures of the same origin.
    data
        The name of the set that the pictures are of.

    Returns
    -------
    rule, probabilities
        The new rule, and the probability of each picture by a calibration on the others; shape
        (n,).
    """
    if labels.any():
        refitted, probabilities = _refit(rule.calibration, labels, scores, groups)
        chosen = thresholds.choose_rule(labels, probabilities, groups, promise, refitted, data)
        points = {name: value for name, value in rule.points.items() if name != PROMISED}
        return chosen.model_copy(update={"points": chosen.points | points}), probabilities
    probabilities = rule.calibration(scores)
    low_fpr = thresholds.low_fpr_threshold(probabilities, groups, promise)
    points = {name: value for name, value in rule.points.items() if name != PROMISED} | low_fpr
    proof = proofs.prove_false_positive_rate(groups, promise, data)
    others = rule.proofs.error_rate if rule.proofs else None
    proved = Proofs(false_positive_rate=proof, error_rate=others)
    return rule.model_copy(update={"points": points, "proofs": proved}), probabilities


def _refit(
    old: Calibration, labels: Labels, scores: Scores, groups: "pd.Series[str]"
) -> tuple[Calibration, Scores]:
    """Refit a calibration on all pictures, and on those of other parts for each part."""
    numbers = pd.factorize(groups)[0]
    weights = 1 / np.bincount(numbers)[numbers]
    part = np.random.default_rng(0).permutation(numbers.max() + 1)[numbers] % FOLDS
    probabilities = np.empty(len(scores))
    for held_out in (part == number for number in np.unique(part)):
        refitted = calibration.refit(old, labels[~held_out], scores[~held_out], weights[~held_out])
        probabilities[held_out] = refitted(scores[held_out])
    return calibration.refit(old, labels, scores, weights), probabilities
