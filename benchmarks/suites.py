"""Decode and read the evidence of every file of public suites of pictures, as tables.

    python -m benchmarks.suites FOLDER...

A suite is a folder of files that you have fetched: Pillow's `Tests/images`, PngSuite, libwebp's
test data, libavif's `tests/data`, exif-samples, the `image` folder of C2PA's public-testfiles.
Every file below it is given to `decoding.decode` and `provenance.evidence` in a process of its own,
with the limits of params.yaml but for `min_side`: small pictures are kept. Prints a row a suite, a
table of what was rejected, and a line for each crash: an exception that is not
`UnusableFileError`, a process that died, or one that took more than `LIMIT` seconds. Exits with 1
if there was any.
"""

import argparse
import multiprocessing
import os
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tqdm import tqdm

from benchmarks.faults import ROOT, as_cell
from realart.data import decoding
from realart.params import load_params
from realart.serving import provenance

KEPT, CRASH = "kept", "crash"
SLOW, LIMIT = 5.0, 60.0
"""Seconds: files that take longer than `SLOW` are counted, longer than `LIMIT` stopped."""
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a file: `KEPT`, `CRASH` or a reason; seconds and peak MiB of its process."""

    path: Path
    reason: str
    detail: str = ""
    evidence: tuple[str, ...] = ()
    seconds: float = 0.0
    mebibytes: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    folders = [folder.resolve() for folder in parser.parse_args().folders]
    parent = Path(os.path.commonpath([folder.parent for folder in folders]))
    max_pixels = load_params(ROOT / "params.yaml").clean.max_pixels
    suites = {str(folder.relative_to(parent)): run(folder, max_pixels) for folder in folders}
    print(*overview(suites), "", *reasons(suites), sep="\n")
    crashes = [
        outcome for outcomes in suites.values() for outcome in outcomes if outcome.reason == CRASH
    ]
    for outcome in crashes:
        print(f"\ncrash: {outcome.path.relative_to(parent)}: {outcome.detail}")
    return 1 if crashes else 0


def run(folder: Path, max_pixels: int) -> list[Outcome]:
    """Return the outcome of every file below `folder`, in the order of their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        sys.exit(f"no file below {folder}: name a folder that holds a suite of pictures")
    return [examine(path, max_pixels) for path in tqdm(files, folder.name, disable=None)]


def examine(path: Path, max_pixels: int) -> Outcome:
    """Decode a file and read its evidence in a process of its own."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_examine, args=(path, max_pixels, sender))
    process.start()
    sender.close()
    try:
        if not receiver.poll(LIMIT):
            return Outcome(path, CRASH, f"no answer in {LIMIT:g} s", seconds=LIMIT)
        return receiver.recv()
    except EOFError:
        process.join()
        return Outcome(path, CRASH, f"the process ended with code {process.exitcode}")
    finally:
        process.kill()
        process.join()


def _examine(path: Path, max_pixels: int, sender: Connection) -> None:
    data, started = path.read_bytes(), time.perf_counter()
    reason, detail, evidence = KEPT, "", ()
    warnings.simplefilter("ignore")  # Pillow's, about files that are broken on purpose
    try:
        evidence = tuple(provenance.evidence(data))
        decoding.decode(data, max_pixels)
    except decoding.UnusableFileError as error:
        reason, detail = error.reason, error.detail
    except Exception as error:  # a crash, whatever it is
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = CRASH
        detail = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sender.send(Outcome(path, reason, detail, evidence, seconds, peak))


def overview(suites: dict[str, list[Outcome]]) -> Iterable[str]:
    """Yield the lines of a table in Markdown: a row a suite."""
    yield (
        "| suite | files | kept | rejected | with evidence | with a C2PA manifest | crashes "
        f"| over {SLOW:g} s | slowest | most memory |"
    )
    yield "| --- " * 10 + "|"
    for suite, outcomes in suites.items():
        counts = Counter(outcome.reason for outcome in outcomes)
        slowest = max(outcomes, key=lambda outcome: outcome.seconds)
        largest = max(outcomes, key=lambda outcome: outcome.mebibytes)
        cells = (
            suite,
            len(outcomes),
            counts[KEPT],
            len(outcomes) - counts[KEPT] - counts[CRASH],
            sum(bool(outcome.evidence) for outcome in outcomes),
            sum("C2PA manifest" in " ".join(outcome.evidence) for outcome in outcomes),
            counts[CRASH],
            sum(outcome.seconds > SLOW for outcome in outcomes),
            f"{slowest.seconds:.1f} s, {slowest.path.name}",
            f"{largest.mebibytes} MiB, {largest.path.name}",
        )
        yield f"| {' | '.join(map(str, cells))} |"


def reasons(suites: dict[str, list[Outcome]]) -> Iterable[str]:
    """Yield the lines of a table in Markdown: a row for each reason of a suite, with a detail."""
    yield "| suite | rejected as | files | most frequent details |"
    yield "| --- " * 4 + "|"
    for suite, outcomes in suites.items():
        rejected = [outcome for outcome in outcomes if outcome.reason not in (KEPT, CRASH)]
        for reason, count in Counter(outcome.reason for outcome in rejected).most_common():
            details = Counter(
                outcome.detail
                for outcome in rejected
                if outcome.reason == reason and outcome.detail
            )
            frequent = "; ".join(f"{as_cell(detail)} ({n})" for detail, n in details.most_common(3))
            yield f"| {suite} | {reason} | {count} | {frequent} |"


if __name__ == "__main__":
    sys.exit(main())
