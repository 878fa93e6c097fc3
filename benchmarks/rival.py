"""Score the pictures of a set by a published detector, for `realart evaluate --scores`.

    python -m venv RIVAL
    RIVAL/bin/pip install sahu65==1.1.0
    RIVAL/bin/python -m benchmarks.rival sahu65 ZIP CSV

Writes the columns path and probability_ai, a row for each file of the zip, in its order; the latter
is empty for a file that the detector refuses. It gets the published bytes, as its users would give
them. Runs in the detector's environment, which has nothing of this project's.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

Detector = Callable[[bytes], float]
"""Maps the bytes of a picture file to the probability of ai."""
EVERY = 50
"""Pictures between two reports of progress."""


def sahu65() -> Detector:
    """A linear probe on CLIP ViT-B/16; MIT, the weights are in the package."""
    os.environ.setdefault("ORT_INTRA_THREADS", "1")  # its 8 threads mostly wait for each other
    import sahu65

    detector = sahu65.warm()
    return lambda data: float(detector.detect_bytes(data).ai_probability)


DETECTORS: dict[str, Callable[[], Detector]] = {"sahu65": sahu65}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("detector", choices=DETECTORS)
    parser.add_argument("zip", type=Path)
    parser.add_argument("csv", type=Path)
    arguments = parser.parse_args()
    detect = DETECTORS[arguments.detector]()
    refused = 0
    with ZipFile(arguments.zip) as archive, arguments.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "probability_ai"])
        members = [member for member in archive.infolist() if not member.is_dir()]
        start = time.monotonic()
        for number, member in enumerate(members, 1):
            try:
                probability: float | str = detect(archive.read(member))
            except Exception as error:  # of any kind: it is the detector's
                print(f"{member.filename}: {error}", file=sys.stderr)
                refused, probability = refused + 1, ""
            table.writerow([member.filename, probability])
            if number % EVERY == 0 or number == len(members):
                rate = number / (time.monotonic() - start)
                print(f"{number} of {len(members)} files, {rate:.1f} a second", file=sys.stderr)
    print(f"{arguments.csv}: {len(members)} files, {refused} of which were refused")


if __name__ == "__main__":
    main()
