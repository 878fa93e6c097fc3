"""What a decision rule promises, and what its pictures are too few for, as numbers and in words."""

import math

import pandas as pd

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
    pictures
        How many there are, near-duplicates counted once.
    required
        How many it takes if none of them is an error.
    attainable
        The lowest upper bound that they prove, 0 to 1.
    """

    rate: float
    confidence: float
    pictures: int
    required: int
    attainable: float

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
        Of decisions without an operating point: 1 - precision.
    """

    false_positive_rate: Proof
    error_rate: Proof

    @property
    def of_low_fpr(self) -> str:
        """A sentence on the operating point `low_fpr`."""
        proof = self.false_positive_rate
        promised = f"at most {_up(proof.rate)} of human art is classified as ai"
        if proof.holds:
            return (
                f"low_fpr: {promised}, at a confidence of {proof.confidence:.4g} "
                f"(from {proof.pictures} pictures of human art)"
            )
        return (
            f"low_fpr can't be promised ({promised}): it needs {proof.required} pictures of human "
            f"art, {proof.pictures} are there, which allow at most {_up(proof.attainable)}"
        )

    @property
    def of_decisions(self) -> str:
        """A sentence on decisions without an operating point."""
        proof = self.error_rate
        promised = f"at least {_down(1 - proof.rate)} of decisions that are not unsure are right"
        if proof.holds:
            return (
                f"{promised}, at a confidence of {proof.confidence:.4g} "
                f"(from {proof.pictures} pictures)"
            )
        needed = f"it needs {proof.required} confident decisions without an error, "
        return (
            f"everything is unsure without an operating point ({promised}: can't be promised): "
            f"{needed if proof.pictures < proof.required else ''}"
            f"the {proof.pictures} pictures allow at least {_down(1 - proof.attainable)}"
        )


def prove(
    labels: Labels, probabilities: Scores, groups: "pd.Series[str]", promise: Promise
) -> Proofs:
    """Compute which promised error rates pictures prove, and which they allow.

    Parameters
    ----------
    labels, probabilities
        1 for ai and 0 for human, and calibrated probabilities of ai; shape (n,).
    groups
        The group of near-duplicates of each picture, which counts once; length n.
    promise
        Error rates that are to be proved.
    """
    confidence = promise.confidence
    humans, error_rate = groups[labels == 0].nunique(), 1 - promise.precision
    return Proofs(
        false_positive_rate=Proof(
            rate=promise.false_positive_rate,
            confidence=confidence,
            pictures=humans,
            required=promises.required_pictures(promise.false_positive_rate, confidence),
            attainable=promises.attainable_rate(humans, confidence),
        ),
        error_rate=Proof(
            rate=error_rate,
            confidence=confidence,
            pictures=groups.nunique(),
            required=promises.required_decisions(promise.precision, confidence),
            attainable=promises.attainable_error_rate(labels, probabilities, groups, confidence),
        ),
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
