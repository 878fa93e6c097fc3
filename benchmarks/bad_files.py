"""Bad and odd files as data: what is odd, how it is made, and the outcome of `clean`."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from benchmarks import hostile, odd_bytes

KEPT = "kept"
GIB = 1 << 30


@dataclass(frozen=True)
class BadFile:
    """An entry of the archive, and the outcome that `clean` must have.

    Attributes
    ----------
    name
        Of the entry.
    odd
        What is odd about it.
    packed
        Makes the bytes in the archive, as compressed by `method`.
    outcome
        `KEPT` or one of `tabulation.REASONS`.
    method, flags, mode, size, crc, starts_at
        Fields of the entry's headers; None for the true value.
    """

    name: str
    odd: str
    packed: Callable[[], bytes]
    outcome: str
    method: int = zipfile.ZIP_STORED
    flags: int = 0
    mode: int = stat.S_IFREG | 0o644
    size: int | None = None
    crc: int | None = None
    starts_at: int | None = None

    @property
    def path(self) -> str:
        """The name as it is read: up to the first zero byte, with slashes for backslashes."""
        return self.name.partition("\0")[0].replace("\\", "/")


def write_archive(path: Path, files: list[BadFile]) -> Path:
    """Write a zip (APPNOTE.TXT 6.3.10, 4.3) whose headers have the fields of each `BadFile`."""
    directory = b""
    with path.open("wb") as target:
        for file in files:
            data, name = file.packed(), file.name.encode()
            size = len(data) if file.size is None else file.size
            crc = zlib.crc32(data) if file.crc is None else file.crc
            fields = (20, file.flags | 0x800, file.method, 0, 33, crc, len(data), size, len(name))
            at = target.tell() if file.starts_at is None else file.starts_at
            target.write(struct.pack("<4s5H3I2H", b"PK\3\4", *fields, 0) + name + data)
            directory += struct.pack(
                "<4s6H3I5H2I", b"PK\1\2", 20 | 3 << 8, *fields, 0, 0, 0, 0, file.mode << 16, at
            )
            directory += name
        end = target.tell()
        counts = (0, 0, len(files), len(files), len(directory), end, 0)
        target.write(directory + struct.pack("<4s4H2IH", b"PK\5\6", *counts))
    return path


MAX_PIXELS = 16_000_000
SIDE = 4000
"""Side of the largest square that `MAX_PIXELS` allows."""

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TURNED = Image.Exif()
TURNED[0x0112] = 6


def good() -> list[BadFile]:
    """Return some good files of both classes."""
    return [
        BadFile(f"{label}/good {seed}.png", "nothing", partial(odd_bytes.mode, seed, "PNG"), KEPT)
        for label, seeds in (("human", (1, 2)), ("ai", (3, 4)))
        for seed in seeds
    ]


def corpus() -> list[BadFile]:
    """Return all bad and odd files."""
    numbered = enumerate([*_formats(), *_damaged(), *_no_pictures(), *_bombs(), *_hostile()])
    human = [replace(file, name=f"human/{number:03d}{file.name}") for number, file in numbered]
    return [*human, *_entries()]


def _formats() -> Iterator[BadFile]:
    """Yield files of every format and mode, as published sets have them."""
    for number, (kind, options) in enumerate(
        [("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {}),
         ("AVIF", {}), ("JPEG", {"progressive": True}), ("WEBP", {"lossless": True}),
         ("TIFF", {"compression": "tiff_lzw"}), ("PNG", {"icc_profile": SRGB}),
         ("JPEG", {"icc_profile": b"rubbish" * 30}), ("JPEG", {"exif": TURNED})]
    ):  # fmt: skip
        odd = f"{kind} {', '.join(options)}".strip()
        yield BadFile(
            f".{kind.lower()}", odd, partial(odd_bytes.mode, 10 + number, kind, **options), KEPT
        )
    for number, (mode, kind) in enumerate(
        [("1", "PNG"), ("L", "JPEG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "PNG"),
         ("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF"), ("LAB", "TIFF")]
    ):  # fmt: skip
        yield BadFile(
            "", f"{mode} in {kind}", partial(odd_bytes.mode, 40 + number, kind, mode), KEPT
        )
    yield BadFile(".png", "16 bits a channel, grey", partial(odd_bytes.deep, 16, 60), KEPT)
    yield BadFile(".tif", "32-bit floats", partial(odd_bytes.deep, 32, 61), "unsupported")
    yield BadFile(".jpg", "a PNG named .jpg", partial(odd_bytes.mode, 62, "PNG"), KEPT)
    yield BadFile(".txt", "a JPEG named .txt", partial(odd_bytes.mode, 63, "JPEG"), KEPT)
    yield BadFile(".jpg", "two views (MPO)", partial(odd_bytes.frames, "MPO", 64), KEPT)
    for number, kind in enumerate(("GIF", "PNG", "WEBP", "TIFF", "AVIF")):
        yield BadFile(
            "",
            f"two frames, {kind}",
            partial(odd_bytes.frames, kind, 70 + number),
            "unsupported" if kind == "TIFF" else "animated",
        )


def _damaged() -> Iterator[BadFile]:
    """Yield files cut at every tenth, and files with one byte changed."""
    for kind in ("JPEG", "PNG", "WEBP"):
        for tenths in range(1, 10):
            make = partial(odd_bytes.cut, kind, tenths)
            yield BadFile("", f"{kind}, {tenths}/10 of it", make, "corrupt")
    for number, (kind, place, outcome) in enumerate([
        ("PNG", 5000, "corrupt"), ("PNG", 23, "corrupt"), ("TIFF", 9000, KEPT),
        ("JPEG", 180, "corrupt"), ("JPEG", 900, KEPT), ("GIF", 0, "not a picture"),
        ("WEBP", 5, "corrupt"), ("WEBP", 600, KEPT),
    ]):  # fmt: skip
        odd = f"{kind}, the bits of byte {place} flipped"
        make = partial(odd_bytes.flipped, kind, place, 80 + number)
        yield BadFile("", odd, make, outcome)
    yield BadFile(
        ".jpg", "bytes behind its end", partial(odd_bytes.around, 200, b"", bytes(999)), KEPT
    )
    yield BadFile(
        ".jpg", "bytes before its start", partial(odd_bytes.around, 201, b"x"), "not a picture"
    )


def _no_pictures() -> Iterator[BadFile]:
    """Yield files that are no pictures, or too small ones."""
    for odd, data, outcome in [
        ("empty", b"", "empty"),
        ("one byte", b"\xff", "not a picture"),
        ("zeros", bytes(5000), "not a picture"),
        ("a JPEG's first three bytes", b"\xff\xd8\xff", "corrupt"),
        ("a PNG's signature", b"\x89PNG\r\n\x1a\n", "corrupt"),
        ("a page", b"<!DOCTYPE html><html><body>404</body></html>", "not a picture"),
        ("SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported"),
        ("PDF", b"%PDF-1.7\n%%EOF", "unsupported"),
        ("PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported"),
    ]:
        yield BadFile(".jpg", odd, partial(bytes, data), outcome)
    yield BadFile(".ico", "an icon", partial(odd_bytes.mode, 300, "ICO"), "unsupported")
    yield BadFile(".ppm", "a PPM", partial(odd_bytes.mode, 301, "PPM"), "unsupported")
    yield BadFile(".png", "16 x 16", partial(odd_bytes.png, 16, 2, 8), "too small")
    yield BadFile(".zip", "a zip in the zip", partial(odd_bytes.nested, 1), "not a picture")
    yield BadFile(
        ".zip", "zips in zips, 100 TB in all", partial(odd_bytes.nested, 8), "not a picture"
    )


def _bombs() -> Iterator[BadFile]:
    """Yield files whose headers claim large pictures, and small files with large pictures."""
    square = struct.pack("<HH", 60000, 60000)
    for kind, offset, claim in [
        ("GIF", 6, square), ("BMP", 18, struct.pack("<ii", 60000, 60000))
    ]:  # fmt: skip
        odd = f"{kind} claiming 60000 x 60000"
        yield BadFile("", odd, partial(odd_bytes.claiming, kind, offset, claim), "too large")
    for odd, make, outcome in [
        (
            "JPEG claiming 60000 x 60000",
            partial(odd_bytes.jpeg_claiming, 60000, 60000),
            "too large",
        ),
        ("PNG claiming 60000 x 60000", partial(odd_bytes.png, 60000, 2, 8, rows=1), "too large"),
        ("TIFF claiming 60000 x 60000", partial(odd_bytes.tiff, 60000, 64, 1, b""), "too large"),
        ("JPEG claiming max_pixels", partial(odd_bytes.jpeg_claiming, SIDE, SIDE), KEPT),
        ("PNG of max_pixels, RGB", partial(odd_bytes.png, SIDE, 2, 8), KEPT),
        ("PNG of max_pixels, 16-bit RGBA", partial(odd_bytes.png, SIDE, 6, 16), KEPT),
        ("PNG of max_pixels + 1 row", partial(odd_bytes.png, SIDE + 1, 0, 8), "too large"),
        ("WEBP of max_pixels in 46 bytes", partial(odd_bytes.large_webp, SIDE), KEPT),
        ("PNG with a remark of 64 MiB", odd_bytes.text_bomb, "corrupt"),
        ("TIFF, 80 x 80 in a tile of 40000 x 40000", odd_bytes.tiled, "too large"),
    ]:
        yield BadFile("", odd, make, outcome)


def _hostile() -> Iterator[BadFile]:
    """Yield files that are built to take a decoder's time or memory, deflated."""
    for odd, data, outcome in [
        ("TIFF with 101 pages more", hostile.tiff_pages(101), "unsupported"),
        ("TIFF with 100,000 pages more", hostile.tiff_pages(100_000), "too large"),
        ("TIFF turned by 5 million fractions", hostile.tiff_rationals(5_000_000), "too large"),
        ("JPEG of 2 million segments", hostile.jpeg_segments(2_000_000), "too large"),
        ("JPEG turned by 5 million fractions", hostile.exif_rationals(5_000_000), "too large"),
        ("JPEG with a MB between segments", hostile.jpeg_junk(1_000_000), "too large"),
        ("JPEG of 101 scans", hostile.jpeg_scans(92), "too large"),
        ("JPEG of 20 scans", hostile.jpeg_scans(11), KEPT),
        ("PNG of 700,000 chunks", hostile.png_chunks(700_000), "too large"),
        ("PNG with 200 texts of a MiB", hostile.png_texts(200), "corrupt"),
        ("GIF of 300,000 frames", hostile.gif_frames(300_000), "too large"),
        ("AVIF of max_pixels, transparent", hostile.large_avif(SIDE), KEPT),
    ]:
        deflated = partial(odd_bytes.deflated, data)
        size, crc = len(data), zlib.crc32(data)
        yield BadFile("", odd, deflated, outcome, zipfile.ZIP_DEFLATED, size=size, crc=crc)


