"""Measure the search for near-duplicates: recall, precision, false pairs, time and memory.

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
    """Return a change that crops `share` of both sides, half at either end."""

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
    def apply(image: Image.Image) -> Image.Image:
        for change in changes:
            image = change(image)
        return image

    return apply


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


def fingerprint_of(data: bytes) -> Fingerprint:
    return fingerprint(decoding.read(data), data)


def changed_fingerprints(data: bytes) -> list[Fingerprint]:
    """Return the fingerprints of a picture after each of `KINDS`, saved and decoded again."""
    image = decoding.read(data)
    prints = []
    for change, kind, quality in KINDS.values():
        buffer = io.BytesIO()
        change(image).save(buffer, kind, quality=quality)
        prints.append(fingerprint_of(buffer.getvalue()))
    return prints


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row)} |", flush=True)


def recall(originals: list[Fingerprint], copies: list[list[Fingerprint]]) -> None:
    params = load_params().clean
    count, rows = len(originals), []
    for number, name in enumerate(KINDS):
        prints = Fingerprints([*originals, *(changed_prints[number] for changed_prints in copies)])
        edges = forest(prints, params.similar)
        row: list[object] = [name]
        for level in (params.duplicate, params.similar):
            groups = components(2 * count, edges[edges[:, 2] >= level])
            grouped_together = groups[:count, None] == groups[None, count:]
            correct = int(grouped_together.diagonal().sum())
            row += [
                f"{correct / count:.3f}",
                f"{correct / max(int(grouped_together.sum()), 1):.3f}",
            ]
        rows.append(row)
    levels = [f"{metric} at {level}" for level in (params.duplicate, params.similar)
              for metric in ("recall", "precision")]  # fmt: skip
    title = f"Copies of {count} originals, and whether they fall into the group of their original"
    print_table(title, ["change", *levels], rows)


def false_pairs(
    names: list[str],
    originals: list[Fingerprint],
    read_file: Callable[[int], bytes],
    sheet: Path | None,
) -> None:
    """Print the number of similar pairs of different originals, and the most similar ones."""
    best: dict[tuple[int, int], float] = {}
    for block in near_duplicates.pairs(Fingerprints(originals), 0.7):
        for i, j, score in block.tolist():
            best[int(i), int(j)] = max(score, best.get((int(i), int(j)), 0))
    total = len(names) * (len(names) - 1) // 2
    levels = (0.97, 0.95, 0.9, 0.85, 0.8, 0.7)
    counts = [sum(score >= level for score in best.values()) for level in levels]
    rows = [(level, n, f"{n / total:.1e}") for level, n in zip(levels, counts, strict=True)]
    print_table(
        f"{len(names)} originals, {total} pairs", ["correlation from", "pairs", "rate"], rows
    )
    worst = sorted(best.items(), key=lambda item: -item[1])[:12]
    if worst:
        print_table("Most similar", ["correlation", "first", "second"],
              [(f"{score:.3f}", names[i], names[j]) for (i, j), score in worst])  # fmt: skip
    if sheet:
        canvas = Image.new("RGB", (200 * max(len(worst), 1), 400), "grey")
        for column, (pair, _) in enumerate(worst):
            for row, index in enumerate(pair):
                image = decoding.read(read_file(index))
                canvas.paste(ImageOps.contain(image, (196, 196)), (200 * column, 200 * row))
        canvas.save(sheet)


def lookalike_fingerprint(kind: str, picture: tuple[int, bytes]) -> Fingerprint:
    """Return the fingerprint of an original of `lookalikes.KINDS`, saved as JPEG."""
    number, data = picture
    inside = pictures.limit_size(decoding.read(data), lookalikes.LONG_SIDE)
    return saved_fingerprint(lookalikes.KINDS[kind](inside, np.random.default_rng([SEED, number])))


def saved_fingerprint(image: Image.Image) -> Fingerprint:
    """Return the fingerprint of an image saved as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return fingerprint_of(buffer.getvalue())


