"""Rows of Parquet files as pictures in folders."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from realart.core.errors import RealartError
from realart.data.sources.parquet import choose, pictures
from realart.params import ParquetColumns

ANY = ParquetColumns()


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
    return list(taken(folder, files)[1])


def taken(
    folder: Path,
    files: dict[str, bytes],
    columns: ParquetColumns = ANY,
    beside: dict[str, bytes] | None = None,
) -> tuple[str, Iterator[tuple[str, bytes]]]:
    """Return what is said of the columns that are chosen, and the pictures of the rows."""
    paths = {}
    for number, (name, content) in enumerate({**files, **(beside or {})}.items()):
        paths[name] = folder / str(number)
        paths[name].write_bytes(content)
    tables = {name: paths[name] for name in files}
    chosen = choose(tables, columns, "datasets.x.columns")
    return "; ".join(map(str, chosen.values())), pictures(tables, chosen, paths)


def written(table: dict[str, Any] | pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), buffer)
    return buffer.getvalue()


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
        ({"image": [b"no picture"], "label": [1]}, "no column of pictures"),
        ({"picture": ["x"], "label": [1]}, "no column of pictures"),
    ],
)
def test_columns_that_are_missing(tmp_path: Path, table: dict[str, Any], expected: str) -> None:
    with pytest.raises(RealartError, match=expected) as raised:
        rows(tmp_path, **{"train.parquet": written(table)})
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
        files = {"train.parquet": path}
        chosen = choose(files, ANY, "")
        assert sum(len(content) for _, content in pictures(files, chosen, {})) == 60_000_000
    finally:
        pa.set_memory_pool(usual)
    assert pool.max_memory() < path.stat().st_size / 3


PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
IMAGE = [{"bytes": PNG, "path": "a.png"}, {"bytes": JPEG, "path": "b.jpg"}]


def folders(folder: Path, table: dict[str, Any] | pa.Table, columns: ParquetColumns = ANY) -> Any:
    """Return the folder of each row of a table."""
    _, found = taken(folder, {"train.parquet": written(table)}, columns)
    return [path.split("/")[1] for path, _ in found]


@pytest.mark.parametrize(
    "values",
    [
        [True, False],
        [1, 0],
        [1.0, 0.0],
        ["1", "0"],
        ["yes", "no"],
        pa.array([1, 0], pa.uint8()),
        pa.array(["true", "false"]).dictionary_encode(),
        pa.array([1, 0]).dictionary_encode(),
        pa.array(["1", "0"], pa.large_string()),
        pa.array(["1", "0"], pa.string_view()),
        pa.array([1.0, 0.0], pa.float16()),
    ],
)
@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("is_ai", ["ai", "human"]),
        ("generated", ["ai", "human"]),
        ("isFake", ["ai", "human"]),
        ("ai_generated", ["ai", "human"]),
        ("label_ai", ["ai", "human"]),
        ("AI", ["ai", "human"]),
        ("not_real", ["ai", "human"]),
        ("real", ["human", "ai"]),
        ("is_human", ["human", "ai"]),
        ("human_generated", ["human", "ai"]),
    ],
)
def test_digits_of_a_column_that_says_which_is_1(
    tmp_path: Path, name: str, values: Any, classes: list[str]
) -> None:
    table = {"image": IMAGE, "label": ["cubism", "realism"], name: values}
    assert folders(tmp_path, table) == classes


def test_a_label_of_the_class_wins_over_that_of_a_style(
    tmp_path: Path,
) -> None:
    style = {"_type": "ClassLabel", "names": ["baroque", "realism"]}
    maker = {"_type": "ClassLabel", "names": ["human", "AI-generated"]}
    metadata = json.dumps({"info": {"features": {"label": style, "origin": maker}}})
    table = pa.table({"image": IMAGE, "label": [0, 1], "origin": [1, 0]})
    table = table.replace_schema_metadata({"huggingface": metadata})
    assert folders(tmp_path, table) == ["AI-generated", "human"]


@pytest.mark.parametrize("value", [None, -1, float("nan")])
def test_an_unknown_class_is_unlabelled(tmp_path: Path, value: Any) -> None:
    values = pa.array([value, 1], pa.float64())
    assert folders(tmp_path, {"image": IMAGE, "is_ai": values}) == ["unlabelled", "ai"]


def test_columns_that_say_the_same_need_no_choice(tmp_path: Path) -> None:
    table = {"image": IMAGE, "is_ai": [1, 0], "label": ["fake", "real"]}
    assert folders(tmp_path, table) == ["fake", "real"]


@pytest.mark.parametrize(
    "labels",
    [
        {"is_ai": [1, 0], "is_real": [1, 0]},
        {"Label_A": [0, 1], "Label_B": [3, 5]},
        {"label": ["cubism", "realism"], "category": ["oil", "print"]},
    ],
)
def test_labels_of_which_several_can_be_meant_are_asked_for(
    tmp_path: Path, labels: dict[str, Any]
) -> None:
    table = {"image": IMAGE, **labels}
    with pytest.raises(RealartError, match="several columns that may hold labels") as raised:
        folders(tmp_path, table)
    assert all(name in str(raised.value) for name in labels)
    assert "-S ++datasets.x.columns.label=" in str(raised.value)
    name, values = next(iter(labels.items()))
    found = folders(tmp_path, table, ParquetColumns(label=name))
    assert found == (["ai", "human"] if name == "is_ai" else [str(value) for value in values])


def test_pictures_of_which_several_can_be_meant_are_asked_for(tmp_path: Path) -> None:
    table = {"image": IMAGE, "mask": [{"bytes": PNG + b"mask", "path": None}] * 2, "is_ai": [1, 0]}
    with pytest.raises(
        RealartError, match=r"may hold pictures: image, mask; choose with -S \+\+data"
    ):
        folders(tmp_path, table)
    _, found = taken(tmp_path, {"a.parquet": written(table)}, ParquetColumns(image="mask"))
    assert {content for _, content in found} == {PNG + b"mask"}


@pytest.mark.parametrize(
    "columns", [ParquetColumns(image="nothing"), ParquetColumns(label="nothing")]
)
def test_a_chosen_column_that_is_not_there(tmp_path: Path, columns: ParquetColumns) -> None:
    with pytest.raises(RealartError, match="no column 'nothing' that could hold") as raised:
        folders(tmp_path, {"image": IMAGE, "is_ai": [1, 0]}, columns)
    assert "its columns are image, is_ai" in str(raised.value)


@pytest.mark.parametrize(
    "kind",
    [pa.binary(), pa.large_binary(), pa.binary_view(), pa.dictionary(pa.int32(), pa.binary())],
)
def test_plain_bytes_among_bytes_that_are_no_pictures(tmp_path: Path, kind: pa.DataType) -> None:
    plain = pa.array([PNG, JPEG], pa.binary())
    images = plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)
    sound = [{"bytes": b"RI__", "path": "a.wav"}] * 2
    table = pa.table({"embedding": [b"1", b"2"], "jpg": images, "sound": sound, "fake": [1, 0]})
    _, found = taken(tmp_path, {"train.parquet": written(table)})
    assert list(found) == [
        ("train/ai/000000-picture.png", PNG),
        ("train/human/000001-picture.jpg", JPEG),
    ]


@pytest.mark.parametrize("list_type", [pa.list_, pa.large_list, lambda kind: pa.list_(kind, 2)])
def test_lists_of_pictures(tmp_path: Path, list_type: Any) -> None:
    item = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    images = pa.array([IMAGE, IMAGE[::-1]], list_type(item))
    _, found = taken(tmp_path, {"train.parquet": written({"images": images, "fake": [1, 0]})})
    assert list(found) == [
        ("train/ai/000000-0-a.png", PNG),
        ("train/ai/000000-1-b.jpg", JPEG),
        ("train/human/000001-0-b.jpg", JPEG),
        ("train/human/000001-1-a.png", PNG),
    ]


def test_structs_in_structs(tmp_path: Path) -> None:
    table = {
        "sample": [{"art": {"image": image}, "is_ai": i == 0} for i, image in enumerate(IMAGE)]
    }
    words, found = taken(tmp_path, {"train.parquet": written(table)})
    assert [path for path, _ in found] == ["train/ai/000000-a.png", "train/human/000001-b.jpg"]
    assert "pictures from 'sample.art.image', labels from 'sample.is_ai'" in words


@pytest.mark.parametrize(
    "images",
    [
        ["a.png", "../b.jpg"],
        [{"bytes": None, "path": "data/a.png"}, {"bytes": None, "path": "b.jpg"}],
        [{"path": "a.png"}, {"path": "..\\b.jpg"}],
    ],
)
def test_paths_of_files_beside(tmp_path: Path, images: list[Any]) -> None:
    beside = {"data/a.png": PNG, "b.jpg": JPEG}
    table = written({"file_name": images, "text": ["x", "y"], "real": [0, 1]})
    _, found = taken(tmp_path, {"data/metadata.parquet": table}, beside=beside)
    assert list(found) == [
        ("metadata/ai/000000-a.png", PNG),
        ("metadata/human/000001-b.jpg", JPEG),
    ]


def test_paths_of_nothing(tmp_path: Path) -> None:
    table = written({"image": ["/home/me/a.png"], "is_ai": [1]})
    with pytest.raises(RealartError, match=r"'/home/me/a\.png' is no file of the repository"):
        list(taken(tmp_path, {"a.parquet": table})[1])


def test_what_is_taken_is_said(tmp_path: Path) -> None:
    table = {"image": IMAGE, "prompt": ["a", "b"], "is_ai": [True, False], "width": [1, 2]}
    words, _ = taken(tmp_path, {"train.parquet": written(table)})
    assert words == (
        "pictures from 'image', labels from 'is_ai' (False is human, True is ai); "
        "other columns: prompt, width"
    )


def test_a_picture_of_a_format_without_a_signature_at_its_start(tmp_path: Path) -> None:
    avif = b"\0\0\0\x20ftypavif"
    _, found = taken(tmp_path, {"train.parquet": written({"x": [avif], "is_ai": [1]})})
    assert list(found) == [("train/ai/000000-picture", avif)]
