"""Kaggle's own client, unpatched, against a server on the loopback."""

import json
import os
import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import NOTHING_LISTENS, KaggleServer, download, one_line, running, unzipped, zipped
from making import PARAMS

from realart.core.errors import RealartError
from realart.data.sources import Folders, fetch

pytestmark = pytest.mark.slow

FILES = {f"AiArtData/{number}.jpg": random.Random(number).randbytes(30_000) for number in range(99)}
ARCHIVE = zipped(FILES)
TOKEN = {"KAGGLE_API_TOKEN": "right-token"}
PINNED = {"path": "owner/art/3"}


@pytest.fixture
def server() -> Iterator[KaggleServer]:
    with running(KaggleServer()) as server:
        server.datasets["owner/art/3"] = ARCHIVE
        yield server


def partials(project: Path) -> list[str]:
    cache = project / ".realart/downloads/kaggle"
    return sorted(str(file.relative_to(cache)) for file in cache.rglob("*") if file.is_file())


def test_pinned_version(server: KaggleServer, tmp_path: Path) -> None:
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("download: cashbowman, 99 files, 3.0 MB, sha256 ")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == ARCHIVE
    record = json.loads((tmp_path / "data/raw/source.json").read_text())
    assert record["version"] == "3"
    assert record["address"] == "https://www.kaggle.com/datasets/owner/art/versions/3"
    assert record["bytes"] == len(ARCHIVE)
    assert " ".join(record) == "name source version address licence bytes sha256"
    assert partials(tmp_path) == []


def test_newest_version_is_resolved_and_fetched(server: KaggleServer, tmp_path: Path) -> None:
    server.datasets["owner/art/7"] = zipped({"AiArtData/new.jpg": b"new"})
    entry = {"path": "owner/art"}
    download(tmp_path, "cashbowman", entry, **server.environment(**TOKEN))
    assert json.loads((tmp_path / "data/raw/source.json").read_text())["version"] == "7"
    assert unzipped(tmp_path / "data/raw/archive.zip") == {"AiArtData/new.jpg": b"new"}


def test_version_unknown_to_the_server_is_recorded_as_none(
    server: KaggleServer, tmp_path: Path
) -> None:
    server.newest = 0
    server.datasets["owner/art/0"] = ARCHIVE
    result = download(tmp_path, "cashbowman", {"path": "owner/art"}, **server.environment(**TOKEN))
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "data/raw/source.json").read_text())["version"] is None


def test_version_that_is_held_is_not_downloaded_again(server: KaggleServer, tmp_path: Path) -> None:
    newest = {"path": "owner/art"}
    server.newest = 3
    download(tmp_path, "cashbowman", newest, **server.environment(**TOKEN))
    first = (tmp_path / "data/raw/source.json").read_bytes()
    served = server.served
    again = download(tmp_path, "cashbowman", newest, **server.environment(**TOKEN))
    assert (again.returncode, again.stderr, server.served) == (0, "", served)
    server.down = True
    pinned = download(tmp_path, "cashbowman", PINNED, **server.environment())
    assert (pinned.returncode, pinned.stderr) == (0, "")
    assert (tmp_path / "data/raw/source.json").read_bytes() == first
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == ARCHIVE


def test_a_union_downloads_no_version_that_is_held(server: KaggleServer, tmp_path: Path) -> None:
    other = zipped({"train/AI_LD_x/1.jpg": b"made", "train/baroque/1.jpg": b"painted"})
    server.datasets[f"ravidussilva/real-ai-art/{server.newest}"] = other
    download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    served = server.served
    both = download(tmp_path, "cashbowman+ai-artbench", PINNED, **server.environment(**TOKEN))
    assert (both.returncode, both.stderr) == (0, "")
    assert server.served == served + len(other)
    for name, published in (("cashbowman", ARCHIVE), ("ai-artbench", other)):
        assert (tmp_path / f"data/raw/{name}/archive.zip").read_bytes() == published
        record = json.loads((tmp_path / f"data/raw/{name}/source.json").read_text())
        assert record["name"] == name
    server.down = True
    alone = download(tmp_path, "cashbowman", PINNED, **server.environment())
    assert (alone.returncode, alone.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == ARCHIVE
    assert not (tmp_path / "data/raw/cashbowman").exists()


@pytest.mark.parametrize("other", ["damaged", "version"])
def test_other_bytes_or_version_are_not_taken_for_it(
    server: KaggleServer, tmp_path: Path, other: str
) -> None:
    server.datasets["owner/art/4"] = zipped({"AiArtData/new.jpg": b"new"})
    download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    entry = PINNED
    if other == "damaged":
        (tmp_path / "data/raw/archive.zip").write_bytes(ARCHIVE[:-1] + b"?")
    else:
        entry = {"path": "owner/art/4"}
    result = download(tmp_path, "cashbowman", entry, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    expected = server.datasets[entry["path"]]
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == expected


@pytest.mark.parametrize("form", ["access_token", "kaggle.json", "environment"])
def test_other_credentials(server: KaggleServer, tmp_path: Path, form: str) -> None:
    home = tmp_path / "home/.kaggle"
    home.mkdir(parents=True)
    environment = {}
    if form == "access_token":
        (home / form).write_text("right-token\n")
    elif form == "kaggle.json":
        (home / form).write_text('{"username": "me", "key": "right-key"}')
    else:
        environment = {"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "right-key"}
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**environment))
    assert (result.returncode, result.stderr) == (0, "")


def test_interrupted_download_goes_on_in_the_next_run(server: KaggleServer, tmp_path: Path) -> None:
    server.cut_at = len(ARCHIVE) // 2
    line = one_line(download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN)))
    assert "Kaggle cannot be reached" in line
    assert "1.5 MB that have come are kept" in line
    assert not (tmp_path / "data/raw").exists()
    assert "owner/art/3/archive.zip" in partials(tmp_path)

    server.down, server.cut_at = False, None
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == ARCHIVE
    assert len(server.ranges) == 1
    assert int(server.ranges[0].removeprefix("bytes=").removesuffix("-")) > 1_400_000
    assert server.served < 1.2 * len(ARCHIVE)
    assert partials(tmp_path) == []