def lookalike_pairs(files: Sequence[bytes]) -> None:
    """Print how many pairs of different originals of each kind are similar, and how many are lost.

    "Related in part" counts edges of `forest` that agree in part only; "lost" counts originals that
    `clean` rejects if all have the same label.
    """
    params, rows = load_params().clean, []
    total = len(files) * (len(files) - 1) // 2
    for kind in lookalikes.KINDS:
        prints = Fingerprints(
            map_parallel(partial(lookalike_fingerprint, kind), [*enumerate(files)], kind, "picture")
        )
        edges = forest(prints, params.similar)
        best = {(int(i), int(j)): score for block in near_duplicates.pairs(prints, params.similar)
                for i, j, score in block.tolist()}  # fmt: skip
        duplicates = sum(score >= params.duplicate for score in best.values())
        groups = np.bincount(components(len(files), edges))
        labels, ranks = ["ai"] * len(files), [(i,) for i in range(len(files))]
        lost = len(find_exclusions(prints, edges, labels, ranks, params.duplicate))
        partly_related = int((edges[:, 2] < params.similar).sum())
        counts = (duplicates, len(best), partly_related)
        cells = [cell for count in counts for cell in (count, f"{count / total:.1e}")]
        rows.append((kind, *cells, groups.max(), lost))
    head = ["kind", f"pairs at {params.duplicate}", "rate", f"pairs at {params.similar}", "rate",
            "related in part", "rate", "largest group", "lost"]  # fmt: skip
    print_table(f"{len(files)} different originals of each kind, {total} pairs", head, rows)


def frame_fingerprint(kind: str, frame: tuple[float, bytes, bytes]) -> Fingerprint:
    """Return the fingerprint of a frame of one of `lookalikes.SCENES`, saved as JPEG."""
    share, *files = frame
    first, second = (
        pictures.limit_size(decoding.read(data), lookalikes.LONG_SIDE) for data in files
    )
    return saved_fingerprint(lookalikes.SCENES[kind](first, second, share))


def chains(files: Sequence[bytes], frames: int = 100) -> None:
    """Print how many frames of slow scenes, between two pictures of `files` each, are lost.

    "Lost by chains" are those that are lost if all frames that pairs connect are one picture.
    """
    clean, rows = load_params().clean, []
    scenes = list(zip(files[::2], files[1::2], strict=False))
    labellings = {
        "of one label": ["ai"] * frames,
        "the first of another": ["human"] + ["ai"] * (frames - 1),
    }
    for kind in lookalikes.SCENES:
        chained, lost, groups = dict.fromkeys(labellings, 0), dict.fromkeys(labellings, 0), 0
        for first, second in scenes:
            timeline = [(n / (frames - 1), first, second) for n in range(frames)]
            prints = Fingerprints(
                map_parallel(partial(frame_fingerprint, kind), timeline, kind, "frame")
            )
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
    print_table(f"{len(scenes)} scenes of {frames} frames each", head, rows)


def hashes(kind: str, count: int) -> NDArray[np.uint64]:
    """Draw the hashes of `count` pictures, shape (count, 10): random, or with large buckets.

    Of skewed hashes, a twentieth share a chunk, and 500 are equal.
    """
    random = np.random.default_rng(SEED).integers(0, 2**64, (count, 10), dtype=np.uint64)
    if kind == "skewed":
        random[: count // 20] &= np.uint64(0xFFFF_FFFF_FFFF_0000)
        random[-500:] = random[-1]
    return random


def measure_grouping(kind: str, count: int) -> tuple[float, float]:
    """Return the processor time in s and the peak memory in MiB that grouping adds."""
    thumbnails = np.random.default_rng(SEED).integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)
    prints = Fingerprints(
        Fingerprint(i.to_bytes(4, "big"), row, thumbnails[i % 64], flat=False, sparse=False)
        for i, row in enumerate(hashes(kind, count))
    )
    start = time.process_time()
    forest(prints, 0.9)
    seconds = time.process_time() - start
    tracemalloc.start()  # in a second run, since tracing slows it down
    forest(prints, 0.9)
    return seconds, tracemalloc.get_traced_memory()[1] / 2**20


