"""A promise is worded with its numbers, and one that is out of reach with what it needs."""

import numpy as np
import pandas as pd

from realart.metrics import proofs
from realart.metrics.proofs import Proofs
from realart.params import Promise

PROMISE = Promise(false_positive_rate=0.01, precision=[0.95], confidence=0.95)


def prove(humans: int, ais: int, wrong: int = 0) -> Proofs:
    """Prove by confident decisions on as many pictures, of which some are wrong."""
    labels = np.repeat([0, 1], [humans, ais])
    probabilities = np.where(labels == 1, 0.99, 0.01)
    probabilities[:wrong] = 0.99
    groups = pd.Series(np.arange(len(labels)).astype(str))
    return Proofs(
        false_positive_rate=proofs.prove_false_positive_rate(groups[:humans], PROMISE, "some.zip"),
        error_rate=proofs.prove_error_rate(labels, probabilities, groups, PROMISE, "some.zip"),
    )


def test_a_promise_names_its_confidence_and_pictures() -> None:
    proved = prove(299, 41)
    assert proved.of_low_fpr == (
        "low_fpr: at most 1 % of human art is classified as ai, at a confidence of 0.95 (by 299 "
        "pictures of human art in some.zip)"
    )
    assert proved.of_decisions == (
        "at least 95 % of decisions that are not unsure are right, at a confidence of 0.95 (by 340 "
        "pictures of some.zip)"
    )


def test_what_can_not_be_promised_names_what_is_missing_and_what_can() -> None:
    proved = prove(280, 20, wrong=40)
    assert proved.of_low_fpr == (
        "low_fpr can't be promised (at most 1 % of human art is classified as ai): it needs 299 "
        "pictures of human art, some.zip has 280, which allow at most 1.07 % "
        "(promise.false_positive_rate)"
    )
    assert proved.of_decisions == (
        "everything is unsure without an operating point, since it can't be promised that at least "
        "95 % of decisions that are not unsure are right: 300 pictures of some.zip allow at least "
        f"{np.floor(1e4 * (1 - proved.error_rate.attainable)) / 100:g} % (promise.precision); "
        "balanced decides without a promise"
    )
    assert "it needs 80 confident decisions without an error; 79" in prove(40, 39).of_decisions


def test_a_lower_precision_is_promised_where_higher_ones_are_not_proved() -> None:
    promise = PROMISE.model_copy(update={"precision": [0.95, 0.9, 0.8]})
    labels = np.tile([0, 1], 100)
    probabilities = np.where(np.arange(200) < 24, 1 - labels, labels) * 0.98 + 0.01
    groups = pd.Series(np.arange(200).astype(str))
    false_positive_rate = proofs.prove_false_positive_rate(groups, promise, "some.zip")
    proof = proofs.prove_error_rate(labels, probabilities, groups, promise, "some.zip")
    proved = Proofs(false_positive_rate=false_positive_rate, error_rate=proof)
    assert proved.precision == 0.8
    assert proved.of_decisions == (
        "at least 80 % of decisions that are not unsure are right, at a confidence of 0.95 (by 200 "
        "pictures of some.zip, which do not prove 95 % or 90 %)"
    )
    assert prove(20, 20).precision is None


def test_a_rate_that_is_named_as_attainable_can_be_promised() -> None:
    """It is rounded to the safe side."""
    for humans in (20, 57, 140, 280):
        named = float(prove(humans, 1).of_low_fpr.split()[-3]) / 100
        promise = PROMISE.model_copy(update={"false_positive_rate": named})
        groups = pd.Series(np.arange(humans).astype(str))
        assert proofs.prove_false_positive_rate(groups, promise, "some.zip").holds
