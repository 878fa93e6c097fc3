"""The download stage: the entries that params.yaml comes with, and two runs at once."""

import functools
import json
from pathlib import Path

import pytest
from filelock import FileLock
from loopback import REPOSITORY, HubServer, KaggleServer, download, running, start, unzipped, zipped
from making import PARAMS

import realart.data.sample
from realart.core import yaml12
from realart.data.sources import Folders, fetch

pytestmark = pytest.mark.slow

ENTRIES = yaml12.load((REPOSITORY / "params.yaml").read_text(), "params.yaml")["datasets"]
TOKEN = {"KAGGLE_API_TOKEN": "right-token"}
LAYOUTS = {
    "cashbowman": {
        "AiArtData/AiArtData/a picture (1).jpg": b"made",
        "RealArt/RealArt/b.jpeg": b"painted",
    },
    "ai-artbench": {
        "Real_AI_SD_LD_Dataset/train/AI_LD_art_nouveau/x.jpg": b"latent",
        "Real_AI_SD_LD_Dataset/train/AI_SD_art_nouveau/x.jpg": b"stable",
        "Real_AI_SD_LD_Dataset/test/art_nouveau/x.jpg": b"painted",
    },
    "artimages": {"fake/1.jpg": b"made", "real/1.jpg": b"painted"},
    "local": {"ai/1.png": b"made", "human/1.png": b"painted"},
}


def record(project: Path) -> dict[str, object]:
    return json.loads((project / "data/raw/source.json").read_text())


@pytest.mark.parametrize("dataset", ["cashbowman", "ai-artbench"])
def test_kaggle_entries(tmp_path: Path, dataset: str) -> None:
    entry = ENTRIES[dataset]
    with running(KaggleServer()) as server:
        owner, slug, *_ = entry["path"].split("/")
        server.newest = int((*_, server.newest)[0])
        server.datasets[f"{owner}/{slug}/{server.newest}"] = published = zipped(LAYOUTS[dataset])
        result = download(tmp_path, dataset, {"sha256": None}, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == published
    assert unzipped(tmp_path / "data/raw/archive.zip") == LAYOUTS[dataset]
    assert record(tmp_path)["licence"] == entry["licence"]
    assert str(record(tmp_path)["address"]).startswith(f"https://www.kaggle.com/datasets/{owner}")


def test_huggingface_entry(tmp_path: Path) -> None:
    with running(HubServer()) as server:
        server.files = LAYOUTS["artimages"]
        server.repository, _, _ = ENTRIES["artimages"]["path"].partition("@")
        result = download(tmp_path, "artimages", {"sha256": None}, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")
    assert unzipped(tmp_path / "data/raw/archive.zip") == LAYOUTS["artimages"]


def test_local_entry(tmp_path: Path) -> None:
    (tmp_path / "my.zip").write_bytes(zipped(LAYOUTS["local"]))
    assert PARAMS.datasets["local"].path is None
    result = download(tmp_path, "local", {"path": "my.zip"})
    assert (result.returncode, result.stderr) == (0, "")
    assert unzipped(tmp_path / "data/raw/archive.zip") == LAYOUTS["local"]
    assert record(tmp_path)["version"] is None


def test_sample_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = functools.partial(realart.data.sample.write_archive, pictures=4)
    monkeypatch.setattr(realart.data.sample, "write_archive", few)
    folders = Folders(tmp_path, tmp_path, tmp_path / "downloads", tmp_path / "held")
    record = fetch("sample", PARAMS.datasets["sample"], folders)
    assert (record["version"], record["address"]) == (None, None)
    assert record["bytes"] == (tmp_path / "archive.zip").stat().st_size


def test_changing_only_the_labels_needs_no_other_archive(tmp_path: Path) -> None:
    (tmp_path / "my.zip").write_bytes(zipped(LAYOUTS["local"]))
    download(tmp_path, "local", {"path": "my.zip"})
    first = (tmp_path / "data/raw/source.json").read_bytes()
    download(tmp_path, "local", {"path": "my.zip", "labels": {"ai": ["x"], "human": ["y"]}})
    assert (tmp_path / "data/raw/source.json").read_bytes() == first


def test_unreadable_file_in_a_local_archive_is_left_to_clean(tmp_path: Path) -> None:
    published = bytearray(zipped(LAYOUTS["local"]))
    published[published.index(b"ai/1.png") + len("ai/1.png")] ^= 255
    (tmp_path / "my.zip").write_bytes(published)
    result = download(tmp_path, "local", {"path": "my.zip"})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == published


def test_second_run_waits_for_the_first(tmp_path: Path) -> None:
    (tmp_path / "my.zip").write_bytes(zipped(LAYOUTS["local"]))
    downloads = tmp_path / ".realart/downloads"
    downloads.mkdir(parents=True)
    with FileLock(downloads / "lock"):
        second = start(tmp_path, "local", {"path": "my.zip"})
        assert second.stderr
        assert "waiting for another run" in second.stderr.readline()
        assert second.poll() is None
    _, error = second.communicate(timeout=60)
    assert (second.returncode, error) == (0, "")
