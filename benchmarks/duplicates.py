"""How well and how fast near-duplicates are found: recall, precision, false pairs, time, memory.

    python -m benchmarks.duplicates [--pictures ZIP ...] [--sheet PNG]
    python -m benchmarks.duplicates --group 400000 800000    # time and memory alone

    python -m benchmarks.duplicates --lookalikes 2000 [--pictures ZIP ...]    # false pairs

Prints tables in Markdown. Originals are the pictures of the zips, without their own copies, and
rendered ones of the sample up to `--originals`; with no zips all are rendered. The first
`--changed` of them, in an order drawn by a fixed seed, are changed in every way.
"""

import argparse
import io
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from benchmarks import lookalikes
from realart.core.parallel import map_parallel
from realart.data import decoding, hamming, near_duplicates, pictures, sample
from realart.data.deduplication import find_exclusions
from realart.data.fingerprints import Fingerprint, Fingerprints, fingerprint, orient_hashes
from realart.data.near_duplicates import SEARCHES, components, forest
from realart.params import load_params

SEED = 7  # not that of the pipeline's sample
Change = Callable[[Image.Image], Image.Image]


def same(image: Image.Image) -> Image.Image:
    return image


def scaled(factor: float) -> Change:
    return lambda image: ImageOps.scale(image, factor, Image.Resampling.LANCZOS)


def centred(share: float) -> Change:
    """Cut `share` of both sides away, half of it at either end."""

    def change(image: Image.Image) -> Image.Image:
        x, y = round(image.width * share / 2), round(image.height * share / 2)
        return image.crop((x, y, image.width - x, image.height - y))

    return change


def cornered(share: float) -> Change:
    return lambda image: image.crop(
        (round(image.width * share), round(image.height * share), image.width, image.height)
    )


def shortened(share: float) -> Change:
    return lambda image: image.crop((0, 0, image.width, round(image.height * (1 - share))))


def marked(image: Image.Image) -> Image.Image:
    image = image.copy()
    place, size = (image.width * 0.05, image.height * 0.8), max(10, image.width // 12)
    white = (255, 255, 255, 160)
    ImageDraw.Draw(image, "RGBA").text(place, "(c) gallery.example", white, font_size=size)
    return image


def captioned(image: Image.Image) -> Image.Image:
    bar = max(8, round(image.height * 0.08))
    result = Image.new("RGB", (image.width, image.height + bar), "white")
    result.paste(image)
    place = (image.width * 0.05, image.height + bar * 0.1)
    ImageDraw.Draw(result).text(place, "Untitled, oil on canvas", "black", font_size=bar * 0.7)
    return result


def brighter(factor: float) -> Change:
    return lambda image: ImageEnhance.Brightness(image).enhance(factor)


def contrasted(factor: float) -> Change:
    return lambda image: ImageEnhance.Contrast(image).enhance(factor)


def grey(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("RGB")


def turned(degrees: float) -> Change:
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")


def chained(*changes: Change) -> Change:
    def change(image: Image.Image) -> Image.Image:
        for one in changes:
            image = one(image)
        return image

    return change


KINDS: dict[str, tuple[Change, str, int]] = {
    **{f"JPEG, quality {quality}": (same, "JPEG", quality) for quality in (50, 75, 95)},
    "WebP, quality 75": (same, "WEBP", 75),
    **{f"resized to {by}": (scaled(by), "JPEG", 85) for by in (0.25, 0.5, 0.75, 1.5, 2)},
    **{f"cropped {s:.0%}, centre left": (centred(s), "JPEG", 85) for s in (0.02, 0.05, 0.1)},
    **{f"cropped {s:.0%}, below": (shortened(s), "JPEG", 85) for s in (0.02, 0.05, 0.1)},
    **{f"cropped {s:.0%}, corner left": (cornered(s), "JPEG", 85) for s in (0.02, 0.05, 0.1)},
    **{f"brightness {by - 1:+.0%}": (brighter(by), "JPEG", 85) for by in (0.75, 0.9, 1.1, 1.25)},
    **{f"contrast {by - 1:+.0%}": (contrasted(by), "JPEG", 85) for by in (0.75, 1.25)},
    "mirrored": (ImageOps.mirror, "JPEG", 85),
    "watermark": (marked, "JPEG", 85),
    "caption below": (captioned, "JPEG", 85),
    "grey": (grey, "JPEG", 85),
    "turned 2 degrees": (turned(2), "JPEG", 85),
    "mirrored, half size": (chained(ImageOps.mirror, scaled(0.5)), "JPEG", 60),
    "cropped 5%, half size": (chained(centred(0.05), scaled(0.5)), "JPEG", 60),
    "cropped 5%, mirrored": (chained(centred(0.05), ImageOps.mirror), "JPEG", 60),
    "cropped 5% below, mirrored": (chained(shortened(0.05), ImageOps.mirror), "JPEG", 60),
}


def usable(path: Path) -> Iterable[tuple[str, bytes]]:
    """Yield names and bytes of the files of a zip that are pictures."""
    params = load_params().clean
    with ZipFile(path) as opened:
        for name in sorted(opened.namelist()):
            data = opened.read(name)
            try:
                decoding.decode(data, params.max_pixels, params.min_side)
            except decoding.UnusableFileError:
                continue
            yield f"{path.stem}/{name}", data


def printed(data: bytes) -> Fingerprint:
    return fingerprint(decoding.read(data), data)


def changed(data: bytes) -> list[Fingerprint]:
    """Return the fingerprints of a picture after each of `KINDS`, saved and decoded again."""
    image = decoding.read(data)
    found = []
    for change, kind, quality in KINDS.values():
        buffer = io.BytesIO()
        change(image).save(buffer, kind, quality=quality)
        found.append(printed(buffer.getvalue()))
    return found


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row)} |", flush=True)


