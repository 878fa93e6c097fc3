"""Cleaning of any archive: kept and rejected files are all of it, and agree with the folder."""

import tempfile
import warnings
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import LABELS, PARAMS, animation, archive, file, picture, plain
from PIL import Image

from realart.core.errors import RealartError
from realart.data import decoding, pictures
from realart.data.cleaning import REASONS, PictureSet, clean, clean_sets
from realart.params import Clean, LabelTable

BASE = picture(1, 128, 100)
FILES = {
    "base.png": file(BASE),
    "base.jpg": file(BASE, "JPEG", quality=70),
    "mirrored.webp": file(BASE[:, ::-1], "WEBP", quality=90),
    "smaller.png": file(Image.fromarray(BASE).resize((96, 75))),
    "other.gif": file(picture(2), "GIF"),
    "another.bmp": file(picture(3), "BMP"),
    "plain.png": file(plain((9, 9, 9))),
    "cut.jpg": file(BASE, "JPEG")[:-400],
    "empty.jpg": b"",
    "page.jpg": b"<html>not found</html>",
    "moving.gif": animation("GIF"),
    "float.tif": file(Image.new("F", (80, 80)), "TIFF"),
    "tiny.png": file(picture(4, 30, 30)),
    "huge.png": file(np.zeros((400, 400, 3), np.uint8)),
}
SURE = [("human/sure.png", file(picture(98))), ("ai/sure.png", file(picture(99)))]
SOME = st.lists(
    st.tuples(st.sampled_from(["ai", "human", "AI/deep", "readme"]), st.sampled_from(list(FILES))),
    unique=True,
    max_size=8,
).map(lambda chosen: [(f"{folder}/{name}", FILES[name]) for folder, name in chosen])
JPEG = PARAMS.clean.model_copy(update={"max_pixels": 399 * 399})
ORIGINAL = JPEG.model_copy(update={"encoding": "original"})

Cleaned = tuple[pd.DataFrame, pd.DataFrame, dict[str, bytes]]


def cleaned(content: list[tuple[str, bytes]], params: Clean = JPEG) -> Cleaned:
    """Clean an archive; return the kept and rejected files, and the contents of the folder."""
    with tempfile.TemporaryDirectory() as name:
        return cleaned_archive(archive(Path(name) / "archive.zip", content), params)


def cleaned_archive(path: Path, params: Clean = JPEG) -> Cleaned:
    folder = path.parent / "pictures"
    folder.mkdir()
    with joblib.parallel_config(backend="sequential"):
        kept, rejected, _ = clean(path, LABELS, None, params, folder)
    return kept, rejected, {file.name: file.read_bytes() for file in folder.iterdir()}


def reasons(content: list[tuple[str, bytes]]) -> dict[str, str]:
    _, rejected, _ = cleaned([*SURE, *content])
    return dict(zip(rejected["path"], rejected["reason"], strict=True))


@settings(max_examples=20)
@given(SOME, st.sampled_from([JPEG, ORIGINAL]))
def test_kept_and_rejected_together_are_the_archive(
    content: list[tuple[str, bytes]], params: Clean
) -> None:
    kept, rejected, stored = cleaned([*SURE, *content], params)
    assert sorted([*kept["path"], *rejected["path"]]) == sorted(n for n, _ in [*SURE, *content])
    assert set(rejected["reason"]) <= set(REASONS)
    assert kept["id"].is_unique
    assert sorted(kept["file"]) == sorted(f"clean/pictures/{name}" for name in stored)
    published = dict([*SURE, *content])
    for row in kept.itertuples():
        assert row.label == ("human" if row.path.startswith("human") else "ai")
        assert row.bytes == len(published[row.path])
        data = stored[Path(row.file).name]
        image, header = decoding.decode(published[row.path], 10**8)
        assert data == pictures.stored(published[row.path], image, params)
        assert (row.format, row.mode, row.width, row.height) == (
            header.format, header.mode, header.width, header.height,
        )  # fmt: skip


