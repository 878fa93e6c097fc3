"""The panel of deliveries: a picture as others may receive it, saved, shrunk, cut or framed.

A decision that does not survive them is one on the delivery rather than on the picture. Each turns
decisions that none of the others turns; what turns few more, as JPEG 60 after a screenshot, is left
out (`python -m benchmarks.deliveries`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from realart.data import perturbations
from realart.data.perturbations import Change
from realart.metrics import classification
from realart.metrics.thresholds import DecisionRule
from realart.params import Point


@dataclass(frozen=True)
class Delivery:
    """A change of the picture, and in words how the picture then is."""

    change: Change
    words: str


PANEL: dict[str, Delivery] = {
    "corner": Delivery(Change("corner", 0.1), "with a corner cut off"),
    "half_size": Delivery(Change("resize", 0.5), "shrunk to half its size and back"),
    "letterbox": Delivery(Change("letterbox", 0.25), "in a letterbox"),
    "screenshot": Delivery(Change("screenshot", 2), "as a screenshot of a screenshot"),
}
"""Each delivery by its name."""


def deliver(image: Image.Image) -> list[Image.Image]:
    """Return an RGB picture after each delivery of the `PANEL`."""
    limited = perturbations.thumbnail(image, perturbations.LARGEST)
    return [delivery.change(limited) for delivery in PANEL.values()]


def disagreement(
    decision: str, probabilities: Mapping[str, float], rule: DecisionRule, at: Point | None = None
) -> str:
    """Name the delivery that is on the other side of the threshold, if any is.

    Parameters
    ----------
    decision
        On the picture as it is: `ai`, `human` or `unsure`, which has no other side.
    probabilities
        Calibrated probability of ai of deliveries, by their names.
    rule
        Has the threshold of each operating point.
    at
        Operating point of the decision. Without one the threshold is one half: a delivery counts
        even if its own decision would be `unsure`.

    Returns
    -------
    str
        A sentence on the delivery that is farthest on the other side; "" if none is there.

    Examples
    --------
    >>> from realart.metrics.calibration import Calibration
    >>> rule = DecisionRule(calibration=Calibration(slope=1, offset=0), points={}, sure=0.9)
    >>> disagreement("ai", {"corner": 0.8, "letterbox": 0.31}, rule)
    'in a letterbox it would rather be classified as human (0.310)'
    """
    other = {"ai": "human", "human": "ai"}.get(decision)
    if not other:
        return ""
    threshold = rule.points[at] if at else classification.THRESHOLD
    turned = [name for name, p in probabilities.items() if (p >= threshold) == (other == "ai")]
    if not turned:
        return ""
    farthest = (min if other == "human" else max)(turned, key=probabilities.__getitem__)
    words, probability = PANEL[farthest].words, probabilities[farthest]
    return f"{words} it would rather be classified as {other} ({probability:.3f})"
