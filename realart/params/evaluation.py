"""The params of the final model: how it is chosen and tested, its promises and goals."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from realart.params.groups import Fraction, JpegQuality, Strict

Point = Literal["balanced", "low_fpr", "best_f1"]
Share = Annotated[float, Field(gt=0.5, lt=1)]
POINTS: tuple[Point, ...] = get_args(Point)
"""Operating points, whose thresholds `realart.metrics.thresholds` chooses on out-of-fold scores."""


class Evaluate(Strict):
    """Which model is final, and how it is tested.

    Attributes
    ----------
    final
        The network or classifier of the best fold, or the mean score of those of all folds.
    reencode
        The JPEG quality at which test pictures are saved again, to measure how much the scores
        depend on the encoding.
    """

    final: Literal["best_fold", "ensemble"]
    reencode: JpegQuality


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _descending(values: list[float]) -> list[float]:
    if not values or values != sorted(set(values), reverse=True):
        raise ValueError("give one number, or several in descending order")
    return values


class Promise(Strict):
    """Error rates that decisions on further pictures keep, if these are drawn as those before.

    Attributes
    ----------
    false_positive_rate
        The share of human art that is classified as ai at the operating point `low_fpr`, at most.
    precision
        The share of right decisions among those without an operating point, at least; all other
        pictures are `unsure`. Of several, in descending order, the highest that the pictures prove
        is promised; params.yaml may have a single number.
    confidence
        The least probability that each of both is kept, over draws of the labelled pictures.
    """

    false_positive_rate: Fraction
    precision: Annotated[list[Share], BeforeValidator(_listed), AfterValidator(_descending)]
    confidence: Share


class Cases(Strict):
    """Labelled pictures that a model must not misclassify, such as those that one did.

    Attributes
    ----------
    folder
        With a folder for each class; it may be without pictures.
    unsure
        What a decision that is `unsure` counts as.
    """

    folder: str
    unsure: Literal["right", "wrong"]


class Goals(Strict):
    """Goals of metrics of the test part, by their names in evaluation.json; None is no goal.

    False positive rate, Brier score, ECE and loss must be at most the goal, all others at least.
    `cases` is no metric, but pictures that must all be classified rightly.
    """

    cases: Cases | None = None

    accuracy: Fraction | None = None
    balanced_accuracy: Fraction | None = None
    precision: Fraction | None = None
    recall: Fraction | None = None
    f1: Fraction | None = None
    mcc: Annotated[float, Field(gt=-1, lt=1)] | None = None
    auc: Fraction | None = None
    average_precision: Fraction | None = None
    tpr_at_1_fpr: Fraction | None = None
    tpr_at_5_fpr: Fraction | None = None
    false_positive_rate: Fraction | None = None
    brier: Fraction | None = None
    ece: Fraction | None = None
    loss: Annotated[float, Field(gt=0)] | None = None
