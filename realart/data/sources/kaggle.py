"""Kaggle datasets, through Kaggle's own client: its credentials, its protocol, its resuming.

The client is imported late, and its output is discarded: importing it signs in, prints a help page
if that fails, and may end the process.
"""

import contextlib
import io
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import requests

from realart.core.errors import RealartError
from realart.core.hashing import sha256
from realart.data.sources import FetchedArchive, Folders, register
from realart.params import Dataset

CHUNK = 1 << 14
SECONDS_TO_ANSWER = 5
SIGN_IN = (
    "get a token at https://www.kaggle.com/settings and set KAGGLE_API_TOKEN or save it as "
    "~/.kaggle/access_token (KAGGLE_USERNAME and KAGGLE_KEY, or ~/.kaggle/kaggle.json, work too)"
)


def parse_path(name: str, dataset: Dataset) -> tuple[str, str, str | None]:
    """Return owner, slug and version (None for the newest) of a `dataset.path` at Kaggle.

    Raises
    ------
    RealartError
        It has another form.
    """
    found = re.fullmatch(r"([\w-]+)/([\w-]+)(?:/([1-9]\d*))?", dataset.path or "")
    if not found:
        raise RealartError(
            f"datasets.{name}.path is {dataset.path!r}: for Kaggle it is owner/dataset or "
            f"owner/dataset/version, as in https://www.kaggle.com/datasets/owner/dataset"
        )
    return found[1], found[2], found[3]


@register("kaggle", check=parse_path)
def fetch(name: str, dataset: Dataset, folders: Folders) -> FetchedArchive:
    """Download the zip archive of `owner/slug` (its newest version) or of `owner/slug/version`.

    The unfinished file lies below `folders.downloads`, by dataset and version, and the next call
    resumes it if it is still the same file at Kaggle. A version that lies whole in
    `folders.existing` is taken from there; if it is the pinned one, Kaggle is not contacted.
    """
    owner, slug, pinned = parse_path(name, dataset)
    address = f"https://www.kaggle.com/datasets/{owner}/{slug}"
    if fetched := _existing_archive(folders.existing, address, pinned):
        return fetched
    client = _signed_in()
    version = pinned or _newest(client, owner, slug)
    if fetched := _existing_archive(folders.existing, address, version):
        return fetched
    cache = folders.downloads / "kaggle" / owner / slug / (version or "newest")
    cache.mkdir(parents=True, exist_ok=True)
    request = _request(owner, slug, version)
    try:
        _download(client, request, cache / "archive.zip")
    except requests.HTTPError as error:
        raise _refused(error, name, dataset, address) from error
    except requests.RequestException as error:
        raise _unreachable(error, cache / "archive.zip") from error
    return FetchedArchive(
        cache / "archive.zip",
        advice="the download was removed; run again to fetch it anew",
        version=version,
        address=_page(address, version),
        cache=cache,
    )


def _page(address: str, version: str | None) -> str:
    return f"{address}/versions/{version}" if version else address


def _existing_archive(existing: Path, address: str, version: str | None) -> FetchedArchive | None:
    """Return the archive in `existing` if it is this version, byte for byte as it came."""
    archive = existing / "archive.zip"
    try:
        record = json.loads((existing / "source.json").read_text("utf-8"))
        same = record["address"] == _page(address, version) and record["sha256"] == sha256(archive)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not version or not same:
        return None
    return FetchedArchive(archive, f"remove {archive} and run again", version, record["address"])


def _signed_in() -> Any:
    """Return Kaggle's client, signed in by any of the ways it knows."""
    from kagglesdk.kaggle_env import (
        get_access_token_from_env,
        get_endpoint,
        get_env,
    )

    token, _ = get_access_token_from_env()
    endpoint = get_endpoint(get_env())
    if token:
        _reach(endpoint)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            from kaggle.api.kaggle_api_extended import KaggleApi

            client = KaggleApi()
            client.authenticate()
    except SystemExit as error:
        what = "refuses the token that it was given" if token else "found no credentials"
        raise RealartError(f"Kaggle's client {what}: {SIGN_IN}") from error
    except requests.HTTPError as error:
        raise RealartError(f"Kaggle refuses the credentials it was given: {SIGN_IN}") from error
    except requests.RequestException as error:
        raise _unreachable(error) from error
    if not token:
        _reach(endpoint)
    return client