def count_by_comparison(hashes_drawn: NDArray[np.uint64]) -> int:
    """Count near pairs by comparing all hashes with all, for every search."""
    pairs = 0
    for view, turn, radius in SEARCHES:
        for query in orient_hashes(hashes_drawn[:, view], turn):
            pairs += int((np.bitwise_count(hashes_drawn[:, 0] ^ query) <= radius).sum())
    return pairs


def count_by_join(hashes_drawn: NDArray[np.uint64]) -> int:
    """Count near pairs by the join, for every search."""
    return sum(
        len(i)
        for view, turn, radius in SEARCHES
        for i, _ in hamming.near_pairs(
            orient_hashes(hashes_drawn[:, view], turn), hashes_drawn[:, 0], radius
        )
    )


def print_grouping(sizes: Iterable[tuple[str, int]]) -> None:
    rows = []
    for kind, count in sizes:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            seconds, memory = pool.submit(measure_grouping, kind, count).result()
        rows.append((kind, f"{count:,}", f"{seconds:.1f}", f"{memory:.0f}"))
    print_table(
        "Grouping", ["hashes", "pictures", "processor time (s)", "extra memory (MiB)"], rows
    )


def speed() -> None:
    print_grouping(
        [*(("random", count) for count in (50_000, 100_000, 200_000)), ("skewed", 200_000)]
    )
    hashes_drawn = hashes("random", 20_000)
    (pairs, comparison_seconds), (joined_pairs, join_seconds) = (
        timed(count, hashes_drawn) for count in (count_by_comparison, count_by_join)
    )
    assert pairs == joined_pairs
    print(
        f"\n20,000 pictures, {pairs} near pairs: {comparison_seconds:.1f} s by comparing all with "
        f"all, {join_seconds:.1f} s by the join, "
        f"{comparison_seconds / join_seconds:.0f} times faster"
    )


def timed(
    count: Callable[[NDArray[np.uint64]], int], hashes_drawn: NDArray[np.uint64]
) -> tuple[int, float]:
    start = time.process_time()
    return count(hashes_drawn), time.process_time() - start


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], metavar="ZIP")
    parser.add_argument("--originals", type=int, default=2200, help="pictures without a copy")
    parser.add_argument(
        "--changed", type=int, default=300, help="number of originals that are changed"
    )
    parser.add_argument(
        "--group", type=int, nargs="+", metavar="N", help="only group so many random hashes"
    )
    parser.add_argument(
        "--lookalikes", type=int, metavar="N", help="only compare so many originals of each kind"
    )
    parser.add_argument("--sheet", type=Path, help="file for a drawing of the most similar pairs")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    if arguments.group:
        print_grouping(("random", count) for count in arguments.group)
        return
    real = [item for path in arguments.pictures for item in usable(path)]
    prints = list(map_parallel(fingerprint_of, [data for _, data in real], "originals"))
    groups = components(len(real), forest(Fingerprints(prints), load_params().clean.similar))
    needed = arguments.lookalikes or arguments.originals
    first = np.unique(groups, return_index=True)[1][:needed]
    count = needed - len(first)
    rendered = list(map_parallel(partial(sample.picture, seed=SEED), range(count), "render"))
    files = [real[i] for i in first] + [(f"rendered/{item.name}", item.data) for item in rendered]
    names = [name for name, _ in files]
    origins = sorted({name.split("/")[0] for name in names})
    print_table("Originals", ["from", "pictures"],
          [(o, sum(n.split("/")[0] == o for n in names)) for o in origins])  # fmt: skip
    if arguments.lookalikes:
        lookalike_pairs([data for _, data in files])
        chains([data for _, data in files[:20]])
        return
    chosen = np.random.default_rng(SEED).permutation(len(files))[: arguments.changed]
    prints = [prints[i] for i in first]
    prints += map_parallel(fingerprint_of, [item.data for item in rendered], "originals")
    copies = list(map_parallel(changed_fingerprints, [files[i][1] for i in chosen], "change"))
    recall([prints[i] for i in chosen], copies)
    false_pairs(names, prints, lambda i: files[i][1], arguments.sheet)
    speed()


if __name__ == "__main__":
    main()
