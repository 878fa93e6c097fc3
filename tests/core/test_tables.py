"""Tables come back from CSV as they were written."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from making import published

from realart.core import tables
from realart.core.errors import RealartError
from realart.params import CLASSES

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(st.lists(TEXT, max_size=6))
@example(["a,b", 'q"uote', "two\nlines", "two\r\nlines", "old\rMac", "é漢🎨", "", " ", "\t"])
@example(["NA", "nan", "null", "None", "001", "1e5", "True", "#x", "\ufeff", "-", "=1+1"])
def test_any_text_comes_back(texts: list[str]) -> None:
    columns = {
        "set": "a",
        "path": texts,
        "reason": "corrupt",
        "detail": texts[::-1],
        "twin_set": "",
    }
    written = pd.DataFrame(columns, dtype=str)
    with tempfile.TemporaryDirectory() as folder:
        tables.write(written, Path(folder) / "x.csv", tables.REJECTED)
        read = tables.read(Path(folder) / "x.csv", tables.REJECTED)
    assert read["path"].tolist() == texts
    assert read["detail"].tolist() == texts[::-1]


@pytest.mark.parametrize(
    "columns", [tables.PICTURES, tables.REJECTED, tables.SPLIT, tables.ROWS, tables.SCORES]
)
@pytest.mark.parametrize("count", [0, 3])
def test_every_table_keeps_types_and_order(
    columns: tables.Schema, count: int, tmp_path: Path
) -> None:
    values = {
        str: ["b", "", "a"],
        int: [-1, 0, 2**40],
        float: [0.1, 1e-17, 1.0],
        bool: [True, False, True],
    }
    table = pd.DataFrame({name: values[kind][:count] for name, kind in columns.items()})
    table = table.astype(columns)
    tables.write(table[list(columns)[::-1]], tmp_path / "x.csv", columns)
    read = tables.read(tmp_path / "x.csv", columns)
    pd.testing.assert_frame_equal(read, table)


def test_same_table_same_bytes(tmp_path: Path) -> None:
    table = published([{"id": "é", "label": "ai"}, {"id": "b", "label": "human"}])
    for name in ("x.csv", "y.csv"):
        tables.write(table, tmp_path / name, tables.PICTURES)
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()
    assert b"\r" not in (tmp_path / "x.csv").read_bytes()


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", "part,id,fold,slice\ntrain,x,0,0\n", "id,part,fold\nx,train,0\n"]
)
def test_other_columns_are_an_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "split.csv").write_text(content)
    with pytest.raises(RealartError, match=r"split\.csv .*run `dvc repro`"):
        tables.read(tmp_path / "split.csv", tables.SPLIT)


def test_columns_missing_in_older_releases_are_empty(tmp_path: Path) -> None:
    (tmp_path / "split.csv").write_text("id,part,fold,slice\nx,train,0,1\n")
    read = tables.read(tmp_path / "split.csv", tables.SPLIT)
    assert read.to_numpy().tolist() == [["x", "", "train", 0, 1]]
    assert list(read.columns) == list(tables.SPLIT)


def test_the_error_of_a_missing_table_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match=r"split\.csv is missing: run `dvc repro` first"):
        tables.read(tmp_path / "split.csv", tables.SPLIT)


def test_ai_is_the_positive_class() -> None:
    assert tables.is_ai(pd.Series(["ai", "human", "ai"])).tolist() == [1, 0, 1]
    assert CLASSES.index("ai") == 1
