"""Properties of files that occur in one class only, or nearly so: a format, a size, a quality."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd
from scipy.stats import fisher_exact

from realart.params import CLASSES

PURITY = 0.95
"""Least share of a class in a property, if both classes were equally large, to be one-sided."""

SHARE = 0.05
"""Least share of its class that has a one-sided property: rarer ones, such as odd sizes, abound."""

SIGNIFICANCE = 0.001
"""Largest p-value of a one-sided property: in small sets one may be so by chance."""


@dataclass(frozen=True)
class OneSided:
    """A property of files that is one class's own, or nearly so.

    `name` and `value` are those of the property, `label` is that class; `counts` are the pictures
    that have it, and `totals` all pictures, of each class.
    """

    name: str
    value: str
    label: str
    counts: dict[str, int]
    totals: dict[str, int]

    def __str__(self) -> str:
        other = next(name for name in CLASSES if name != self.label)
        return (
            f"{self.name} {self.value}: {self.counts[self.label]} of {self.totals[self.label]} "
            f"{self.label} pictures, {self.counts[other] or 'none'} of {self.totals[other]} {other}"
        )

    @property
    def shares(self) -> dict[str, float]:
        """The share of each class that has the property."""
        return {name: self.counts[name] / self.totals[name] for name in CLASSES}


def find(pictures: pd.DataFrame) -> list[OneSided]:
    """Find the one-sided properties of published files, those of most pictures first.

    A value counts if the classes differ in it by more than chance (Fisher's exact test; Fisher,
    "Statistical Methods for Research Workers", 1934, section 21.02).

    Parameters
    ----------
    pictures
        Columns `tables.PICTURES`.
    """
    totals = {name: int((pictures["label"] == name).sum()) for name in CLASSES}
    if not all(totals.values()):
        return []
    found = []
    for name, values in _properties(pictures):
        counted = pd.crosstab(values, pictures["label"]).reindex(
            columns=list(CLASSES), fill_value=0
        )
        for value, row in counted.iterrows():
            counts = {label: int(row[label]) for label in CLASSES}
            if value and (label := _side(counts, totals)):
                found.append(OneSided(name, str(value), label, counts, totals))
    return sorted(found, key=lambda own: -own.shares[own.label])


def _properties(pictures: pd.DataFrame) -> Iterator[tuple[str, "pd.Series[str]"]]:
    """Yield the name and the values of each property; files that lack it have an empty one."""
    yield "format", pictures["format"]
    yield "mode", pictures["mode"]
    suffixes = [PurePosixPath(path).suffix.lower() for path in pictures["path"]]
    yield "extension", pd.Series(suffixes, pictures.index).replace("", "(none)")
    yield "size", pictures["width"].astype(str) + "x" + pictures["height"].astype(str)
    yield "JPEG quality", pictures["quality"].astype(str).replace("0", "")
    yield "chroma subsampling", pictures["subsampling"]
    for column, name in (("progressive", "progressive"), ("exif", "EXIF"), ("icc", "ICC profile")):
        yield name, pictures[column].map({True: "present", False: ""})


def _side(counts: dict[str, int], totals: dict[str, int]) -> str:
    """Return the class that a property belongs to, empty if it is not one-sided."""
    shares = {name: counts[name] / totals[name] for name in CLASSES}
    label = max(shares, key=lambda name: shares[name])
    if shares[label] < max(SHARE, PURITY * sum(shares.values())):
        return ""
    table = [[counts[name], totals[name] - counts[name]] for name in CLASSES]
    return label if fisher_exact(table).pvalue < SIGNIFICANCE else ""