@settings(max_examples=20)
@given(SOME)
def test_one_copy_is_kept_or_none_with_contradictory_labels(
    content: list[tuple[str, bytes]],
) -> None:
    kept, rejected, _ = cleaned([*SURE, *content])
    same = ("base.png", "base.jpg", "mirrored.webp", "smaller.png")
    paths = [n for n, _ in content if n.endswith(same) and not n.startswith("readme")]
    labels = {path.split("/")[0].lower() for path in paths}
    assert kept["path"].isin(paths).sum() == (len(labels) == 1)
    found = set(rejected.loc[rejected["path"].isin(paths), "reason"])
    assert found <= ({"contradictory labels"} if len(labels) == 2 else {"duplicate"})
    twins = rejected[rejected["reason"].isin(["duplicate", "contradictory labels"])]
    for row in twins.itertuples():
        assert row.detail in (set(kept["path"]) | set(rejected["path"])) - {row.path}


@settings(max_examples=20)
@given(SOME, st.randoms(use_true_random=False))
def test_the_order_of_an_archive_changes_nothing(
    content: list[tuple[str, bytes]], random: object
) -> None:
    content = [*SURE, *content]
    shuffled = content.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    kept, rejected, stored = cleaned(content)
    again = cleaned(shuffled)
    pd.testing.assert_frame_equal(again[0], kept)
    pd.testing.assert_frame_equal(again[1], rejected)
    assert again[2] == stored


@settings(max_examples=20)
@given(SOME)
def test_ids_stay_when_files_are_added(content: list[tuple[str, bytes]]) -> None:
    before = cleaned(SURE)[0].set_index("path")["id"]
    after = cleaned([*SURE, *content])[0].set_index("path")["id"]
    assert before.equals(after[before.index])


def test_every_reason_occurs() -> None:
    folder = {name: f"human/{name}" for name in FILES}
    found = reasons(
        [
            *((folder[name], data) for name, data in FILES.items()),
            ("ai/other.png", FILES["other.gif"]),
            ("notes.txt", b"hello"),
        ]
    )
    assert found == {
        "notes.txt": "unlabelled",
        folder["empty.jpg"]: "empty",
        folder["page.jpg"]: "not a picture",
        folder["cut.jpg"]: "corrupt",
        folder["float.tif"]: "unsupported",
        folder["moving.gif"]: "animated",
        folder["tiny.png"]: "too small",
        folder["huge.png"]: "too large",
        folder["base.png"]: "duplicate",  # as large as base.jpg, which comes first
        folder["smaller.png"]: "duplicate",
        folder["mirrored.webp"]: "duplicate",
        folder["other.gif"]: "contradictory labels",
        "ai/other.png": "contradictory labels",
    }
    assert set(found.values()) == {*REASONS} - {"encrypted"}  # needs an archive of its own, below


def test_the_best_copy_is_kept() -> None:
    copies = [
        (f"human/{name}.png", file(np.asarray(Image.fromarray(BASE).resize(size))))
        for name, size in (("a", (96, 75)), ("b", (160, 125)), ("c", (128, 100)))
    ]
    assert reasons(copies) == {"human/a.png": "duplicate", "human/c.png": "duplicate"}
    assert reasons([("ai/b.png", FILES["base.png"]), ("ai/a.png", FILES["base.png"])]) == {
        "ai/b.png": "duplicate"
    }


def test_a_copy_of_the_published_test_part_is_kept(tmp_path: Path) -> None:
    content = [("train/human/a.png", FILES["base.png"]), ("test/human/b.jpg", FILES["base.jpg"])]
    path = archive(tmp_path / "archive.zip", [*SURE, *content])
    (tmp_path / "pictures").mkdir()
    fields = "(?:^|/)(?P<part>train|test)/"
    kept, rejected, _ = clean(path, LABELS, fields, JPEG, tmp_path / "pictures")
    assert rejected["path"].tolist() == ["train/human/a.png"]
    assert kept.set_index("path")["published_part"]["test/human/b.jpg"] == "test"


def test_related_pictures_form_a_group_whatever_their_label() -> None:
    changed = (BASE * 0.75 + picture(7, 128, 100) * 0.25).astype(np.uint8)
    content = [*SURE, ("ai/base.png", file(BASE)), ("human/changed.png", file(changed))]
    kept, rejected, _ = cleaned(content)
    assert rejected.empty
    groups = kept.set_index("path")["group"]
    assert groups["ai/base.png"] == groups["human/changed.png"]
    assert groups.nunique() == 3
    assert set(groups) <= set(kept["id"])


