"""Pictures in Parquet files, as Hugging Face stores them: a row is a picture and its label."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from realart.errors import RealartError

BATCH = 32
LABELS = ("label", "labels", "class", "category", "target")
SIGNATURES = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG": ".png",
    b"RIFF": ".webp",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
}


def pictures(files: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Yield `<split>/<label>/<row>-<file name>` and the published bytes of every row.

    Parameters
    ----------
    files : Mapping[str, Path]
        Where the Parquet file of each path in the repository lies. Rows are numbered through all
        files of a split, in the order of their paths.

    Raises
    ------
    RealartError
        A file is damaged or has no column of pictures or of labels.
    """
    rows: Counter[str] = Counter()
    for name in sorted(files):
        split = _split(name)
        for label, file_name, content in _rows(files[name], name):
            yield f"{split}/{label}/{rows[split]:06d}-{file_name}", content
            rows[split] += 1


def _rows(path: Path, name: str) -> Iterator[tuple[str, str, bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            image, label, names = _columns(file.schema_arrow, name)
            for batch in file.iter_batches(BATCH, columns=[image, label], use_threads=False):
                for row in batch.to_pylist():
                    yield _label(row[label], names), *_picture(row[image])
    except (pa.ArrowException, OSError) as error:
        raise RealartError(f"'{name}' is no readable Parquet file: {error}") from error


def _columns(schema: Any, name: str) -> tuple[str, str, list[str]]:
    """Return the column of pictures, that of labels, and the names of its values (if it says)."""
    import pyarrow as pa

    images = [
        field.name
        for field in schema
        if pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0
    ]
    classes = _class_names(schema)
    plain = [
        field.name
        for field in schema
        if pa.types.is_integer(field.type)
        or pa.types.is_string(field.type)
        or pa.types.is_large_string(field.type)
        or pa.types.is_boolean(field.type)
    ]
    named = sorted(
        (column for column in [*classes, *plain] if column.lower() in LABELS),
        key=lambda column: LABELS.index(column.lower()),
    )
    labels = [*named, *classes, *(c for c in plain if c.lower().startswith("label"))]
    if not images or not labels:
        raise RealartError(
            f"'{name}' has no column of {'labels' if images else 'pictures {bytes, path}'}; its "
            f"columns are {', '.join(schema.names)}; download it yourself, put the pictures into a "
            "folder a label, and use the source 'path'"
        )
    return images[0], labels[0], classes.get(labels[0], [])


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Return the value names of each ClassLabel column, which `datasets` writes as metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: [str(value) for value in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _label(value: object, names: list[str]) -> str:
    if isinstance(value, int) and 0 <= value < len(names):
        value = names[value]
    text = "unlabelled" if value is None else str(value)
    return re.sub(r"[\\/]", "_", text).strip(". ") or "unlabelled"


def _picture(image: dict[str, Any] | None) -> tuple[str, bytes]:
    """Return file name and bytes; a row without a picture becomes an empty file."""
    content = (image or {}).get("bytes") or b""
    path = str((image or {}).get("path") or "").replace("\\", "/")
    name = PurePosixPath(path).name
    if not name:
        suffixes = (suffix for start, suffix in SIGNATURES.items() if content.startswith(start))
        name = "picture" + next(suffixes, "")
    return name, content


def _split(name: str) -> str:
    """Return `train` for `data/train-00000-of-00002.parquet`, and for `train/0000.parquet`."""
    path = PurePosixPath(name)
    stem = re.sub(r"-\d+-of-\d+.*$", "", path.stem)
    return path.parent.name if stem.isdigit() and path.parent.name else stem
