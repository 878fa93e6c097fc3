"""Ingestion of a published file, decoded once: its stored form, its header and its fingerprint."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zipfile import ZipInfo

from realart.core.hashing import picture_id
from realart.data import decoding, pictures
from realart.data.archive import UNREADABLE, Archive, cached_archive, open_member
from realart.data.decoding import UnusableFileError
from realart.data.fingerprints import Fingerprint, fingerprint
from realart.data.headers import Header
from realart.data.limits import within_limits
from realart.params import Clean

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """A published file that shows a picture.

    `id` is a hash of its bytes, `bytes` their number, and `file` the name of its stored form.
    """

    id: str
    bytes: int
    header: Header
    file: str


def ingest(params: Clean, data: bytes) -> tuple[IngestedFile, Fingerprint, bytes]:
    """Decode the bytes of a published file, and encode its stored form.

    Parameters
    ----------
    params
        The limits and the encoding.

    Returns
    -------
    file, fingerprint, stored
        The ingested file, its fingerprint and its stored form.

    Raises
    ------
    UnusableFileError
        The file can't become a picture.
    """
    image, header = decoding.decode(data, params.max_pixels, params.min_side)
    name = picture_id(data)
    suffix = header.format.lower() if params.encoding == "original" else "jpg"
    stored = pictures.stored(data, image, params)
    file = IngestedFile(name, len(data), header, f"{name}.{suffix}")
    return file, fingerprint(image, stored), stored


def ingest_entry(
    params: Clean, folder: Path, item: tuple[Path, ZipInfo]
) -> tuple[IngestedFile, Fingerprint] | UnusableFileError:
    """Ingest a file of an archive by `read_within_limits`, and write its stored form to `folder`.

    The error of a file that can't become a picture is returned, not raised.
    """
    ingested = read_within_limits(ingest, params, item)
    if isinstance(ingested, UnusableFileError):
        return ingested
    file, print_of_file, stored = ingested
    (folder / file.file).write_bytes(stored)
    return file, print_of_file


def read_within_limits(
    function: Callable[[Clean, bytes], Result], params: Clean, item: tuple[Path, ZipInfo]
) -> Result | UnusableFileError:
    """Return `function(params, data)` of the bytes of a file, called by `limits.within_limits`.

    Parameters
    ----------
    function
        `ingest`, or one that calls it.
    params
        The limits and the encoding.
    item
        The path of a zip archive or a folder, and the file's entry in it.

    Returns
    -------
    Result or UnusableFileError
        The error of a file that can't become a picture is returned, not raised.
    """
    archive, member = item
    try:
        data = read_bounded(cached_archive(archive), member, params)
    except UnusableFileError as error:
        return error
    except UNREADABLE as error:
        return UnusableFileError("corrupt", str(error))
    try:
        return within_limits(params.max_pixels, function, params, data)
    except UnusableFileError as error:
        return error


def read_bounded(archive: Archive, member: ZipInfo, params: Clean) -> bytes:
    """Unpack a file, up to the size in the archive's directory and to the limit of `params`.

    Raises
    ------
    UnusableFileError
        `encrypted`, `too large`, `unsupported` or `corrupt`.
    """
    most = decoding.BYTES_A_PIXEL * params.max_pixels
    if member.flag_bits & 1:
        raise UnusableFileError("encrypted", "it has a password")
    if member.file_size > most:
        raise UnusableFileError("too large", f"{member.file_size} bytes, at most {most}")
    try:
        with open_member(archive, member) as stream:
            data = stream.read(member.file_size + 1)  # one more: 0 would compare no checksum
    except NotImplementedError as error:
        raise UnusableFileError("unsupported", str(error)) from error
    if len(data) < member.file_size:
        raise UnusableFileError(
            "corrupt", f"{len(data)} bytes, {member.file_size} in the directory"
        )
    return data