def test_labels_come_from_a_table_and_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = b"id,label\n1,1\n2,0\n3,?\n"
    content = [(f"train\\{n}.png", file(picture(n))) for n in (1, 2, 3)]
    path = archive(tmp_path / "archive.zip", [("train.csv", rows), *content])
    table = LabelTable(file="train.csv", path="id", label="label")
    (tmp_path / "pictures").mkdir()
    labels = LABELS.model_copy(update={"table": table})
    kept, rejected, _ = clean(path, labels, None, JPEG, tmp_path / "pictures")
    assert dict(zip(kept["path"], kept["label"], strict=True)) == {
        "train/1.png": "ai",
        "train/2.png": "human",
    }
    assert rejected["path"].tolist() == ["train.csv", "train/3.png"]
    assert capsys.readouterr().out.splitlines() == [
        "labels.table: train.csv, 3 rows, labels 2 files; rows that name no class: 1 ('?')",
        "labels of 4 files, and what names them",
        "       1 ai     train",
        "       1 human  train",
        "       1 none   .",
        "       1 none   train",
    ]
    with pytest.raises(RealartError, match=r"use it with -S .datasets\.mine\.labels\.table="):
        clean(path, LABELS, None, JPEG, tmp_path / "pictures", "mine")


@pytest.mark.parametrize("name", ["human", "ai"])
def test_a_class_without_usable_pictures_is_an_error(name: str) -> None:
    content = [entry for entry in SURE if not entry[0].startswith(name)]
    content += [(f"{name}/{bad}", FILES[bad]) for bad in ("empty.jpg", "cut.jpg")]
    with pytest.raises(RealartError, match=f"no picture of class {name} .*1 corrupt.*1 empty"):
        cleaned(content)


def test_an_archive_without_usable_pictures_is_an_error() -> None:
    with pytest.raises(RealartError, match="no picture of class human is usable"):
        cleaned([("human/x.png", b""), ("ai/x.png", b"")])


def test_two_entries_of_one_name_are_both_counted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept, rejected, stored = cleaned(
            [
                *SURE,
                ("ai/x.png", FILES["base.png"]),
                ("ai/x.png", FILES["other.gif"]),
                ("ai/x.png", b""),
            ]
        )
    assert (len(kept), len(rejected), len(stored)) == (4, 1, 4)
    assert kept["path"].tolist().count("ai/x.png") == 2


def cleaned_sets(folder: Path, **sets: list[tuple[str, bytes]]) -> tuple[pd.DataFrame, ...]:
    """Clean several archives, by the names of their sets, as one."""
    (folder / "pictures").mkdir()
    listed = [
        PictureSet(name, archive(folder / f"{name}.zip", content), LABELS, None)
        for name, content in sets.items()
    ]
    with joblib.parallel_config(backend="sequential"):
        return clean_sets(listed, JPEG, folder / "pictures")


def other(first: int) -> list[tuple[str, bytes]]:
    """Make a picture of each class, of the same names whatever they show."""
    files = [file(picture(seed)) for seed in (first, first + 1)]
    return list(zip(("human/sure.png", "ai/sure.png"), files, strict=True))


def test_copies_are_found_across_sets(tmp_path: Path) -> None:
    kept, rejected, related = cleaned_sets(
        tmp_path,
        a=[*SURE, ("ai/x.png", FILES["base.png"]), ("human/y.gif", FILES["other.gif"])],
        b=[*other(50), ("ai/x.png", FILES["base.jpg"]), ("ai/y.gif", FILES["other.gif"])],
    )
    assert kept[["set", "path"]].to_numpy().tolist() == [
        ["a", "ai/sure.png"], ["a", "ai/x.png"], ["a", "human/sure.png"],
        ["b", "ai/sure.png"], ["b", "human/sure.png"],
    ]  # fmt: skip
    assert rejected.to_numpy().tolist() == [
        ["a", "human/y.gif", "contradictory labels", "ai/y.gif", "b"],
        ["b", "ai/x.png", "duplicate", "ai/x.png", "a"],
        ["b", "ai/y.gif", "contradictory labels", "human/y.gif", "a"],
    ]
    assert kept["group"].is_unique
    assert set(map(tuple, related[["set_a", "set_b"]].to_numpy())) == {("a", "b")}
    files = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert files == {Path(name).name for name in kept["file"]}


