"""Rows of Parquet files as pictures in folders."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from realart.errors import RealartError
from realart.sources.parquet import pictures


def parquet(
    rows: list[tuple[bytes | None, str | None, Any]],
    names: list[str] | None = None,
    columns: tuple[str, str] = ("image", "label"),
) -> bytes:
    """Return a Parquet file as the library `datasets` writes it."""
    image, label = columns
    table = pa.table(
        {
            "number": list(range(len(rows))),
            image: [None if b is None else {"bytes": b, "path": path} for b, path, _ in rows],
            label: [value for *_, value in rows],
        }
    )
    if names:
        features = {image: {"_type": "Image"}, label: {"_type": "ClassLabel", "names": names}}
        metadata = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": metadata})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def rows(folder: Path, **files: bytes) -> list[tuple[str, bytes]]:
    paths = {}
    for number, (name, content) in enumerate(files.items()):
        paths[name] = folder / str(number)
        paths[name].write_bytes(content)
    return list(pictures(paths))


def test_names_of_labels_and_rows_numbered_through_a_split(tmp_path: Path) -> None:
    files = {
        "data/train-00001-of-00002.parquet": parquet([(b"c", "c.jpg", 1)], ["fake", "real"]),
        "data/train-00000-of-00002.parquet": parquet(
            [(b"a", "deep/a.jpg", 0), (b"b", "C:\\b.jpg", 1)], ["fake", "real"]
        ),
        "data/test-00000-of-00001.parquet": parquet([(b"d", "d.jpg", 0)], ["fake", "real"]),
    }
    assert rows(tmp_path, **files) == [
        ("test/fake/000000-d.jpg", b"d"),
        ("train/fake/000000-a.jpg", b"a"),
        ("train/real/000001-b.jpg", b"b"),
        ("train/real/000002-c.jpg", b"c"),
    ]


@pytest.mark.parametrize(
    ("value", "folder"), [("AI", "AI"), (1, "1"), ("a/../b", "a_.._b"), ("..", "unlabelled")]
)
def test_labels_as_they_are(tmp_path: Path, value: object, folder: str) -> None:
    found = rows(tmp_path, **{"train.parquet": parquet([(b"x", "x.jpg", value)])})
    assert found == [(f"train/{folder}/000000-x.jpg", b"x")]


def test_rows_without_file_name_label_or_picture(tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    content = parquet([(png, None, 0), (b"?", None, None), (None, None, 5)], ["fake", "real"])
    assert rows(tmp_path, **{"default/train/0000.parquet": content}) == [
        ("train/fake/000000-picture.png", png),
        ("train/unlabelled/000001-picture", b"?"),
        ("train/5/000002-picture", b""),
    ]


def test_column_that_says_it_is_a_class_wins(tmp_path: Path) -> None:
    content = parquet([(b"x", "x.jpg", 1)], ["machine", "human"], columns=("picture", "maker"))
    assert rows(tmp_path, **{"train.parquet": content}) == [("train/human/000000-x.jpg", b"x")]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"image": [{"bytes": b"x", "path": "x"}], "size": [1.5]}, "no column of labels"),
        ({"image": ["x.jpg"], "label": [1]}, "no column of pictures {bytes, path}"),
    ],
)
def test_columns_that_are_missing(tmp_path: Path, table: dict[str, Any], expected: str) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table(table), buffer)
    with pytest.raises(RealartError, match=expected) as raised:
        rows(tmp_path, **{"train.parquet": buffer.getvalue()})
    assert f"its columns are {', '.join(table)}" in str(raised.value)


def test_damaged_file(tmp_path: Path) -> None:
    content = parquet([(b"x", "x.jpg", 1)])
    for damaged in (b"no parquet", content[: len(content) // 2]):
        with pytest.raises(RealartError, match=r"'train.parquet' is no readable Parquet file"):
            rows(tmp_path, **{"train.parquet": damaged})


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "big.parquet"
    content = [{"bytes": os.urandom(100_000), "path": "x.jpg"} for _ in range(600)]
    table = pa.table({"image": content, "label": [1] * 600})
    pq.write_table(table, path, row_group_size=600, write_batch_size=8, compression="none")
    del content, table
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        assert sum(len(content) for _, content in pictures({"train.parquet": path})) == 60_000_000
    finally:
        pa.set_memory_pool(usual)
    assert pool.max_memory() < path.stat().st_size / 3
