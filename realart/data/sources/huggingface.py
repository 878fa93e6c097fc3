"""Hugging Face datasets: pictures, tables, Parquet rows and zips, gathered in one zip archive.

Tables beside pictures (`metadata.csv`) stay beside them. What else a repository holds (a README, a
loading script) is neither fetched nor stored.
"""

import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from realart.core import hashing, hub
from realart.core.errors import RealartError
from realart.data import archive
from realart.data.sources import FetchedArchive, Folders, parquet, register
from realart.params import Dataset, ParquetColumns

PICTURES = "avif bmp gif heic heif jfif jp2 jpe jpeg jpg jxl pgm png ppm tga tif tiff webp"
TABLES = {".csv", ".jsonl", ".ndjson", ".tsv"}
"""What may say who made the pictures beside it. https://huggingface.co/docs/datasets/image_dataset"""
SUFFIXES = {f".{suffix}" for suffix in [*PICTURES.split(), "parquet", "zip"]} | TABLES
AGAIN = "the download was removed; run again to fetch it anew"


def parse_path(name: str, dataset: Dataset) -> tuple[str, str | None]:
    """Return repository and revision (None for the newest) of a `dataset.path` at Hugging Face.

    Raises
    ------
    RealartError
        It has another form.
    """
    found = re.fullmatch(r"(\w[\w.-]*/\w[\w.-]*)(?:@([\w./-]+))?", dataset.path or "")
    if not found:
        raise RealartError(
            f"datasets.{name}.path is {dataset.path!r}: for Hugging Face it is owner/name or "
            "owner/name@revision, as in https://huggingface.co/datasets/owner/name"
        )
    return found[1], found[2]


@register("huggingface", check=parse_path)
def fetch(name: str, dataset: Dataset, folders: Folders) -> FetchedArchive:
    """Download `owner/name` (its newest revision) or `owner/name@revision` and zip its pictures.

    Files come one by one into a cache below `folders.downloads`, by repository and commit; the next
    call fetches those that are missing. In the archive, pictures and tables keep their path in the
    repository, Parquet rows become `<split>/<label>/<row>-<file name>`, and a zip is unpacked into
    a folder of its name.
    """
    repository, revision = parse_path(name, dataset)
    hub.quieten()
    with hub.translate_errors("dataset", str(dataset.path), f"datasets.{name}.path"):
        commit, sums = _listing(name, dataset, repository, revision)
        cache = folders.downloads / "huggingface" / repository / commit
        files = _files(repository, commit, cache, sums)
    try:
        with archive.create_archive(cache / "archive.zip") as target:
            _fill(target, files, dataset.columns, f"datasets.{name}.columns")
    except RealartError:
        shutil.rmtree(cache)
        raise
    return FetchedArchive(
        cache / "archive.zip",
        advice=AGAIN,
        version=commit,
        address=f"https://huggingface.co/datasets/{repository}/tree/{commit}",
        cache=cache,
    )


def _listing(
    name: str, dataset: Dataset, repository: str, revision: str | None
) -> tuple[str, dict[str, str | None]]:
    """Return the commit, and the SHA-256 (if the repository states it) of each file to fetch."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    client = HfApi()
    commit = str(client.dataset_info(repository, revision=revision, timeout=10).sha)
    tree = client.list_repo_tree(repository, recursive=True, revision=commit, repo_type="dataset")
    files = {entry.path: entry.lfs for entry in tree if isinstance(entry, RepoFile)}
    sums = {
        path: lfs.sha256 if lfs else None
        for path, lfs in files.items()
        if _suffix(path) in SUFFIXES
    }
    if all(_suffix(path) in TABLES for path in sums):
        raise RealartError(
            f"Hugging Face dataset '{dataset.path}' has no pictures, Parquet files or zips; it has "
            f"{', '.join(sorted(files)[:5]) or 'no files'}: set datasets.{name}.path to one "
            "that has, or download it yourself and use the source 'path'"
        )
    return commit, sums


def _files(
    repository: str, commit: str, cache: Path, sums: dict[str, str | None]
) -> dict[str, Path]:
    """Return where each file lies, by its path in the repository, fetching those not there yet."""
    from huggingface_hub import snapshot_download

    either_case = ["".join(f"[{c}{c.upper()}]" for c in suffix[1:]) for suffix in sorted(SUFFIXES)]
    snapshot = snapshot_download(
        repository,
        repo_type="dataset",
        revision=commit,
        cache_dir=cache,
        allow_patterns=[f"*.{suffix}" for suffix in either_case],
    )
    files = {name: Path(snapshot, name) for name in sorted(sums)}
    for name, file in files.items():
        if not file.exists():
            raise RealartError(f"'{name}' has not come from Hugging Face: run again to fetch it")
        if sums[name] and hashing.sha256(file) != sums[name]:
            shutil.rmtree(cache)
            raise RealartError(f"'{name}' came damaged from Hugging Face: {AGAIN}")
    return files


def _fill(
    target: zipfile.ZipFile, files: dict[str, Path], columns: ParquetColumns, param: str
) -> None:
    rows = {name: file for name, file in files.items() if _suffix(name) == ".parquet"}
    chosen = parquet.choose(rows, columns, param)
    for choice in dict.fromkeys(map(str, chosen.values())):
        print(f"download: {choice}")
    named = parquet.named(rows, chosen, files)
    for name, file in files.items():
        if _suffix(name) == ".zip":
            _unpack(target, file, name)
        elif name not in rows and file not in named:
            archive.add_file(target, name, file)
    for name, content in parquet.pictures(rows, chosen, files):
        archive.add_bytes(target, name, content)


def _unpack(target: zipfile.ZipFile, file: Path, name: str) -> None:
    """Copy the files of a zip into `target`, if the disk has room for all: a few MB may hold TB."""
    advice = f"it is '{name}' of the dataset; {AGAIN}"
    with archive.open_archive(file, advice) as source:
        members = archive.list_entries(source)
        size, free = sum(member.file_size for member in members), shutil.disk_usage(file).free
        if size > free:
            raise RealartError(
                f"'{name}' of the dataset unpacks to {size / 1e9:.1f} GB, and the disk has "
                f"{free / 1e9:.1f} GB free: free some, or choose another dataset"
            )
        for member in members:
            if not member.is_dir():
                place = f"{name[: -len('.zip')]}/{member.filename}"
                with (
                    archive.translate_errors(member.filename, advice),
                    archive.open_member(source, member) as stream,
                ):
                    archive.add(target, place, stream, member.file_size)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