def _reach(endpoint: str) -> None:
    """Ask for any answer at all: the client itself would wait minutes where packets get lost."""
    try:
        requests.head(endpoint, timeout=SECONDS_TO_ANSWER, allow_redirects=False)
    except requests.RequestException as error:
        raise _unreachable(error) from error


def _newest(client: Any, owner: str, slug: str) -> str | None:
    """Return the current version's number, or None: whatever is wrong, the download says better."""
    from kagglesdk.datasets.types.dataset_api_service import (
        ApiGetDatasetRequest,
    )

    request = ApiGetDatasetRequest()
    request.owner_slug, request.dataset_slug = owner, slug
    try:
        with client.build_kaggle_client() as session:
            number = session.datasets.dataset_api_client.get_dataset(request).current_version_number
    except (requests.RequestException, ValueError, TypeError, AttributeError, KeyError):
        return None
    return str(number) if number else None


def _request(owner: str, slug: str, version: str | None) -> Any:
    from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

    request = ApiDownloadDatasetRequest()
    request.owner_slug, request.dataset_slug = owner, slug
    request.dataset_version_number = int(version) if version else None
    return request


def _download(client: Any, request: Any, path: Path) -> None:
    """Download to `path`, asking anew after every interruption for as long as bytes keep coming.

    The client's own retries are not used: they ask the same signed address again, and where it has
    expired write the error page over what had come.
    """
    while True:
        before = _bytes(path)
        try:
            with client.build_kaggle_client() as session:
                answer = session.datasets.dataset_api_client.download_dataset(request)
                _receive(client, session, answer, path)
            return
        except requests.HTTPError:
            raise
        except requests.RequestException:
            if _bytes(path) <= before:
                raise
            time.sleep(1)


def _receive(client: Any, session: Any, answer: requests.Response, path: Path) -> None:
    whole = answer.headers.get("Content-Length") == str(_bytes(path))
    if whole and not client.download_needed(answer, str(path)):
        return  # a run was stopped after the last byte and before the archive was checked
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            client.download_file(
                answer,
                str(path),
                session.http_client(),
                quiet=not sys.stderr.isatty(),
                resume=True,
                chunk_size=CHUNK,
                max_retries=0,
            )
    except ValueError as error:  # the size is not the announced one: nothing to go on from
        path.unlink(missing_ok=True)
        raise RealartError(
            f"Kaggle sent another number of bytes than it had announced ({error}): the download "
            "was removed; run again to fetch it anew"
        ) from error


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _refused(error: requests.HTTPError, name: str, dataset: Dataset, address: str) -> RealartError:
    status = error.response.status_code
    setting = f"datasets.{name}.path"
    if status == 401:
        return RealartError(f"Kaggle refuses the credentials it was given (401): {SIGN_IN}")
    if status == 403:
        return RealartError(
            f"Kaggle denies access to '{dataset.path}' (403): sign in at {address} and accept what "
            f"it asks, check {setting}, or renew the credentials: {SIGN_IN}"
        )
    if status == 404:
        return RealartError(
            f"Kaggle has no dataset or version '{dataset.path}' (404): look at {address} and set "
            f"-S {setting}=owner/dataset or owner/dataset/version"
        )
    if status == 429:
        return RealartError("Kaggle limits the rate of requests (429): wait, then run again")
    return RealartError(f"Kaggle answers {status} for '{dataset.path}': try again later")


def _unreachable(error: requests.RequestException, partial: Path | None = None) -> RealartError:
    kept = _bytes(partial) if partial else 0
    return RealartError(
        f"Kaggle cannot be reached ({type(error).__name__}): check the network, and HTTPS_PROXY if "
        "you are behind a proxy, then run again"
        + (f"; the {kept / 1e6:.1f} MB that have come are kept" if kept else "")
    )
