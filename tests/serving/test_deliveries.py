"""A disagreement is a delivery that is decided the other way, and the farthest one is named."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import picture
from networks import UNCALIBRATED_RULE
from PIL import Image

from realart.data.perturbations import LARGEST, Change
from realart.serving import deliveries
from realart.serving.deliveries import PANEL

PROBABILITIES = st.floats(0, 1)
PANELS = st.fixed_dictionaries(dict.fromkeys(PANEL, PROBABILITIES))
AT = st.sampled_from([None, "balanced", "low_fpr", "best_f1"])


@given(PROBABILITIES, PANELS, st.floats(0.5, 1), AT)
def test_the_farthest_delivery_on_the_other_side_is_named(
    probability: float, panel: dict[str, float], sure: float, at: deliveries.Point | None
) -> None:
    rule = UNCALIBRATED_RULE.model_copy(update={"sure": sure})
    decision = rule.decide(probability, at)
    reason = deliveries.disagreement(decision, panel, rule, at)
    sides = {
        name: ("human", "ai")[panel[name] >= (rule.points[at] if at else 0.5)] for name in PANEL
    }
    if decision == "unsure" or {decision} == set(sides.values()):
        assert not reason
        return
    (other,) = {"ai", "human"} - {decision}
    (name,) = (name for name in PANEL if reason.startswith(PANEL[name].words))
    assert sides[name] == other
    assert reason.endswith(f" it would rather be classified as {other} ({panel[name]:.3f})")
    turned = [panel[name] for name in PANEL if sides[name] == other]
    assert panel[name] == (max(turned) if other == "ai" else min(turned))


def test_each_delivery_is_its_change() -> None:
    image = Image.fromarray(picture(0))
    for delivered, delivery in zip(deliveries.deliver(image), PANEL.values(), strict=True):
        np.testing.assert_array_equal(np.asarray(delivered), np.asarray(delivery.change(image)))


def test_no_delivery_leaves_a_picture_as_it_is() -> None:
    image = Image.fromarray(picture(1))
    for delivered in deliveries.deliver(image):
        assert delivered.size != image.size or (np.asarray(delivered) != np.asarray(image)).any()


def test_a_large_picture_is_shrunk_first() -> None:
    large = Image.fromarray(picture(2)).resize((5000, 3000))
    small = Change("thumbnail", LARGEST)(large)
    for delivered, delivery in zip(deliveries.deliver(large), PANEL.values(), strict=True):
        np.testing.assert_array_equal(np.asarray(delivered), np.asarray(delivery.change(small)))


def test_words_of_deliveries_begin_no_others() -> None:
    words = [delivery.words for delivery in PANEL.values()]
    assert not [a for a in words for b in words if a is not b and b.startswith(a)]