def test_related_pictures_of_two_sets_are_one_group(tmp_path: Path) -> None:
    brighter = np.clip(BASE.astype(int) + picture(7, 128, 100) // 5, 0, 255).astype(np.uint8)
    params = JPEG.model_copy(update={"duplicate": 0.999, "similar": 0.8})
    content = {
        "a": [*SURE, ("ai/x.png", file(BASE))],
        "b": [*other(50), ("ai/x.png", file(brighter))],
    }
    (tmp_path / "pictures").mkdir()
    sets = [
        PictureSet(name, archive(tmp_path / f"{name}.zip", files), LABELS, None)
        for name, files in content.items()
    ]
    with joblib.parallel_config(backend="sequential"):
        kept, _, _ = clean_sets(sets, params, tmp_path / "pictures")
    assert kept.loc[kept["path"] == "ai/x.png", "group"].nunique() == 1
    assert len(kept) == 6


@pytest.mark.parametrize("name", ["human", "ai"])
def test_a_set_of_one_class_is_refused(name: str, tmp_path: Path) -> None:
    """Unlabelled, or with nothing usable of a class: to be of the set would name the label."""
    entries = [entry for entry in other(50) if not entry[0].startswith(name)]
    for number, content in enumerate(([*entries], [*entries, (f"{name}/x.png", b"")])):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        with pytest.raises(RealartError, match=f"^b: .*{name}") as raised:
            cleaned_sets(folder, a=SURE, b=content)
        assert "\n" not in str(raised.value)


def test_one_set_is_cleaned_as_it_is_alone(tmp_path: Path) -> None:
    """Beside a set that it has nothing in common with."""
    content = [*SURE, *((f"human/{name}", data) for name, data in FILES.items())]
    kept, rejected, _ = cleaned(content)
    together = cleaned_sets(tmp_path, local=content, other=other(50))
    for alone, table in ((kept, together[0]), (rejected, together[1])):
        own = table[table["set"] == "local"].reset_index(drop=True)
        pd.testing.assert_frame_equal(own, alone)


def damaged(folder: Path, kind: str) -> Path:
    """Write a good archive with one bad entry, `ai/x.png`, last."""
    path = archive(folder / "archive.zip", SURE)
    with ZipFile(path, "a") as opened:
        opened.writestr("ai/x.png", FILES["base.png"], ZIP_DEFLATED if kind == "deflate" else 0)
        entry = opened.getinfo("ai/x.png")
        start = entry.header_offset + 30 + len("ai/x.png")
        if kind == "encrypted":
            entry.flag_bits |= 1
        elif kind == "method":
            entry.compress_type = 97
        elif kind == "size":
            entry.file_size += 1
    data = bytearray(path.read_bytes())
    if kind == "crc":
        data[start + 99] ^= 255
    elif kind == "deflate":
        data[start] = 0x07  # a block type that does not exist
    elif kind == "header":
        data[entry.header_offset] = 0
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("encrypted", "encrypted"),
        ("crc", "corrupt"),
        ("deflate", "corrupt"),
        ("header", "corrupt"),
        ("method", "unsupported"),
        ("size", "corrupt"),
    ],
)
def test_an_entry_that_can_not_be_read_is_rejected(kind: str, reason: str, tmp_path: Path) -> None:
    kept, rejected, _ = cleaned_archive(damaged(tmp_path, kind))
    assert kept["path"].tolist() == ["ai/sure.png", "human/sure.png"]
    assert rejected[["path", "reason"]].to_numpy().tolist() == [["ai/x.png", reason]]
    assert rejected["detail"].str.len().min() > 5


def test_processes_and_one_thread_write_the_same_bytes(tmp_path: Path) -> None:
    content = [*SURE, *((f"human/{name}", data) for name, data in FILES.items())]
    kept, rejected, stored = cleaned(content)
    path = archive(tmp_path / "archive.zip", content)
    folder = tmp_path / "pictures"
    folder.mkdir()
    with joblib.parallel_config("loky"):
        in_processes = clean(path, LABELS, None, JPEG, folder)
    pd.testing.assert_frame_equal(in_processes[0], kept)
    pd.testing.assert_frame_equal(in_processes[1], rejected)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == stored
