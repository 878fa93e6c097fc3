"""What is found names what to do about it, and nothing is to be done about what is not known."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.data import headers
from realart.evaluation.remedies import REMEDIES, remedies
from realart.evaluation.shortcuts import ALL, COLOUR, PUBLISHED, SET, STORED, TEXTURE

NAMES = {
    PUBLISHED: [*headers.FIELDS, ALL, SET],
    STORED: [*headers.FIELDS, ALL],
    COLOUR: ["mean colour", "8x8 thumbnail"],
    TEXTURE: ["block DCT and grid"],
}
CANDIDATES = [(scope, name) for scope, names in NAMES.items() for name in names]
ROWS = st.lists(st.tuples(st.sampled_from(CANDIDATES), st.floats(0, 1)), min_size=1)


def table(rows: list[tuple[tuple[str, str], float]]) -> pd.DataFrame:
    records = [(*candidate, low) for candidate, low in rows]
    return pd.DataFrame(records, columns=["scope", "name", "auc_low"])


@pytest.mark.parametrize(
    ("scope", "name", "kinds"),
    [
        (PUBLISHED, "quantisation table", ["files"]),
        (PUBLISHED, ALL, ["files"]),
        (PUBLISHED, SET, ["sets"]),
        (STORED, "width and height", ["shape", "accuracy"]),
        (STORED, "bytes", ["content", "accuracy"]),
        (STORED, "quantisation table", ["encoding", "accuracy"]),
        (STORED, ALL, ["accuracy"]),
        (COLOUR, "8x8 thumbnail", ["content", "accuracy"]),
        (TEXTURE, "block DCT and grid", []),
    ],
)
def test_each_kind_has_its_remedy(scope: str, name: str, kinds: list[str]) -> None:
    assert remedies(table([((scope, name), 0.6)])) == [REMEDIES[kind] for kind in kinds]
    assert remedies(table([((scope, name), 0.55)])) == []


@given(ROWS, ROWS)
def test_more_findings_never_take_a_remedy_away(
    some: list[tuple[tuple[str, str], float]], more: list[tuple[tuple[str, str], float]]
) -> None:
    both = remedies(table(some + more))
    assert set(both) == {*remedies(table(some)), *remedies(table(more))}
    assert both == [words for words in REMEDIES.values() if words in both]
