"""A published file, decoded once: what is stored of it, and what it is judged by."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from realart.data import pictures
from realart.data.archive import UNREADABLE, kept_open, unpacked
from realart.data.fingerprints import Fingerprint, fingerprint
from realart.data.headers import Header
from realart.data.pictures import UnusableFileError
from realart.params import Clean


@dataclass(frozen=True, slots=True)
class DecodedFile:
    """A published file that shows a picture: the hash and count of its bytes, and what is stored.

    `file` is the name of that in the folder of stored files.
    """

    id: str
    bytes: int
    header: Header
    file: str


def look(
    params: Clean, folder: Path, item: tuple[Path, ZipInfo]
) -> tuple[DecodedFile, Fingerprint] | UnusableFileError:
    """Decode a file of a zip archive and write what is stored of it into `folder`, or say why not.

    `item` is the archive and the file's entry in its directory.
    """
    archive, member = item
    try:
        data = _read(kept_open(archive), member, params)
        image, header = pictures.decode(data, params.max_pixels, params.min_side)
    except UnusableFileError as unusable:
        return unusable
    except UNREADABLE as error:
        return UnusableFileError("corrupt", str(error))
    name = sha256(data).hexdigest()[:16]
    suffix = header.format.lower() if params.encoding == "original" else "jpg"
    file = f"{name}.{suffix}"
    stored = pictures.stored(data, image, params)
    (folder / file).write_bytes(stored)
    return DecodedFile(name, len(data), header, file), fingerprint(image, stored)


def _read(archive: ZipFile, member: ZipInfo, params: Clean) -> bytes:
    """Unpack a file, never beyond the size that the archive's directory says, nor beyond ours."""
    most = pictures.BYTES_A_PIXEL * params.max_pixels
    if member.flag_bits & 1:
        raise UnusableFileError("encrypted", "it has a password")
    if member.file_size > most:
        raise UnusableFileError("too large", f"{member.file_size} bytes, at most {most}")
    try:
        with unpacked(archive, member) as stream:
            data = stream.read(member.file_size + 1)  # one more: 0 would compare no checksum
    except NotImplementedError as error:
        raise UnusableFileError("unsupported", str(error)) from error
    if len(data) < member.file_size:
        raise UnusableFileError(
            "corrupt", f"{len(data)} bytes, {member.file_size} in the directory"
        )
    return data
