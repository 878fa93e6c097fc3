"""Bad and odd files in one archive: each is kept or rejected as it should be, within bounds."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from benchmarks.bad_files import KEPT, MAX_PIXELS, corpus, good
from benchmarks.faults import Cleaned, bound, cleaned
from realart.core.errors import RealartError
from realart.data import archive
from realart.data.tabulation import REASONS

pytestmark = pytest.mark.slow

CORPUS = corpus()
TESTED_BY_CLEANING = {"contradictory labels"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad") / "deep/er"


@pytest.fixture(scope="module")
def seen(folder: Path) -> Cleaned:
    """Clean all of them together with good files, once."""
    folder.mkdir(parents=True)
    return cleaned([*good(), *CORPUS], folder)


@pytest.mark.parametrize("path", sorted({file.path for file in [*good(), *CORPUS]}))
def test_outcome_and_reason(path: str, seen: Cleaned) -> None:
    expected = sorted(file.outcome for file in [*good(), *CORPUS] if file.path == path)
    found = [outcome for outcome in seen.outcomes if outcome.path == path]
    assert sorted(entry.outcome for entry in found) == expected, found
    assert all("\n" not in entry.detail for entry in found)


def test_kept_and_rejected_are_all_entries_of_the_archive(seen: Cleaned, folder: Path) -> None:
    with ZipFile(folder / "archive.zip") as opened:
        assert len(seen.outcomes) == len(opened.infolist()) == len(CORPUS) + len(good())


def test_the_corpus_has_every_reason() -> None:
    assert len(CORPUS) >= 40
    outcomes = {file.outcome for file in CORPUS}
    assert outcomes == {*REASONS, KEPT} - TESTED_BY_CLEANING


def test_nothing_is_written_outside_the_output(seen: Cleaned, folder: Path) -> None:
    inside = (folder / "out").resolve()
    assert len(seen.written) > 40
    outside = [path for path in seen.written if not path.is_relative_to(inside)]
    assert set(outside) <= {Path("/dev/null")}
    root = folder.parents[1]
    assert {path.name for path in root.rglob("*") if inside not in path.parents} == {
        "deep", "er", "archive.zip", "out",
    }  # fmt: skip


def test_every_kept_file_has_a_picture_of_its_own(seen: Cleaned, folder: Path) -> None:
    kept = [outcome for outcome in seen.outcomes if outcome.outcome == KEPT]
    assert len(kept) == len(list((folder / "out/pictures").iterdir()))


def test_memory_stays_below_its_bound(seen: Cleaned) -> None:
    assert seen.peak < bound(MAX_PIXELS)


@pytest.mark.parametrize("name", ["human/bomb.bz2", "human/bomb.xz"])
def test_a_download_beyond_the_bounds_is_one_line(name: str, seen: Cleaned, folder: Path) -> None:
    with ZipFile(folder / "archive.zip") as opened:
        member = opened.getinfo(name)
        with (
            pytest.raises(RealartError, match=r"not by deflate\): what to do$"),
            archive.translate_errors(name, "what to do"),
        ):
            archive.open_member(opened, member)
