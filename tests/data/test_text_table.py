"""Tables of other tools are read as text, whatever their encoding and separator."""

import pytest

from realart.core.errors import RealartError
from realart.data import text_table

ROWS = [["ai/ä.jpg", "0.50"], ["b", ""]]


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("path,score\nai/ä.jpg,0.50\nb,\n", "utf-8", "s.csv"),
        ('"path" ; "score"\r\n"ai/ä.jpg"; 0.50\r\nb;\r\n', "utf-8-sig", "s.csv"),
        ("path\tscore\nai/ä.jpg\t0.50\nb\t\n", "utf-16", "s.tsv"),
        ("path,score\nai/ä.jpg,0.50\nb\n", "utf-8", "s.csv"),
        ('{"path": "ai/ä.jpg", "score": "0.50"}\n\n{"path": "b", "score": null}\n', "utf-8",
         "s.JSONL"),
    ],
    ids=["plain", "spreadsheet", "tabs in UTF-16", "a short row", "JSON lines"],
)  # fmt: skip
def test_a_table_is_text(text: str, encoding: str, name: str) -> None:
    table = text_table.parse(text.encode(encoding), name)
    assert list(table.columns) == ["path", "score"]
    assert table.to_numpy().tolist() == ROWS


@pytest.mark.parametrize(
    ("data", "name"), [(b"", "s.csv"), (b'a,b\n1,"2', "s.csv"), (b"no json", "s.jsonl")]
)
def test_what_is_no_table_is_named(data: bytes, name: str) -> None:
    with pytest.raises(RealartError, match=f"the table {name} cannot be read"):
        text_table.parse(data, name)
