"""Decode mutated and hostile files of all formats: `python -m benchmarks.fuzz --seconds 1800`.

Each file is decoded as `clean` and `predict` do. It must end as a picture or with a reason, and
within the limits of `realart.data.limits`; files that do not are written to `--keep`. Prints how
many files were tried, their outcomes, the slowest and the largest, and all that reached a limit or
raised anything else.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from heapq import nlargest
from pathlib import Path

from PIL import Image

from benchmarks import hostile, measured_decode, odd_bytes
from benchmarks.bad_files import SRGB, TURNED
from benchmarks.measured_decode import Cost
from realart.core.hashing import picture_id
from realart.data import limits
from realart.data.decoding import UnusableFileError
from realart.params import load_params

MAX_PIXELS = 1_000_000
HOSTILE = 0.02
"""Share of files that are built to be hostile; they take far longer than others."""
SHOWN = 5
"""Slowest and largest files that are printed."""
LARGEST_REPEAT = 1 << 20
"""Bytes to which a piece of a file is repeated at most."""
MAKERS: dict[Callable[[int], bytes], int] = {
    hostile.tiff_pages: 500_000,
    hostile.tiff_rationals: 500_000,
    hostile.exif_rationals: 500_000,
    hostile.jpeg_segments: 500_000,
    hostile.jpeg_junk: 500_000,
    hostile.jpeg_scans: 500,
    hostile.png_chunks: 500_000,
    hostile.png_texts: 500,
    hostile.gif_frames: 500_000,
    hostile.bmp_lines: 2_000_000,
}
"""What makes hostile files, and the most parts that a file gets."""
EXTREMES = tuple(map(bytes.fromhex, ("00000000", "ffffffff", "7fffffff", "ffffff7f", "00000001")))
"""Numbers of four bytes that are small or large in one order of bytes or the other."""


def seeds() -> dict[str, bytes]:
    """Return whole files of every format, by what they are."""
    exif = {"exif": TURNED, "icc_profile": SRGB}
    kinds: list[tuple[str, str, dict[str, object]]] = [
        ("JPEG", "RGB", exif), ("JPEG", "L", {}), ("JPEG", "CMYK", {}),
        ("JPEG", "RGB", {"progressive": True, "restart_marker_rows": 1}),
        ("PNG", "RGB", exif), ("PNG", "RGBA", {}), ("PNG", "P", {}), ("PNG", "1", {}),
        ("WEBP", "RGB", exif), ("WEBP", "RGBA", {"lossless": True}), ("GIF", "P", {}),
        ("BMP", "RGB", {}), ("BMP", "P", {}), ("TIFF", "RGB", exif),
        *(("TIFF", "RGB", {"compression": f"tiff_{name}"}) for name in ("lzw", "adobe_deflate")),
        ("TIFF", "YCbCr", {"compression": "jpeg"}), ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "RGB", {"compression": "zstd"}), ("TIFF", "RGB", {"compression": "lzma"}),
        ("TIFF", "RGB", {"compression": "packbits", "tiled": True}),
        ("AVIF", "RGB", exif), ("AVIF", "RGBA", {}),
    ]  # fmt: skip
    files = {
        f"{kind} {mode} {', '.join(options)}": odd_bytes.mode(number, kind, mode, **options)
        for number, (kind, mode, options) in enumerate(kinds)
    }
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "AVIF", "MPO"):
        files[f"{kind} of frames"] = odd_bytes.frames(kind, 1)
    deep = Image.new("I;16", (90, 80), 40_000)
    files["TIFF of 16 bits"] = odd_bytes.saved(deep, "TIFF")
    files["PNG of 16 bits"] = odd_bytes.deep(16, 1)
    return files


def hostile_file(chance: random.Random) -> tuple[str, bytes]:
    """Make a file that is built to take time or memory, of a size by chance."""
    maker = chance.choice([*MAKERS])
    return maker.__name__, maker(int(MAKERS[maker] ** chance.random()))


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Change a file at a few places, near its start more often than elsewhere."""
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at = int(len(data) * chance.random() ** chance.choice((1, 4)))
        size = chance.choice((1, 2, 4, 8, 64, 1024))
        piece = data[at : at + size]
        change = chance.randrange(8)
        if change == 0:
            piece = chance.randbytes(len(piece))
        elif change == 1:
            piece = b""
        elif change == 2:
            piece *= min(10 ** chance.randrange(1, 6), max(1, LARGEST_REPEAT // max(1, size)))
        elif change == 3:
            piece = chance.choice(EXTREMES) + piece[4:]
        elif change == 4:
            piece = bytes((value ^ 1 << chance.randrange(8)) for value in piece[:1]) + piece[1:]
        elif change == 5:
            start = chance.randrange(len(other))
            piece += other[start : start + size]
        elif change == 6:
            piece += data[chance.randrange(len(data)) :][:size]
        else:
            return data[: at + 1] if chance.random() < 0.3 else data + chance.randbytes(size)
        data = data[:at] + piece + data[at + size :]
    return data


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzzed"))
    options = parser.parse_args(arguments)
    clean = load_params(Path("params.yaml")).clean.model_copy(update={"max_pixels": MAX_PIXELS})
    read = partial(limits.within_limits, MAX_PIXELS, measured_decode.measure, clean)
    chance, files, end = random.Random(options.seed), seeds(), time.monotonic() + options.seconds
    outcomes, costs, broken = Counter[str](), list[tuple[Cost, str]](), list[str]()
    while time.monotonic() < end:
        built = chance.random() < HOSTILE
        name, data = hostile_file(chance) if built else chance.choice([*files.items()])
        mutated = mutate(data, chance.choice([*files.values()]), chance)
        label = f"{name} {picture_id(mutated)} ({len(mutated)} bytes)"
        try:
            cost = read(mutated)
            outcomes[cost.outcome] += 1
            costs.append((cost, label))
        except Exception as error:
            limit = isinstance(error, UnusableFileError)
            outcomes["limit" if limit else "raised"] += 1
            broken.append(f"{label}: {type(error).__name__}: {error}")
            options.keep.mkdir(exist_ok=True)
            (options.keep / picture_id(mutated)).write_bytes(mutated)
        if len(costs) > 10_000:
            costs = [*slowest(costs), *largest(costs)]
    bound = limits.bounds(MAX_PIXELS)
    print(f"{outcomes.total()} files, at most {bound.seconds} s and {bound.memory >> 20} MiB each")
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    for title, found in (("slowest", slowest(costs)), ("largest", largest(costs))):
        for cost, label in found:
            print(f"{title}: {cost.seconds:.2f} s, {cost.memory} MiB, {cost.outcome}: {label}")
    print("\n".join(broken) or "none reached a limit or raised anything else")


def slowest(costs: Sequence[tuple[Cost, str]]) -> list[tuple[Cost, str]]:
    return nlargest(SHOWN, set(costs), key=lambda item: item[0].seconds)


def largest(costs: Sequence[tuple[Cost, str]]) -> list[tuple[Cost, str]]:
    return nlargest(SHOWN, set(costs), key=lambda item: item[0].memory)


if __name__ == "__main__":
    main()
