"""Measurements of a picture file for an audit: its header, its size and its pixel statistics.

Processes that measure start in half the time without pandas: only `stack` imports it.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zipfile import ZipInfo

import numpy as np

from realart.data import decoding, ingestion
from realart.data.fingerprints import Fingerprint
from realart.data.formats import UnusableFileError
from realart.data.headers import Header
from realart.data.ingestion import IngestedFile
from realart.features import pixel_statistics
from realart.features.pixel_statistics import Vector
from realart.params import Clean

if TYPE_CHECKING:
    import pandas as pd


class Measurement(NamedTuple):
    """The header of a stored picture, its size in bytes, and its pixel statistics by name."""

    header: Header
    bytes: int
    statistics: dict[str, Vector]


class MeasuredFile(NamedTuple):
    """A published file, decoded once: what cleaning needs of it, and its stored form, measured."""

    ingested: IngestedFile
    fingerprint: Fingerprint
    stored: Measurement


def measure_file(path: Path) -> Measurement:
    """Measure the stored file at `path`, and the squares that models make of it."""
    data = path.read_bytes()
    image, header = decoding.decode(data, max_pixels=sys.maxsize)
    statistics = pixel_statistics.measure(image) | pixel_statistics.measure_squares(image)
    return Measurement(header, len(data), statistics)


def measure_entry(clean: Clean, item: tuple[Path, ZipInfo]) -> MeasuredFile | UnusableFileError:
    """Ingest a file of an archive by `ingestion.read_within_limits`, and measure its stored form.

    Squares are not measured. The error of a file that can't become a picture is returned.
    """
    return ingestion.read_within_limits(_measure_published, clean, item)


def _measure_published(clean: Clean, data: bytes) -> MeasuredFile:
    file, fingerprint, stored = ingestion.ingest(clean, data)
    image, header = decoding.decode(stored, max_pixels=sys.maxsize)
    measurement = Measurement(header, len(stored), pixel_statistics.measure(image))
    return MeasuredFile(file, fingerprint, measurement)


def stack(measured: Sequence[Measurement]) -> "tuple[pd.DataFrame, dict[str, Vector]]":
    """Stack the measurements of n > 0 pictures.

    Returns
    -------
    headers, statistics
        The fields of `Header` and `bytes`, n rows; and each statistic, shape (n, numbers).
    """
    import pandas as pd

    headers = pd.DataFrame([asdict(own.header) | {"bytes": own.bytes} for own in measured])
    names = measured[0].statistics
    return headers, {name: np.stack([own.statistics[name] for own in measured]) for name in names}