def test_connection_lost_once_is_made_up_for_in_the_same_run(
    server: KaggleServer, tmp_path: Path
) -> None:
    server.cut_at, server.cuts_only = len(ARCHIVE) // 2, True
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == ARCHIVE
    assert len(server.ranges) >= 1
    assert server.served < 1.2 * len(ARCHIVE)


def test_partial_of_a_file_that_changed_is_not_gone_on_with(
    server: KaggleServer, tmp_path: Path
) -> None:
    server.cut_at = len(ARCHIVE) // 2
    download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    server.down, server.cut_at = False, None
    server.datasets["owner/art/3"] = changed = zipped(
        {"x.jpg": random.Random(0).randbytes(3_000_000)}
    )
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == changed


def test_finished_download_that_was_not_checked_yet_is_not_fetched_again(
    server: KaggleServer, tmp_path: Path
) -> None:
    cache = tmp_path / ".realart/downloads/kaggle/owner/art/3"
    cache.mkdir(parents=True)
    mark = ARCHIVE[:-1] + b"!"  # of the same size, so that it shows whose bytes came out
    (cache / "archive.zip").write_bytes(ARCHIVE)
    os.utime(cache / "archive.zip")
    server.datasets["owner/art/3"] = mark
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "data/raw/archive.zip").read_bytes() == ARCHIVE


def test_damaged_archive_is_removed_and_the_next_run_recovers(
    server: KaggleServer, tmp_path: Path
) -> None:
    damaged = bytearray(ARCHIVE)
    damaged[5000] ^= 255
    server.datasets["owner/art/3"] = bytes(damaged)
    line = one_line(download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN)))
    assert "its file 'AiArtData/0.jpg' cannot be read" in line
    assert "the download was removed; run again" in line
    assert partials(tmp_path) == []
    server.datasets["owner/art/3"] = ARCHIVE
    result = download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN))
    assert (result.returncode, result.stderr) == (0, "")


def test_other_archive_than_expected_is_removed(server: KaggleServer, tmp_path: Path) -> None:
    entry = {**PINNED, "sha256": "0" * 64}
    line = one_line(download(tmp_path, "cashbowman", entry, **server.environment(**TOKEN)))
    assert f"expected {'0' * 64}" in line
    assert partials(tmp_path) == []


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({}, "found no credentials"),
        ({"KAGGLE_API_TOKEN": "wrong-SECRET"}, "refuses the token"),
        ({"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "wrong-SECRET"}, "refuses the credentials"),
    ],
    ids=["none", "token", "key"],
)
def test_missing_and_wrong_credentials(
    server: KaggleServer, tmp_path: Path, credentials: dict[str, str], expected: str
) -> None:
    started = time.monotonic()
    environment = server.environment(**credentials)
    line = one_line(download(tmp_path, "cashbowman", PINNED, **environment))
    assert expected in line
    for way in ("KAGGLE_API_TOKEN", "access_token", "KAGGLE_USERNAME", "kaggle.json"):
        assert way in line
    assert "SECRET" not in line
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (403, "denies access to 'owner/art/3' (403): sign in at https://www.kaggle.com/datasets/"),
        (429, "limits the rate"),
        (500, "answers 500"),
    ],
)
def test_refusals(server: KaggleServer, tmp_path: Path, status: int, expected: str) -> None:
    server.status = status
    line = one_line(download(tmp_path, "cashbowman", PINNED, **server.environment(**TOKEN)))
    assert expected in line
    assert "SECRET" not in line


def test_missing_dataset(server: KaggleServer, tmp_path: Path) -> None:
    entry = {"path": "owner/nothing"}
    line = one_line(download(tmp_path, "cashbowman", entry, **server.environment(**TOKEN)))
    assert "no dataset or version 'owner/nothing' (404)" in line
    assert "-S datasets.cashbowman.path=owner/dataset" in line


@pytest.mark.parametrize("path", [None, "art", "owner/art/versions/3", "owner/art/0", "../../x"])
def test_malformed_path(tmp_path: Path, path: str | None) -> None:
    entry = PARAMS.datasets["cashbowman"].model_copy(update={"path": path})
    with pytest.raises(RealartError, match="it is owner/dataset or owner/dataset/version"):
        fetch("cashbowman", entry, Folders(tmp_path, tmp_path, tmp_path, tmp_path))


@pytest.mark.parametrize(
    "credentials", [TOKEN, {"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "right-key"}]
)
def test_no_network(tmp_path: Path, credentials: dict[str, str]) -> None:
    started = time.monotonic()
    environment = {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": NOTHING_LISTENS}
    line = one_line(download(tmp_path, "cashbowman", PINNED, **environment, **credentials))
    assert "Kaggle cannot be reached" in line
    assert "check the network" in line
    assert time.monotonic() - started < 15


def test_network_that_swallows_everything(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {"http_proxy": f"http://127.0.0.1:{silent.getsockname()[1]}", **TOKEN}
        environment["KAGGLE_API_ENVIRONMENT"] = "LOCALHOST"
        line = one_line(download(tmp_path, "cashbowman", PINNED, **environment))
    assert "Kaggle cannot be reached (ReadTimeout)" in line
