"""One-sided properties: what occurs in one class alone and not by chance."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import published

from realart.evaluation import one_sided
from realart.evaluation.one_sided import OneSided

HEADER = {"format": "JPEG", "mode": "RGB", "width": 512, "height": 512, "quality": 90}


def pictures(*groups: tuple[int, str, dict[str, Any]]) -> list[OneSided]:
    """Find one-sided properties among so many pictures of a label with such headers each."""
    rows = []
    for count, label, header in groups:
        for _ in range(count):
            name = f"{len(rows)}"
            rows.append({"id": name, "path": f"{name}.jpg", "label": label} | HEADER | header)
    return one_sided.find(published(rows))


def test_a_format_of_one_class_is_named_with_its_counts() -> None:
    (found,) = pictures((40, "ai", {"format": "PNG"}), (20, "ai", {}), (50, "human", {}))
    assert (found.name, found.value, found.label) == ("format", "PNG", "ai")
    assert str(found) == "format PNG: 40 of 60 ai pictures, none of 50 human"


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ({"mode": "RGBA"}, "mode", "RGBA"),
        ({"width": 1024}, "size", "1024x512"),
        ({"quality": 75}, "JPEG quality", "75"),
        ({"path": "a.WEBP"}, "extension", ".webp"),
        ({"path": "a"}, "extension", "(none)"),
        ({"icc": True}, "ICC profile", "present"),
        ({"subsampling": "4:4:4"}, "chroma subsampling", "4:4:4"),
    ],
)
def test_each_property_is_looked_at(header: dict[str, Any], name: str, value: str) -> None:
    (found,) = pictures((20, "human", header), (20, "human", {}), (40, "ai", {}))
    assert (found.name, found.value, found.label) == (name, value, "human")


def test_nearly_one_sided_counts_and_evenly_spread_does_not() -> None:
    png = {"format": "PNG"}
    (found,) = pictures((60, "ai", png), (40, "ai", {}), (2, "human", png), (98, "human", {}))
    assert found.counts == {"human": 2, "ai": 60}
    assert pictures((60, "ai", png), (40, "ai", {}), (9, "human", png), (91, "human", {})) == []


@pytest.mark.parametrize("count", [1, 5, 9])
def test_a_rare_property_may_be_one_sided_by_chance(count: int) -> None:
    assert (
        pictures((count, "ai", {"format": "PNG"}), (50 - count, "ai", {}), (50, "human", {})) == []
    )


def test_a_small_class_lacks_what_is_rare_by_chance() -> None:
    """Of 90 ai pictures 10 are PNG: none among 10 of human art proves nothing."""
    assert pictures((10, "ai", {"format": "PNG"}), (80, "ai", {}), (10, "human", {})) == []


def test_what_few_of_a_class_have_is_no_property_of_it() -> None:
    assert pictures((40, "ai", {"format": "PNG"}), (960, "ai", {}), (1000, "human", {})) == []


@given(*[st.integers(0, 40)] * 4)
def test_classes_are_treated_alike(ai: int, human: int, more_ai: int, more_human: int) -> None:
    png: dict[str, Any] = {"format": "PNG"}
    found = pictures(
        (ai, "ai", png), (more_ai, "ai", {}), (human, "human", png), (more_human, "human", {})
    )
    swapped = pictures(
        (ai, "human", png), (more_ai, "human", {}), (human, "ai", png), (more_human, "ai", {})
    )
    other = {"ai": "human", "human": "ai"}
    assert {(f.value, f.label) for f in found} == {(f.value, other[f.label]) for f in swapped}


def test_one_class_alone_has_no_sides() -> None:
    assert pictures((50, "ai", {"format": "PNG"})) == []
