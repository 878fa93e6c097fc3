"""The worst changes are those of most mistakes, and each curve runs from none to the strongest."""

from pathlib import Path

import pandas as pd
from PIL import Image

from realart.evaluation import robustness, robustness_plot
from realart.evaluation.robustness import STRENGTHS, UNCHANGED


def table(**rates: tuple[float, float, float]) -> pd.DataFrame:
    """Make a table whose changes have an AUC, recall and false positive rate, all others (1, 1, 0).

    The keys are a change and its number in `STRENGTHS`, as in `blur_1`.
    """
    rows = []
    for change, strengths in {UNCHANGED: (0.0,), **STRENGTHS}.items():
        for number, strength in enumerate(strengths):
            auc, recall, fpr = rates.get(f"{change}_{number}", (1.0, 1.0, 0.0))
            own = (change, strength, 40, auc, auc, auc)
            rows += [(*own, "balanced", recall, fpr), (*own, "low_fpr", 0.0, 0.0)]
    return pd.DataFrame(rows, columns=list(robustness.COLUMNS))


def test_a_change_after_which_all_is_called_ai_is_the_worst() -> None:
    """Although its ranking is perfect, and that of another is not."""
    found = table(blur_1=(1.0, 1.0, 1.0), blur_0=(0.9, 0.9, 0.0), noise_1=(1.0, 0.7, 0.1))
    worst = robustness.worst(found)
    assert list(zip(worst["change"], worst["strength"], strict=True)) == [
        ("blur", 2), ("noise", 10), ("blur", 1),
    ]  # fmt: skip
    assert robustness.summary(found) == (
        "robustness: recall 1.000, false positive rate 0.000 at the point balanced on 40 unchanged "
        "test pictures; worst after blur 2 (recall 1.000, false positive rate 1.000), noise 10 "
        "(recall 0.700, false positive rate 0.100), blur 1 (recall 0.900, false positive rate "
        "0.000)"
    )


def test_no_change_is_no_change() -> None:
    """Unchanged pictures are never named, nor is what is as good or better."""
    assert robustness.worst(table()).empty
    assert robustness.summary(table()).endswith("; no change makes its decisions worse")
    better = table(none_0=(0.8, 0.2, 0.1), jpeg_0=(0.7, 0.3, 0.2), jpeg_1=(0.7, 0.9, 0.1))
    assert robustness.worst(better)["change"].eq(UNCHANGED).sum() == 0
    assert robustness.worst(better).empty


def test_darker_and_brighter_lie_on_both_sides_of_no_change() -> None:
    found = table()[lambda rows: rows["point"] == "balanced"]
    drawn = {name: list(robustness_plot.by_strength(found, name)["label"]) for name in STRENGTHS}
    assert drawn["brightness"] == ["0.75", "none", "1.25"]
    assert drawn["jpeg"] == ["none", "95", "80", "60", "40"]
    assert [name for name, labels in drawn.items() if labels[0] != "none"] == ["brightness"]


def test_every_change_has_its_panel_with_named_axes(tmp_path: Path) -> None:
    assert set(robustness_plot.AXES) == set(STRENGTHS)
    for name, found in (("same", table()), ("again", table()), ("blur", table(blur_1=(1, 1, 1)))):
        robustness_plot.draw(found, tmp_path / f"{name}.png")
    same, again, blur = (
        (tmp_path / f"{name}.png").read_bytes() for name in ("same", "again", "blur")
    )
    assert same == again != blur
    assert min(Image.open(tmp_path / "same.png").size) > 300
