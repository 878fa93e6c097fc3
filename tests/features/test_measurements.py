"""What is measured of a published file is what is measured of the file that `clean` stores."""

from pathlib import Path

import numpy as np
from making import PARAMS, archive, file, picture

from realart.data import archive as archives
from realart.data import ingestion
from realart.data.decoding import UnusableFileError
from realart.features import measurements
from realart.features.measurements import MeasuredFile


def test_a_published_file_is_measured_as_its_stored_form_is(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", [("a.png", file(picture(1, 700, 500)))])
    item = (path, archives.files(path, "")[0])
    measured = measurements.measure_entry(PARAMS.clean, item)
    ingested = ingestion.ingest_entry(PARAMS.clean, tmp_path, item)
    assert isinstance(measured, MeasuredFile)
    assert not isinstance(ingested, UnusableFileError)
    stored = measurements.measure_file(tmp_path / ingested[0].file)
    assert measured.ingested == ingested[0]
    assert measured.fingerprint.exact == ingested[1].exact
    assert (measured.stored.header, measured.stored.bytes) == (stored.header, stored.bytes)
    for name, values in measured.stored.statistics.items():
        np.testing.assert_array_equal(values, stored.statistics[name])


def test_an_unusable_file_is_returned_with_its_reason(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", [("a.png", file(picture(1))[:-50])])
    result = measurements.measure_entry(PARAMS.clean, (path, archives.files(path, "")[0]))
    assert isinstance(result, UnusableFileError)
    assert result.reason == "corrupt"


def test_measurements_are_stacked_in_their_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{seed}.png" for seed in (1, 2, 3)]
    for seed, path in enumerate(paths, 1):
        path.write_bytes(file(picture(seed, 80 + seed, 64)))
    measured = [measurements.measure_file(path) for path in paths]
    headers, statistics = measurements.stack(measured)
    assert headers["width"].tolist() == [81, 82, 83]
    assert headers["bytes"].tolist() == [own.bytes for own in measured]
    np.testing.assert_array_equal(statistics["texture"][2], measured[2].statistics["texture"])
