"""Pictures in Parquet files, as Hugging Face stores them: a row is a picture and its label.

A column of pictures holds bytes, `{bytes, path}`, paths of files beside the Parquet file, or lists
of these; it and the labels may lie in structs. https://huggingface.co/docs/datasets/image_load
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from realart.core.errors import RealartError
from realart.data.sources import arrow
from realart.data.sources.column_choice import ELSE, choose, suffix
from realart.data.sources.column_detection import Choice

__all__ = ["choose", "named", "pictures"]


def pictures(
    files: Mapping[str, Path], chosen: Mapping[str, Choice], beside: Mapping[str, Path]
) -> Iterator[tuple[str, bytes]]:
    """Yield `<split>/<label>/<row>-<file name>` and the published bytes of every row.

    Rows are numbered through all files of a split, in the order of their paths. Of several
    pictures in a row each is yielded, as `<row>-<number>-<file name>`. What a row names by a path
    is one of the files `beside`, by their paths in the repository.

    Raises
    ------
    RealartError
        A file is damaged, or names a picture that isn't there.
    """
    rows: Counter[str] = Counter()
    for name in sorted(files):
        split, choice = _split(name), chosen[name]
        for image, label in arrow.values(files[name], name, [choice.image, choice.label]):
            found = arrow.files_in(image) or [(b"", "")]
            for number, (content, path) in enumerate(found):
                if choice.image.paths and path:
                    content = _beside(path, name, beside).read_bytes()
                row = f"{rows[split]:06d}-{number}" if len(found) > 1 else f"{rows[split]:06d}"
                place = f"{split}/{choice.folder(label)}/{row}-{_file_name(content, path)}"
                yield place, content
            rows[split] += 1


def named(
    files: Mapping[str, Path], chosen: Mapping[str, Choice], beside: Mapping[str, Path]
) -> set[Path]:
    """Return those of the files `beside` that rows name by a path.

    Raises
    ------
    RealartError
        As `pictures`.
    """
    return {
        _beside(path, name, beside)
        for name, choice in chosen.items()
        if choice.image.paths
        for (image,) in arrow.values(files[name], name, [choice.image])
        for _, path in arrow.files_in(image)
        if path
    }


def _beside(path: str, name: str, beside: Mapping[str, Path]) -> Path:
    path = path.replace("\\", "/")
    for place in (posixpath.join(posixpath.dirname(name), path), path):
        if (place := posixpath.normpath(place).lstrip("/")) in beside:
            return beside[place]
    raise RealartError(
        f"'{name}' holds no pictures but paths of them, and '{path}' is no file of the repository: "
        f"choose another column by columns.image, {ELSE}"
    )


def _file_name(content: bytes, path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name or "picture" + suffix(content)


def _split(name: str) -> str:
    """Return `train` for `data/train-00000-of-00002.parquet`, and for `train/0000.parquet`."""
    path = PurePosixPath(name)
    stem = re.sub(r"-\d+-of-\d+.*$", "", path.stem)
    return path.parent.name if stem.isdigit() and path.parent.name else stem