def recall(originals: list[Fingerprint], copies: list[list[Fingerprint]]) -> None:
    params = load_params().clean
    count, rows = len(originals), []
    for number, name in enumerate(KINDS):
        prints = Fingerprints([*originals, *(of[number] for of in copies)])
        edges = forest(prints, params.similar)
        row: list[object] = [name]
        for level in (params.duplicate, params.similar):
            groups = components(2 * count, edges[edges[:, 2] >= level])
            joined = groups[:count, None] == groups[None, count:]
            true = int(joined.diagonal().sum())
            row += [f"{true / count:.3f}", f"{true / max(int(joined.sum()), 1):.3f}"]
        rows.append(row)
    levels = [f"{what} at {level}" for level in (params.duplicate, params.similar)
              for what in ("recall", "precision")]  # fmt: skip
    title = f"Copies of {count} originals, and whether they fall into the group of their original"
    table(title, ["change", *levels], rows)


def false_pairs(
    names: list[str], originals: list[Fingerprint], show: Callable[[int], bytes], sheet: Path | None
) -> None:
    """Print how many pairs of different originals look alike, and which look most so."""
    best: dict[tuple[int, int], float] = {}
    for block in near_duplicates.pairs(Fingerprints(originals), 0.7):
        for i, j, score in block.tolist():
            best[int(i), int(j)] = max(score, best.get((int(i), int(j)), 0))
    total = len(names) * (len(names) - 1) // 2
    levels = (0.97, 0.95, 0.9, 0.85, 0.8, 0.7)
    counts = [sum(score >= level for score in best.values()) for level in levels]
    rows = [(level, n, f"{n / total:.1e}") for level, n in zip(levels, counts, strict=True)]
    table(f"{len(names)} originals, {total} pairs", ["correlation from", "pairs", "rate"], rows)
    worst = sorted(best.items(), key=lambda item: -item[1])[:12]
    if worst:
        table("Most alike", ["correlation", "one", "other"],
              [(f"{score:.3f}", names[i], names[j]) for (i, j), score in worst])  # fmt: skip
    if sheet:
        drawn = Image.new("RGB", (200 * max(len(worst), 1), 400), "grey")
        for column, (pair, _) in enumerate(worst):
            for row, index in enumerate(pair):
                image = decoding.read(show(index))
                drawn.paste(ImageOps.contain(image, (196, 196)), (200 * column, 200 * row))
        drawn.save(sheet)


def drawn(kind: str, picture: tuple[int, bytes]) -> Fingerprint:
    """Return the fingerprint of an original of `lookalikes.KINDS`, saved as JPEG."""
    number, data = picture
    inside = pictures.limit_size(decoding.read(data), lookalikes.LONG_SIDE)
    return saved(lookalikes.KINDS[kind](inside, np.random.default_rng([SEED, number])))


