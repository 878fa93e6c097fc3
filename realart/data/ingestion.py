"""Ingestion of a published file, decoded once: its stored form, its header and its fingerprint."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import ZipInfo

from realart.data import decoding, pictures
from realart.data.archive import UNREADABLE, Archive, cached_archive, open_member
from realart.data.decoding import UnusableFileError
from realart.data.fingerprints import Fingerprint, fingerprint
from realart.data.headers import Header
from realart.params import Clean


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """A published file that shows a picture.

    `id` is a hash of its bytes, `bytes` their number, and `file` the name of its stored form.
    """

    id: str
    bytes: int
    header: Header
    file: str


def ingest(
    params: Clean, item: tuple[Path, ZipInfo]
) -> tuple[IngestedFile, Fingerprint, bytes] | UnusableFileError:
    """Decode a file of a zip archive or a folder, and encode its stored form.

    Parameters
    ----------
    params
        The limits and the encoding.
    item
        The path of the archive, and the file's entry in it.

    Returns
    -------
    tuple or UnusableFileError
        The ingested file, its fingerprint and its stored form; or the error, returned and not
        raised, of a file that can't become a picture.
    """
    archive, member = item
    try:
        data = read_bounded(cached_archive(archive), member, params)
        image, header = decoding.decode(data, params.max_pixels, params.min_side)
    except UnusableFileError as error:
        return error
    except UNREADABLE as error:
        return UnusableFileError("corrupt", str(error))
    name = sha256(data).hexdigest()[:16]
    suffix = header.format.lower() if params.encoding == "original" else "jpg"
    stored = pictures.stored(data, image, params)
    file = IngestedFile(name, len(data), header, f"{name}.{suffix}")
    return file, fingerprint(image, stored), stored


def ingest_file(
    params: Clean, folder: Path, item: tuple[Path, ZipInfo]
) -> tuple[IngestedFile, Fingerprint] | UnusableFileError:
    """Ingest a file as `ingest` does, and write its stored form into `folder`."""
    ingested = ingest(params, item)
    if isinstance(ingested, UnusableFileError):
        return ingested
    file, print_of_file, stored = ingested
    (folder / file.file).write_bytes(stored)
    return file, print_of_file


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