def _entries() -> Iterator[BadFile]:
    """Yield entries with odd headers in the archive."""
    for number, (name, odd, outcome) in enumerate([
        ("../../human/up.png", "`..` in its name", KEPT),
        ("/tmp/human/absolute.png", "an absolute name", KEPT),
        ("C:/human/drive.png", "a drive in its name", KEPT),
        ("human\\windows.png", "backslashes in its name", KEPT),
        ("human/\u6f22 \u00e9 \U0001f3a8.png", "letters of other scripts", KEPT),
        ('human/a "quoted", \r\n name.png', "quotes and lines in its name", KEPT),
        ("human/zero\0.png", "a zero byte in its name", KEPT),
        (f"human/{'long' * 500}.png", "a name of 2000 letters", KEPT),
        ("human/twice.png", "a repeated name", KEPT),
        ("human/twice.png", "a repeated name", KEPT),
        ("elsewhere/x.png", "in no folder of a class", "unlabelled"),
    ]):  # fmt: skip
        yield BadFile(name, odd, partial(odd_bytes.mode, 400 + number, "PNG"), outcome)
    link = stat.S_IFLNK | 0o777
    noise, photo = np.random.default_rng(0).bytes, partial(odd_bytes.mode, 450, "PNG")
    deflate = zipfile.ZIP_DEFLATED
    bomb = partial(odd_bytes.deflate_bomb, 3 * GIB)
    photo_crc = zlib.crc32(photo())
    yield from [
        BadFile("human/link.png", "a link", lambda: b"/etc/passwd", "not a picture", mode=link),
        BadFile("human/secret.png", "encrypted", lambda: noise(900), "encrypted", flags=1),
        BadFile("human/strong.png", "strong encryption", lambda: noise(900), "encrypted",
                flags=65),
        BadFile("human/patch.png", "a patch (flag bit 5)", photo, "unsupported", flags=32),
        BadFile("human/sum.png", "another checksum", photo, "corrupt", crc=1),
        BadFile("human/stream.png", "no deflate stream", photo, "corrupt", deflate),
        BadFile("human/method.png", "an unknown method", photo, "unsupported", 97),
        BadFile("human/place.png", "no entry at its offset", photo, "corrupt", starts_at=7),
        BadFile("human/over.png", "the place of another", photo, "corrupt", starts_at=0),
        BadFile("human/short.png", "claims 99 bytes, has more", photo, "corrupt", size=99),
        BadFile("human/none.png", "claims 0 bytes, has more", photo, "corrupt", size=0),
        BadFile("human/more.png", "claims 4 GB, has less", photo, "too large", size=2**32 - 2),
        BadFile("human/bomb.png", "3 MB that become 3 GiB", bomb, "too large", deflate,
                size=3 * GIB),
        BadFile("human/lie.png", "the same, claiming 5000 bytes", bomb, "corrupt", deflate,
                size=5000),
        BadFile("human/bomb.bz2", "bzip2 of 256 MiB, claiming 5000 bytes",
                partial(odd_bytes.packed_zeros, zipfile.ZIP_BZIP2, GIB // 4), "unsupported",
                zipfile.ZIP_BZIP2, size=5000),
        BadFile("human/bomb.xz", "LZMA of 256 MiB, claiming 5000 bytes",
                partial(odd_bytes.packed_zeros, zipfile.ZIP_LZMA, GIB // 4), "unsupported",
                zipfile.ZIP_LZMA, size=5000),
        BadFile("human/fine.png", "deflated", lambda: odd_bytes.deflated(photo()), KEPT, deflate,
                size=len(photo()), crc=photo_crc),
        BadFile("human/finer.png", "a copy of it", photo, "duplicate"),
    ]  # fmt: skip