def saved(image: Image.Image) -> Fingerprint:
    """Return the fingerprint of an image saved as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return printed(buffer.getvalue())


def lookalike_pairs(files: Sequence[bytes]) -> None:
    """Print how many pairs of different originals of each kind look alike, and what it would cost.

    Related in part are edges of `forest` that agree in part only; lost are those that `clean`
    rejects, if all have the same label.
    """
    params, rows = load_params().clean, []
    total = len(files) * (len(files) - 1) // 2
    for kind in lookalikes.KINDS:
        prints = Fingerprints(
            map_parallel(partial(drawn, kind), [*enumerate(files)], kind, "picture")
        )
        edges = forest(prints, params.similar)
        best = {(int(i), int(j)): score for block in near_duplicates.pairs(prints, params.similar)
                for i, j, score in block.tolist()}  # fmt: skip
        same = sum(score >= params.duplicate for score in best.values())
        groups = np.bincount(components(len(files), edges))
        labels, ranks = ["ai"] * len(files), [(i,) for i in range(len(files))]
        lost = len(find_exclusions(prints, edges, labels, ranks, params.duplicate))
        scenes = int((edges[:, 2] < params.similar).sum())
        rows.append((kind, same, f"{same / total:.1e}", len(best), f"{len(best) / total:.1e}",
                     scenes, f"{scenes / total:.1e}", groups.max(), lost))  # fmt: skip
    head = ["kind", f"pairs at {params.duplicate}", "rate", f"pairs at {params.similar}", "rate",
            "related in part", "rate", "largest group", "lost"]  # fmt: skip
    table(f"{len(files)} different originals of each kind, {total} pairs", head, rows)


def shown(kind: str, frame: tuple[float, bytes, bytes]) -> Fingerprint:
    """Return the fingerprint of a frame of one of `lookalikes.SCENES`, saved as JPEG."""
    share, *files = frame
    one, other = (pictures.limit_size(decoding.read(data), lookalikes.LONG_SIDE) for data in files)
    return saved(lookalikes.SCENES[kind](one, other, share))


def chains(files: Sequence[bytes], frames: int = 100) -> None:
    """Print how many frames of slow scenes are left out, from one picture to the next of `files`.

    By chains: as many as go where all that pairs link together counts as one picture.
    """
    clean, rows = load_params().clean, []
    scenes = list(zip(files[::2], files[1::2], strict=False))
    labellings = {
        "of one label": ["ai"] * frames,
        "the first of another": ["human"] + ["ai"] * (frames - 1),
    }
    for kind in lookalikes.SCENES:
        chained, lost, groups = dict.fromkeys(labellings, 0), dict.fromkeys(labellings, 0), 0
        for one, other in scenes:
            moments = [(n / (frames - 1), one, other) for n in range(frames)]
            prints = Fingerprints(map_parallel(partial(shown, kind), moments, kind, "frame"))
            edges = forest(prints, clean.similar)
            groups += len(np.unique(components(frames, edges)))
            linked = components(frames, edges[edges[:, 2] >= clean.duplicate])
            for name, labels in labellings.items():
                for chain in map(np.flatnonzero, linked == np.unique(linked)[:, None]):
                    chained[name] += len(chain) - (len({labels[n] for n in chain}) == 1)
                ranks = [(n,) for n in range(frames)]
                lost[name] += len(find_exclusions(prints, edges, labels, ranks, clean.duplicate))
        rows += [(kind, name, chained[name], lost[name], groups) for name in labellings]
    head = ["scene", "labels", "lost by chains", "lost", "groups"]
    table(f"{len(scenes)} scenes of {frames} frames each", head, rows)


def hashes(kind: str, count: int) -> NDArray[np.uint64]:
    """Draw the hashes of `count` pictures, shape (count, 10): random, or with large buckets.

    Skewed ones share a chunk in a twentieth of the pictures, and all bits in 500 of them.
    """
    drawn = np.random.default_rng(SEED).integers(0, 2**64, (count, 10), dtype=np.uint64)
    if kind == "skewed":
        drawn[: count // 20] &= np.uint64(0xFFFF_FFFF_FFFF_0000)
        drawn[-500:] = drawn[-1]
    return drawn


def grouped(kind: str, count: int) -> tuple[float, float]:
    """Return the processor time in s and the peak memory in MiB that grouping adds."""
    looks = np.random.default_rng(SEED).integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)
    prints = Fingerprints(
        Fingerprint(i.to_bytes(4, "big"), row, looks[i % 64], flat=False, sparse=False)
        for i, row in enumerate(hashes(kind, count))
    )
    start = time.process_time()
    forest(prints, 0.9)
    spent = time.process_time() - start
    tracemalloc.start()  # in a run of its own, which it slows down
    forest(prints, 0.9)
    return spent, tracemalloc.get_traced_memory()[1] / 2**20


def compared(drawn: NDArray[np.uint64]) -> int:
    """Count near pairs by comparing all with all, for every search."""
    found = 0
    for view, turn, radius in SEARCHES:
        for query in orient_hashes(drawn[:, view], turn):
            found += int((np.bitwise_count(drawn[:, 0] ^ query) <= radius).sum())
    return found


def joined(drawn: NDArray[np.uint64]) -> int:
    """Count the same pairs by the join."""
    return sum(
        len(i)
        for view, turn, radius in SEARCHES
        for i, _ in hamming.near_pairs(orient_hashes(drawn[:, view], turn), drawn[:, 0], radius)
    )


def grouping(drawn: Iterable[tuple[str, int]]) -> None:
    rows = []
    for kind, count in drawn:
        with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
            spent, memory = fresh.submit(grouped, kind, count).result()
        rows.append((kind, f"{count:,}", f"{spent:.1f}", f"{memory:.0f}"))
    table("Grouping", ["hashes", "pictures", "processor time (s)", "extra memory (MiB)"], rows)


def speed() -> None:
    grouping([*(("random", count) for count in (50_000, 100_000, 200_000)), ("skewed", 200_000)])
    drawn = hashes("random", 20_000)
    (found, slow), (also_found, fast) = (timed(count, drawn) for count in (compared, joined))
    assert found == also_found
    print(f"\n20,000 pictures, {found} near pairs: {slow:.1f} s by comparing all with all, "
          f"{fast:.1f} s by the join, {slow / fast:.0f} times faster")  # fmt: skip


def timed(
    count: Callable[[NDArray[np.uint64]], int], drawn: NDArray[np.uint64]
) -> tuple[int, float]:
    start = time.process_time()
    return count(drawn), time.process_time() - start


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], metavar="ZIP")
    parser.add_argument("--originals", type=int, default=2200, help="pictures without a copy")
    parser.add_argument("--changed", type=int, default=300, help="how many of them are changed")
    parser.add_argument(
        "--group", type=int, nargs="+", metavar="N", help="that many hashes, no more"
    )
    parser.add_argument(
        "--lookalikes", type=int, metavar="N", help="that many originals of each kind, no more"
    )
    parser.add_argument("--sheet", type=Path, help="where to draw the pairs that are most alike")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    if arguments.group:
        grouping(("random", count) for count in arguments.group)
        return
    real = [one for path in arguments.pictures for one in usable(path)]
    prints = list(map_parallel(printed, [data for _, data in real], "originals"))
    groups = components(len(real), forest(Fingerprints(prints), load_params().clean.similar))
    wanted = arguments.lookalikes or arguments.originals
    first = np.unique(groups, return_index=True)[1][:wanted]
    count = wanted - len(first)
    rendered = list(map_parallel(partial(sample.picture, seed=SEED), range(count), "render"))
    files = [real[i] for i in first] + [(f"rendered/{one.name}", one.data) for one in rendered]
    names = [name for name, _ in files]
    origins = sorted({name.split("/")[0] for name in names})
    table("Originals", ["from", "pictures"],
          [(o, sum(n.split("/")[0] == o for n in names)) for o in origins])  # fmt: skip
    if arguments.lookalikes:
        lookalike_pairs([data for _, data in files])
        chains([data for _, data in files[:20]])
        return
    drawn = np.random.default_rng(SEED).permutation(len(files))[: arguments.changed]
    prints = [prints[i] for i in first]
    prints += map_parallel(printed, [one.data for one in rendered], "originals")
    copies = list(map_parallel(changed, [files[i][1] for i in drawn], "change"))
    recall([prints[i] for i in drawn], copies)
    false_pairs(names, prints, lambda i: files[i][1], arguments.sheet)
    speed()


if __name__ == "__main__":
    main()
