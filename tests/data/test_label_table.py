"""Labels from a table in the archive: all forms of tables, and unusable rows."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from hypothesis import given
from hypothesis import strategies as st
from making import PARAMS, archive

from realart.core.errors import RealartError
from realart.data import archive as archives
from realart.data import label_table
from realart.params import LabelNames, LabelTable, load_params

ROOT = Path(__file__).parents[2]
USUAL = PARAMS.datasets["local"].labels
PARTS = ("train", "test")
Files = dict[str, str]


def read(
    folder: Path, files: Files, file: str = "train.csv", path: str = "id", label: str = "label",
    labels: LabelNames = USUAL,
) -> tuple[dict[str, str], str]:  # fmt: skip
    """Read the labels in an archive of `files`."""
    zipped = archive(folder / "a.zip", ((name, text.encode()) for name, text in files.items()))
    table = LabelTable(file=file, path=path, label=label)
    return label_table.read(zipped, archives.files(zipped, ""), labels, table)


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ("train.csv", "train/7.jpg"),  # in a folder called like the table
        ("train.csv", "7.jpg"),
        ("set/train.csv", "set/7.jpg"),
        ("set/train.csv", "set/train_images/7.png"),
        ("train.csv", "deep/er/7.webp"),
    ],
)
@pytest.mark.parametrize(
    "value", ["7", "{name}", "{last}", '"{name}"', "./{name}", "'{backslashes}'"]
)
def test_a_path_is_found_from_any_base_without_extension(
    table: str, place: str, value: str, tmp_path: Path
) -> None:
    value = value.format(name=place, last=Path(place).name, backslashes=place.replace("/", "\\"))
    files = {table: f"id,label\n{value},1\n", place: "x", "notes/7.txt": "a caption"}
    labels, report = read(tmp_path, files, table)
    assert labels == {place: "ai"}
    assert report == f"{table}, 1 rows, labels 1 files"


def test_the_file_near_the_table_is_preferred(tmp_path: Path) -> None:
    files = {"train.csv": "id,label\n1,0\n", "train/1.jpg": "", "test/1.jpg": ""}
    assert read(tmp_path, files)[0] == {"train/1.jpg": "human"}
    files = {"train.csv": "id,label\n1,0\n", "a/1.jpg": "", "b/1.jpg": ""}
    assert read(tmp_path, files)[0] == {}
    assert read(tmp_path, files)[1].endswith("; rows that name several files: 1 ('1')")


@pytest.mark.parametrize(
    ("value", "column", "label"),
    [
        ("1", "label", "ai"), ("0", "label", "human"), ("1.0", "label", "ai"), ("True", "y", "ai"),
        ("false", "y", "human"), ("1", "is_ai", "ai"), ("0", "fake", "human"),
        ("1", "real", "human"),
        ("0", "isHuman", "ai"), ("FAKE", "real", "ai"), ("Real", "label", "human"),
        ("AI-generated", "label", "ai"), ("human", "label", "human"), ("'ai'", "label", "ai"),
        ("Midjourney", "model", "ai"), ("ai vs human", "label", None), ("2", "label", None),
        ("", "label", None), ("unknown", "label", None),
    ],
)  # fmt: skip
def test_values_have_their_labels(
    value: str, column: str, label: str | None, tmp_path: Path
) -> None:
    files = {"train.csv": f"id,{column}\nx,{value}\n", "x.jpg": ""}
    labels, report = read(tmp_path, files, label=column)
    assert labels == ({"x.jpg": label} if label else {})
    stripped = value.strip()
    assert label or report.endswith(f"; rows that name no class: 1 ('{stripped}')")


def test_names_in_labels_come_before_numbers(tmp_path: Path) -> None:
    turned = LabelNames(ai=["0"], human=["1"])
    files = {"train.csv": "id,label\nx,0\ny,1.0\n", "x.jpg": "", "y.jpg": ""}
    assert read(tmp_path, files, labels=turned)[0] == {"x.jpg": "ai", "y.jpg": "human"}


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffid,label\r\n001,1\r\nb c,0\r\n",
        "id;label\n001;1\nb c;0\n",
        "id\tlabel\n001\t1\nb c\t0\n",
        ' id , label \n"001", "1"\n"b c", "0"\n',
        ",id,label\n0,001,1\n1,b c,0\n",
    ],
)
def test_tables_of_any_dialect(content: str, tmp_path: Path) -> None:
    files = {"train.csv": content, "001.jpg": "", "b c.jpg": "", "1.jpg": ""}
    assert read(tmp_path, files)[0] == {"001.jpg": "ai", "b c.jpg": "human"}


@pytest.mark.parametrize(("fake", "real"), [(1, 0), ("fake", "real"), (True, False), (1.0, 0.0)])
def test_one_pattern_names_the_tables_of_all_parts(fake: Any, real: Any, tmp_path: Path) -> None:
    files = {
        f"{part}/metadata.jsonl": "".join(
            json.dumps({"file_name": f"{name}.jpg", "label": value, "text": None}) + "\n"
            for name, value in (("a", fake), ("b", real))
        )
        for part in PARTS
    } | {f"{part}/{name}.jpg": "" for part in PARTS for name in "ab"}
    labels, report = read(tmp_path, files, "*/metadata.jsonl", "file_name")
    assert labels == {
        f"{part}/{name}.jpg": label
        for part in PARTS
        for name, label in (("a", "ai"), ("b", "human"))
    }
    assert report == "*/metadata.jsonl, 4 rows, labels 4 files"


def test_unusable_rows_are_counted_and_named(tmp_path: Path) -> None:
    rows = "a,1\nb,0\nc,1\nc,0\nd,unknown\ne,unknown\ngone,1\nb,0\n"
    files = {"train.csv": "id,label\n" + rows} | {f"{name}.jpg": "" for name in "abcde"}
    assert read(tmp_path, files) == (
        {"a.jpg": "ai", "b.jpg": "human"},
        "train.csv, 8 rows, labels 2 files; rows that name no class: 2 ('unknown'); "
        "rows that name no file: 1 ('gone'); files with both labels: 1 ('c.jpg')",
    )


@given(st.dictionaries(st.text("abAB01é", min_size=1), st.booleans(), min_size=1))
def test_every_row_labels_its_own_file(
    tmp_path_factory: pytest.TempPathFactory, truth: dict[str, bool]
) -> None:
    files = {f"pictures/{name}.jpg": "" for name in truth}
    rows = "".join(f"{name},{value}\n" for name, value in truth.items())
    labels, _ = read(tmp_path_factory.mktemp("t"), files | {"train.csv": "id,label\n" + rows})
    assert labels == {f"pictures/{name}.jpg": "ai" if of else "human" for name, of in truth.items()}


@pytest.mark.parametrize(
    ("file", "column", "content", "message"),
    [
        ("labels.csv", "id", "id,label\n", "is not in the archive, whose tables are: train.csv"),
        ("train.csv", "name", "id,label\n", "the column 'name', and train.csv has: id, label"),
        ("train.csv", "id", "", "the table train.csv cannot be read: "),
        ("train.csv", "id", 'id,label\n"x,1\n', "the table train.csv cannot be read: "),
    ],
)  # fmt: skip
def test_an_unusable_table_is_one_line(
    file: str, column: str, content: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(RealartError) as caught:
        read(tmp_path, {"train.csv": content, "x.jpg": ""}, file, column)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("files", "table"),
    [
        (
            {"train.csv": ",file_name,width,label\n0,t/a.jpg,1,1\n1,t/b.jpg,0,0\n"}
            | {"t/a.jpg": "", "t/b.jpg": ""},
            {"file": "train.csv", "path": "file_name", "label": "label"},
        ),
        (
            {f"{p}/metadata.csv": 'file_name,"Is it AI?"\na.jpg,1\nb.jpg,0\n' for p in PARTS}
            | {f"{p}/{n}.jpg": "" for p in PARTS for n in "ab"},
            {"file": "*/metadata.csv", "path": "file_name", "label": "Is it AI?"},
        ),
        (
            {"it's/train.csv": "id,it's\na,x\nb,fake\nc,real\n"}
            | {f"{name}.jpg": "" for name in "abc"},
            {"file": "it's/train.csv", "path": "id", "label": "it's"},
        ),
    ],
)  # fmt: skip
def test_an_unused_table_is_suggested_as_an_assignment(
    files: Files, table: dict[str, str], tmp_path: Path
) -> None:
    zipped = archive(tmp_path / "a.zip", ((name, text.encode()) for name, text in files.items()))
    message = label_table.suggest_labels(
        zipped, archives.files(zipped, ""), USUAL, "datasets.local"
    )
    assignment = shlex.split(message[message.index("-S ") :])[1]
    file = tmp_path / "params.yaml"
    file.write_text((ROOT / "params.yaml").read_text())
    apply_overrides(file, [assignment])
    assert load_params(file).datasets["local"].labels.table == LabelTable(**table)
    apply_overrides(file, ["datasets.local.labels.table=null"])
    assert load_params(file).datasets["local"].labels.table is None


def test_no_table_is_suggested_without_labels(tmp_path: Path) -> None:
    files = {"a.csv": "id,label\nx,1\ny,1\n", "b.csv": "", "c.csv": "k,v\nnone,0\nno,1\n"}
    files["d.csv"] = "number,file,kind\n0,x,p\n1,y,q\n2,z,r\n3,w,s\n4,v,t\n"
    files |= {"x.jpg": "", "y.jpg": ""}
    zipped = archive(tmp_path / "a.zip", ((name, text.encode()) for name, text in files.items()))
    message = label_table.suggest_labels(zipped, archives.files(zipped, ""), USUAL, "datasets.mine")
    assert message.startswith(
        "set datasets.mine.labels to the names of a folder for each class, or"
    )
