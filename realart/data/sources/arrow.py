"""What lies in a Parquet file: its columns, and the values and pictures of its rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realart.core.errors import RealartError
from realart.data.sources.column_detection import Column

BATCH = 32


@dataclass(frozen=True)
class Field:
    """A column, and what its type allows it to hold."""

    column: Column
    files: bool
    texts: bool
    plain: bool


def fields(path: Path, name: str) -> tuple[Field, ...]:
    """Return every column of the Parquet file `name` at `path`, those in structs by a dotted name.

    ClassLabel and Image are known by the metadata that the library `datasets` writes.

    Raises
    ------
    RealartError
        The file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(name, error) from error
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError):
        features = {}
    return tuple(found for field in schema for found in _leaves(field, "", features))


def values(path: Path, name: str, wanted: Sequence[Column]) -> Iterator[list[Any]]:
    """Yield what each row of the Parquet file `name` at `path` holds in these columns.

    Raises
    ------
    RealartError
        The file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [column.name for column in wanted]
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            for batch in file.iter_batches(BATCH, columns=names, use_threads=False):
                for row in batch.to_pylist():
                    yield [_value(row, name) for name in names]
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(name, error) from error


def files_in(value: Any) -> list[tuple[bytes, str]]:
    """Return the bytes and the path of each picture in a value: one, a list of them, or none."""
    if isinstance(value, list):
        return [file for item in value for file in files_in(item)]
    if isinstance(value, dict):
        return [(value.get("bytes") or b"", str(value.get("path") or ""))]
    if isinstance(value, bytes):
        return [(value, "")]
    return [(b"", value)] if isinstance(value, str) else []


def _leaves(field: Any, above: str, features: Any) -> Iterator[Field]:
    from pyarrow import types

    feature = features.get(field.name) if isinstance(features, dict) else None
    name, kind = above + field.name, _value_type(field.type)
    if types.is_struct(kind) and not _holds_files(kind):
        for number in range(kind.num_fields):
            yield from _leaves(kind.field(number), f"{name}.", feature)
        return
    feature = feature if isinstance(feature, dict) else {}
    names = feature.get("names") if feature.get("_type") == "ClassLabel" else None
    item = _item_type(kind)
    image = '"_type": "Image"' in json.dumps(feature) if feature else types.is_struct(item)
    texts = types.is_string(item) or types.is_large_string(item) or types.is_string_view(item)
    checks = (types.is_integer, types.is_floating, types.is_boolean)
    yield Field(
        Column(name, tuple(map(str, names or ())), image),
        files=_holds_files(kind),
        texts=texts,
        plain=any(check(kind) for check in checks) or (texts and item == kind),
    )


def _value_type(kind: Any) -> Any:
    """Return what a dictionary, or a type of an extension, stands for."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return _value_type(kind.storage_type)
    return _value_type(kind.value_type) if pa.types.is_dictionary(kind) else kind


def _item_type(kind: Any) -> Any:
    """Return the type of what a list holds, or a list of lists; other types are their own."""
    from pyarrow import types

    checks = (
        types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view,
        types.is_large_list_view,
    )  # fmt: skip
    kind = _value_type(kind)
    return _item_type(kind.value_type) if any(check(kind) for check in checks) else kind


def _holds_files(kind: Any) -> bool:
    """Return whether values are bytes or `{bytes, ...}`, or lists of these."""
    from pyarrow import types

    kind = _item_type(kind)
    if types.is_struct(kind):
        at = kind.get_field_index("bytes")
        return at >= 0 and (_is_binary(kind.field(at).type) or types.is_null(kind.field(at).type))
    return _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    from pyarrow import types

    kind = _value_type(kind)
    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)


def _unreadable(name: str, error: Exception) -> RealartError:
    return RealartError(f"'{name}' is no readable Parquet file: {error}")


def _value(row: Mapping[str, Any], name: str) -> Any:
    if name in row:
        return row[name]
    group, _, rest = name.partition(".")
    return _value(row.get(group) or {}, rest) if rest else None
