"""Tables in text files (CSV, TSV, JSON lines), as other tools write them: all values are text."""

import io
import json

import pandas as pd

from realart.core.errors import RealartError

JSON_LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", *JSON_LINES)
"""Suffixes of tables."""


def parse(data: bytes, name: str) -> pd.DataFrame:
    """Parse a table in UTF-8 or UTF-16, whose separator is `,`, `;`, `|` or a tab.

    Parameters
    ----------
    data
        Content of the file.
    name
        Of the file, by whose suffix JSON lines are recognised; errors contain it.

    Returns
    -------
    DataFrame
        Columns of `str`; what is missing is empty.

    Raises
    ------
    RealartError
        It is no table.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = data.decode(encoding, "replace")
    is_json = name.lower().endswith(JSON_LINES)
    try:
        frame = _parse_json_lines(text) if is_json else _parse_csv(text)
    except (ValueError, AttributeError) as error:
        raise RealartError(f"the table {name} cannot be read: {error}") from error
    return frame.rename(columns=lambda column: str(column).strip())


def _parse_json_lines(text: str) -> pd.DataFrame:
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    frame = pd.DataFrame(rows, dtype=object)
    return frame.map(lambda value: "" if value is None or value != value else str(value))


def _parse_csv(text: str) -> pd.DataFrame:
    header = text.split("\n", 1)[0]
    separator = max(",;\t|", key=header.count)
    return pd.read_csv(
        io.StringIO(text),
        sep=separator,
        dtype=str,
        keep_default_na=False,
        index_col=False,
        skipinitialspace=True,
    ).fillna("")  # rows may be too short
