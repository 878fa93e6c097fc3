"""The client of Hugging Face, unpatched, against a server on the loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import NOTHING_LISTENS, HubServer, download, one_line, running, unzipped, zipped
from making import PARAMS
from test_parquet import parquet, written

from realart.core.errors import RealartError
from realart.data.sources import Folders, fetch

pytestmark = pytest.mark.slow

REPOSITORY = {"path": "owner/art"}


@pytest.fixture
def server() -> Iterator[HubServer]:
    with running(HubServer()) as server:
        server.files = {
            "README.md": b"# Art",
            "train/metadata.jsonl": b"{}",
            "train/ai/1.JPG": b"one",
            "train/real/2.png": b"two",
            "test/ai/3.webp": b"three",
        }
        yield server


def test_pictures_keep_their_path_and_bytes(server: HubServer, tmp_path: Path) -> None:
    result = download(tmp_path, "artimages", REPOSITORY, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")
    pictures = {name: content for name, content in server.files.items() if name != "README.md"}
    assert unzipped(tmp_path / "data/raw/archive.zip") == pictures
    record = json.loads((tmp_path / "data/raw/source.json").read_text())
    assert record["version"] == server.commit
    assert record["address"].endswith(f"/datasets/owner/art/tree/{server.commit}")
    assert not list((tmp_path / ".realart/downloads/huggingface").rglob("*.*"))
    assert not any("README" in asked for asked in server.asked)
    assert not any("telemetry" in asked for asked in server.asked)


def test_parquet_and_zips_beside_pictures_give_the_same_bytes_twice(
    server: HubServer, tmp_path: Path
) -> None:
    server.files = {
        "more.zip": zipped({"fake/": b"", "fake/z.jpg": b"z"}),
        "data/test-00000-of-00001.parquet": parquet([(b"t", "t.png", 1)], ["fake", "real"]),
        "x/real/1.jpg": b"one",
    }
    entry = {"path": "owner/art@main"}
    for project in ("first", "second"):
        result = download(tmp_path / project, "artimages", entry, **server.environment())
        assert (result.returncode, result.stderr) == (0, "")
        server.files = dict(reversed(server.files.items()))
    archives = [tmp_path / project / "data/raw/archive.zip" for project in ("first", "second")]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert unzipped(archives[0]) == {
        "more/fake/z.jpg": b"z",
        "test/real/000000-t.png": b"t",
        "x/real/1.jpg": b"one",
    }


def test_columns_that_are_taken_are_said_or_set(server: HubServer, tmp_path: Path) -> None:
    content = parquet([(b"x", "x.jpg", 1), (b"y", "y.jpg", 0)], columns=("image", "is_ai"))
    server.files = {"train.parquet": content}
    result = download(tmp_path, "artimages", REPOSITORY, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == (
        "download: pictures from 'image', labels from 'is_ai' (0 is human, 1 is ai); "
        "other columns: number"
    )
    entry = {**REPOSITORY, "columns": {"image": None, "label": "number"}}
    download(tmp_path, "artimages", entry, **server.environment())
    assert {*unzipped(tmp_path / "data/raw/archive.zip")} == {
        "train/0/000000-x.jpg", "train/1/000001-y.jpg",
    }  # fmt: skip


def test_tables_beside_pictures_are_kept(server: HubServer, tmp_path: Path) -> None:
    server.files = {
        "train/metadata.csv": b"file_name,label\n1.jpg,ai\n",
        "train/1.jpg": b"one",
        "more.zip": zipped({"metadata.jsonl": b"{}", "2.jpg": b"two"}),
    }
    result = download(tmp_path, "artimages", REPOSITORY, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")
    assert unzipped(tmp_path / "data/raw/archive.zip") == {
        "train/metadata.csv": b"file_name,label\n1.jpg,ai\n",
        "train/1.jpg": b"one",
        "more/metadata.jsonl": b"{}",
        "more/2.jpg": b"two",
    }


def test_pictures_that_rows_name_are_stored_once(server: HubServer, tmp_path: Path) -> None:
    named = written({"image": ["1.jpg", "2.jpg"], "label": ["fake", "real"]})
    server.files = {"train.parquet": named, "1.jpg": b"one", "2.jpg": b"two", "cover.jpg": b"three"}
    result = download(tmp_path, "artimages", REPOSITORY, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")
    assert unzipped(tmp_path / "data/raw/archive.zip") == {
        "train/fake/000000-1.jpg": b"one",
        "train/real/000001-2.jpg": b"two",
        "cover.jpg": b"three",
    }


def test_interrupted_download_fetches_only_what_is_missing(
    server: HubServer, tmp_path: Path
) -> None:
    server.fail_at = "train/real/2.png"
    one_line(download(tmp_path, "artimages", REPOSITORY, **server.environment()))
    assert not (tmp_path / "data/raw").exists()
    server.fail_at, server.asked = None, []
    result = download(tmp_path, "artimages", REPOSITORY, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")
    files = [asked for asked in server.asked if asked.startswith("GET /datasets")]
    assert "train/real/2.png" in files[-1]
    assert len(files) < 3


def test_damaged_file_is_removed_and_the_next_run_recovers(
    server: HubServer, tmp_path: Path
) -> None:
    server.damaged = {"train/ai/1.JPG"}
    line = one_line(download(tmp_path, "artimages", REPOSITORY, **server.environment()))
    assert "'train/ai/1.JPG' came damaged" in line
    assert "run again" in line
    server.damaged = set()
    result = download(tmp_path, "artimages", REPOSITORY, **server.environment())
    assert (result.returncode, result.stderr) == (0, "")


def test_damaged_published_zip(server: HubServer, tmp_path: Path) -> None:
    content = bytearray(zipped({"fake/z.jpg": bytes(range(200))}))
    content[60] ^= 255
    server.files = {"train.zip": bytes(content)}
    line = one_line(download(tmp_path, "artimages", REPOSITORY, **server.environment()))
    assert "'fake/z.jpg' cannot be read" in line
    assert "it is 'train.zip' of the dataset" in line


def test_a_zip_for_which_the_disk_has_no_room_is_refused(server: HubServer, tmp_path: Path) -> None:
    """Its directory gives each of its files 4 GB, together 86 TB."""
    parts = zipped({f"fake/{number}.jpg": b"z" for number in range(20_000)}).split(b"PK\1\2")
    sized = [parts[0], *(part[:20] + b"\xfe\xff\xff\xff" + part[24:] for part in parts[1:])]
    server.files = {"train.zip": b"PK\1\2".join(sized)}
    line = one_line(download(tmp_path, "artimages", REPOSITORY, **server.environment()))
    assert "'train.zip' of the dataset unpacks to 85899.3 GB" in line
    assert "GB free: free some" in line
    assert not (tmp_path / "data/raw/archive.zip").exists()


def test_gated(server: HubServer, tmp_path: Path) -> None:
    server.gated = True
    line = one_line(download(tmp_path, "artimages", REPOSITORY, **server.environment()))
    assert "is gated: accept its terms at https://huggingface.co/datasets/owner/art" in line
    assert "HF_TOKEN" in line


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("owner/nothing", "has no dataset 'owner/nothing', or it is private"),
        ("owner/art@nothing", "'owner/art@nothing' has no such revision"),
    ],
)
def test_missing(server: HubServer, tmp_path: Path, path: str, expected: str) -> None:
    line = one_line(download(tmp_path, "artimages", {"path": path}, **server.environment()))
    assert expected in line


@pytest.mark.parametrize("path", [None, "art", "../../x", "owner/art@", "owner/art/file"])
def test_malformed_path(tmp_path: Path, path: str | None) -> None:
    entry = PARAMS.datasets["artimages"].model_copy(update={"path": path})
    with pytest.raises(RealartError, match="it is owner/name or owner/name@revision"):
        fetch("artimages", entry, Folders(tmp_path, tmp_path, tmp_path, tmp_path))


def test_nothing_to_use(server: HubServer, tmp_path: Path) -> None:
    server.files = {"README.md": b"", "data.tar": b"tar", "x.csv": b""}
    line = one_line(download(tmp_path, "artimages", REPOSITORY, **server.environment()))
    assert "has no pictures, Parquet files or zips; it has README.md, data.tar" in line


@pytest.mark.parametrize("environment", [{"HF_ENDPOINT": NOTHING_LISTENS}, {"HF_HUB_OFFLINE": "1"}])
def test_no_network(tmp_path: Path, environment: dict[str, str]) -> None:
    line = one_line(download(tmp_path, "artimages", REPOSITORY, **environment))
    assert "Hugging Face cannot be reached" in line
