"""What a decision rule promises, and what its pictures are too few for, as numbers and in words."""

import math

import pandas as pd
from pydantic import Field

from realart.metrics import promises
from realart.metrics.classification import Labels, Scores
from realart.params import Promise, Strict

NONE = "no error rate is promised: thresholds were read off the scores that they were chosen on"
"""In place of the sentences of `Proofs`, for models of older releases, which have none."""


class Proof(Strict):
    """Whether labelled pictures prove an error rate of further pictures, drawn as they were.

    Attributes
    ----------
    rate
        The promised upper bound of the error rate, 0 to 1.
    confidence
        The least probability, over draws of such pictures, that the promise is kept; 0 to 1.
    data
        The name of the set that the pictures are of.
    pictures
        How many there are, near-duplicates counted once.
    required
        How many it takes if none of them is an error.
    attainable
        The lowest upper bound that they prove, 0 to 1.
    unproved
        Lower rates, in ascending order, that were to be promised rather, and are not proved.
    """

    rate: float
    confidence: float
    data: str
    pictures: int
    required: int
    attainable: float
    unproved: list[float] = Field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether the pictures prove the promised rate."""
        return self.attainable <= self.rate


class Proofs(Strict):
    """Proofs of both promises that a decision rule makes, or is to make.

    Attributes
    ----------
    false_positive_rate
        Of human art, at the operating point `low_fpr`.
    error_rate
        Of decisions without an operating point: 1 - precision. None where it was never proved:
        human art alone recalibrated a model of an older release.
    """

    false_positive_rate: Proof
    error_rate: Proof | None

    @property
    def precision(self) -> float | None:
        """The promised precision of decisions without an operating point, if there is one."""
        proof = self.error_rate
        return 1 - proof.rate if proof and proof.holds else None

    @property
    def of_low_fpr(self) -> str:
        """A sentence on the operating point `low_fpr`."""
        proof = self.false_positive_rate
        promised = f"at most {_up(proof.rate)} of human art is classified as ai"
        if proof.holds:
            return (
                f"low_fpr: {promised}, at a confidence of {proof.confidence:.4g} "
                f"(by {proof.pictures} pictures of human art in {proof.data})"
            )
        return (
            f"low_fpr can't be promised ({promised}): it needs {proof.required} pictures of human "
            f"art, {proof.data} has {proof.pictures}, which allow at most {_up(proof.attainable)} "
            "(promise.false_positive_rate)"
        )

    @property
    def of_decisions(self) -> str:
        """A sentence on decisions without an operating point."""
        if (proof := self.error_rate) is None:
            return NONE
        promised = f"at least {_down(1 - proof.rate)} of decisions that are not unsure are right"
        if proof.holds:
            higher = " or ".join(_down(1 - rate) for rate in proof.unproved)
            return (
                f"{promised}, at a confidence of {proof.confidence:.4g} (by {proof.pictures} "
                f"pictures of {proof.data}{f', which do not prove {higher}' if higher else ''})"
            )
        needed = f"it needs {proof.required} confident decisions without an error; "
        return (
            f"everything is unsure without an operating point, since it can't be promised that "
            f"{promised}: {needed if proof.pictures < proof.required else ''}"
            f"{proof.pictures} pictures of {proof.data} allow at least "
            f"{_down(1 - proof.attainable)} (promise.precision); balanced decides without a promise"
        )


def prove_false_positive_rate(groups: "pd.Series[str]", promise: Promise, data: str) -> Proof:
    """Compute whether pictures of human art prove the promised rate, and which they allow.

    `groups` are their groups of near-duplicates, each of which counts once; `data` names their set.
    """
    pictures, rate, confidence = groups.nunique(), promise.false_positive_rate, promise.confidence
    return Proof(
        rate=rate,
        confidence=confidence,
        data=data,
        pictures=pictures,
        required=promises.required_pictures(rate, confidence),
        attainable=promises.attainable_rate(pictures, confidence),
    )


def prove_error_rate(
    labels: Labels, probabilities: Scores, groups: "pd.Series[str]", promise: Promise, data: str
) -> Proof:
    """Compute which promised precision the decisions on pictures prove, or else which they allow.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, and calibrated probabilities of ai; shape (n,).
    groups
        The group of near-duplicates of each picture, which counts once; length n.
    promise
        The precisions, and the confidence.
    data
        The name of the set of pictures.
    """
    confidence = promises.split_confidence(promise.confidence, len(promise.precision))
    attainable = promises.attainable_error_rate(labels, probabilities, groups, confidence)
    rates = [round(1 - precision, 12) for precision in promise.precision]
    rate = next((rate for rate in rates if attainable <= rate), rates[-1])
    return Proof(
        rate=rate,
        confidence=promise.confidence,
        data=data,
        pictures=groups.nunique(),
        required=promises.required_decisions(1 - rate, confidence),
        attainable=attainable,
        unproved=[lower for lower in rates if lower < rate],
    )


def _up(share: float) -> str:
    """Format a share as a percentage of at most two decimals, rounded up.

    >>> _up(0.01), _up(0.021171)
    ('1 %', '2.12 %')
    """
    return f"{math.ceil(share * 1e4 - 1e-6) / 100:g} %"


def _down(share: float) -> str:
    """Format a share as a percentage of at most two decimals, rounded down.

    >>> _down(0.95), _down(0.91239)
    ('95 %', '91.23 %')
    """
    return f"{math.floor(share * 1e4 + 1e-6) / 100:g} %"
