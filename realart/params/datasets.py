"""The params of a dataset: where its pictures come from, and how paths name their labels."""

import re
from typing import Annotated

from pydantic import AfterValidator, field_validator

from realart.params.groups import Strict

CLASSES = ("human", "ai")
"""The classes by their numbers; `ai`, 1, is the positive one."""


def _check_name(name: str) -> str:
    if "/" in name:
        raise ValueError("is a path: give the name of one folder")
    if not any(character.isalnum() or character in "*?[" for character in name):
        raise ValueError("has no letter or digit to match")
    return name


Name = Annotated[str, AfterValidator(_check_name)]
"""The name of a class in paths: a word or a pattern, matched against the name of a folder."""


def _check_set_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w -]*", name):
        raise ValueError("is no valid name of a dataset: use letters, digits, spaces, - and _")
    return name


SetName = Annotated[str, AfterValidator(_check_set_name)]
"""The name of an entry of `datasets`, which names a folder, too; `dataset` joins several by +."""


class WeakNames(Strict):
    """Names that may also be a style or a generator: other names in a path take precedence."""

    ai: list[Name] = []
    human: list[Name] = []


class LabelTable(Strict):
    """A table of labels inside the archive.

    Attributes
    ----------
    file
        Its path, or a pattern such as `*/metadata.csv`: CSV, TSV or JSON Lines.
    path, label
        The names of its columns of paths and of labels.
    """

    file: str
    path: str
    label: str


class LabelNames(Strict):
    """The names of each class in the paths of a dataset, case-insensitive.

    A plain name matches whole words in the name of a folder, however they are joined: `ai art`
    matches `AiArt_2`, and `real` does not match `realism`. A pattern with `*`, `?` or `[` matches a
    folder's whole name. Matches of a whole name take precedence over matches of words in it.

    Attributes
    ----------
    ai, human
        Names of the class.
    weak
        Names that yield to others.
    table
        Labels in a file, which then replace those in paths.
    """

    ai: list[Name]
    human: list[Name]
    weak: WeakNames = WeakNames()
    table: LabelTable | None = None


class ParquetColumns(Strict):
    """The columns of Parquet files, dotted inside structs; null lets `download` choose them."""

    image: str | None = None
    label: str | None = None


class Dataset(Strict):
    """A dataset of labelled pictures: where it comes from, and how its paths are read.

    Attributes
    ----------
    source
        The name of a module of `realart.data.sources`.
    path
        In the form of the source: `owner/slug/version` at Kaggle, `owner/name@revision` at Hugging
        Face, a folder or zip on this machine, null for the sample.
    sha256
        Of the downloaded file, checked if given.
    licence
        Of the pictures, for reports.
    labels
        The names of each class.
    fields
        A regular expression that is searched in each path; its named groups `part` (train or test),
        `generator` and `style` become columns.
    columns
        Of Parquet files.
    """

    source: str
    path: str | None = None
    sha256: str | None = None
    licence: str
    labels: LabelNames
    fields: str | None = None
    columns: ParquetColumns = ParquetColumns()

    @field_validator("fields")
    @classmethod
    def _fields_compile(cls, pattern: str | None) -> str | None:
        try:
            groups = set(re.compile(pattern or "").groupindex)
        except re.error as error:
            raise ValueError(f"is no valid regular expression: {error}") from error
        if unknown := groups - {"part", "generator", "style"}:
            raise ValueError(f"has unknown groups {sorted(unknown)}; known: part, generator, style")
        return pattern


READ = {"labels", "fields"}
"""The params of a dataset by which its paths are read; all others describe its origin."""
