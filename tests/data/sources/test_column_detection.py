"""Columns of pictures and labels, by names and values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.data.sources.column_detection import (
    AI,
    HUMAN,
    Column,
    by_digits,
    by_words,
    class_of,
    rank,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AI", AI), ("is_ai", AI), ("isAI", AI), ("AIGenerated", AI), ("AI-generated", AI),
        ("isfake", AI), ("fakes", AI), ("deepfake", AI), ("generated", AI), ("synthetic image", AI),
        ("not_real", AI), ("non-human", AI), ("label_ai", AI), ("AiArtData", AI),
        ("real", HUMAN), ("RealArt", HUMAN), ("is_human", HUMAN), ("human_generated", HUMAN),
        ("non_ai", HUMAN), ("Not AI", HUMAN), ("photographs", HUMAN),
        ("realism", None), ("aircraft", None), ("naturalism", None), ("said", None), ("", None),
        ("real_or_fake", None), ("ai-vs-human", None), ("label", None), ("mountain", None),
    ],
)  # fmt: skip
def test_classes_are_whole_words(name: str, expected: str | None) -> None:
    assert class_of(name) == expected


@given(
    st.sets(st.sampled_from([0, 1, True, False, 0.0, 1.0, "0", "1", "No", "TRUE", -1]), min_size=1)
)
def test_digits_mean_the_opposite_where_the_name_is_negated(values: set[object]) -> None:
    of, other = (by_digits(Column(name), values) for name in ("is_ai", "not_ai"))
    swapped = {AI: HUMAN, HUMAN: AI, "unlabelled": "unlabelled"}
    assert other == {text: swapped[label] for text, label in of.items()}
    assert of


@given(st.sets(st.integers() | st.floats(), min_size=1))
def test_other_numbers_say_no_class(values: set[float]) -> None:
    if not values <= {0, 1, -1}:
        assert by_digits(Column("is_ai"), values) == {}
    assert by_digits(Column("label"), values) == {}


def test_words_of_every_value_and_name() -> None:
    assert by_words(Column("x"), {"FAKE", "real"}) == {"FAKE": AI, "real": HUMAN}
    assert by_words(Column("x"), {"FAKE", "real", "realism"}) == {}
    assert by_words(Column("x", ("real", "fake")), {1, -1}) == {"real": HUMAN, "fake": AI}


@pytest.mark.parametrize(
    ("name", "names", "values", "expected"),
    [
        ("style", (), {"fake", "real"}, 0),
        ("is_ai", (), {0, 1}, 0),
        ("x", ("fake", "real"), {0}, 0),
        ("is_ai", (), {1}, 1),
        ("label", (), {0, 1}, 2),
        ("label", (), None, 2),
        ("style", ("baroque", "realism"), {0, 1}, 2),
        ("real_or_fake", (), {0, 1}, 2),
        ("width", (), {0, 1}, 3),
        ("prompt", (), None, 3),
    ],
)
def test_how_surely_a_column_holds_labels(
    name: str, names: tuple[str, ...], values: set[object] | None, expected: int
) -> None:
    assert rank(Column(name, names), values) == expected
