"""What an audit means for somebody who trains on the set, in words."""

from collections.abc import Mapping

import pandas as pd

from realart.audit import AVAILABLE, PUBLISHED, TEXTURE, best
from realart.intervals import Estimate


def sentences(
    table: pd.DataFrame,
    aspects: Mapping[str, Estimate],
    pairs: Mapping[str, pd.DataFrame],
    copies: Mapping[str, Estimate],
) -> list[str]:
    """Say which shortcuts the set as published offers, what the stored form leaves, and the rest.

    Parameters
    ----------
    table
        What `audit.answer` returns.
    aspects, pairs, copies
        What `audit.recovered`, `audit.kinds` and `audit.probe` return.
    """
    left = ", ".join(f"{shape} {how_well.value:.2f}" for shape, how_well in aspects.items())
    texture = best(table, [TEXTURE])["auc"]
    said = [
        f"In the files as published, {_strength(best(table, [PUBLISHED]))}",
        f"In what models are given, {_strength(best(table, AVAILABLE))}",
        f"A picture's aspect can be read back from its square (rank correlation): {left}.",
        f"Texture alone tells the classes at AUC {texture:.2f}: the generator's own trace, or what "
        "is left of the published compression; re-encoding tells which.",
        f"Pairs: {', '.join(f'{len(found)} {kind}' for kind, found in pairs.items())}.",
    ]
    for label, auc in copies.items():
        said.append(f"Augmented copies of {label} art can be told from originals at AUC {auc}.")
    return said


def _strength(row: pd.Series) -> str:
    if row["auc_low"] <= 0.55:
        what = "next to nothing names the label"
    elif row["auc"] < 0.7:
        what = "the label can be guessed a little without looking at the art"
    elif row["auc"] < 0.9:
        what = "much of the label can be guessed without looking at the art"
    else:
        what = "the label can be read off without looking at the art"
    interval = f"{row['auc']:.3f} [{row['auc_low']:.3f}, {row['auc_high']:.3f}]"
    return f"{what}: best by {row['name']} ({row['scope']}), AUC {interval}."
