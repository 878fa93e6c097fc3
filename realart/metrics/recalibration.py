"""Fit the decision rule of a trained model to labelled pictures of where it will be used."""

import numpy as np
import pandas as pd

from realart.metrics import calibration, proofs, thresholds
from realart.metrics.calibration import Calibration
from realart.metrics.classification import THRESHOLD, Labels, Scores
from realart.metrics.proofs import Proofs
from realart.metrics.thresholds import PROMISED, DecisionRule
from realart.params import Promise

FOLDS = 5
"""Parts of the pictures; each is calibrated on the others before thresholds are chosen."""


def recalibrate(
    rule: DecisionRule,
    labels: Labels,
    probabilities: Scores,
    groups: "pd.Series[str]",
    promise: Promise,
    data: str,
) -> tuple[DecisionRule, Scores]:
    """Refit calibration and promises of a rule, by `calibration.refit`, if that helps.

    The thresholds of other operating points stay what they were as probabilities: few pictures
    choose none that is better. Human art alone moves the point `PROMISED` and nothing else.

    Parameters
    ----------
    rule
        Of the trained model.
    labels, probabilities
        1 for ai and 0 for human, and calibrated probabilities of ai by `rule`; shape (n,). Human
        art is present.
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
    points = {name: value for name, value in rule.points.items() if name != PROMISED}
    if labels.any():
        refitted, held_out = _refit(labels, probabilities, groups)
        composed = rule.calibration.then(refitted)
        chosen = thresholds.choose_rule(labels, held_out, groups, promise, composed, data)
        return chosen.model_copy(update={"points": chosen.points | points}), held_out
    points |= thresholds.low_fpr_threshold(probabilities, groups, promise)
    proof = proofs.prove_false_positive_rate(groups, promise, data)
    others = rule.proofs.error_rate if rule.proofs else None
    proved = Proofs(false_positive_rate=proof, error_rate=others)
    return rule.model_copy(update={"points": points, "proofs": proved}), probabilities


def _refit(
    labels: Labels, probabilities: Scores, groups: "pd.Series[str]"
) -> tuple[Calibration, Scores]:
    """Refit on all pictures, and for each of `FOLDS` parts on the other parts.

    Where no more decisions on these parts are right than without a change, nothing changes.
    """
    numbers = pd.factorize(groups)[0]
    weights = 1 / np.bincount(numbers)[numbers]
    part = np.random.default_rng(0).permutation(numbers.max() + 1)[numbers] % FOLDS
    held_out_probabilities = np.empty(len(labels))
    for held_out in (part == number for number in np.unique(part)):
        others = calibration.refit(labels[~held_out], probabilities[~held_out], weights[~held_out])
        held_out_probabilities[held_out] = others(probabilities[held_out])
    before, after = (
        np.average((values >= THRESHOLD) == labels, weights=weights)
        for values in (probabilities, held_out_probabilities)
    )
    if after <= before:
        return Calibration(slope=1.0, offset=0.0), probabilities
    return calibration.refit(labels, probabilities, weights), held_out_probabilities
