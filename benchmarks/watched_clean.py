"""Run `clean` on one archive in this process alone, and record paths written to and peak memory.

    python -m benchmarks.watched_clean ARCHIVE FOLDER MAX_PIXELS

writes pictures.csv, rejected.csv and watched.json (paths opened for writing, peak memory in MiB)
into FOLDER.
"""

import json
import os
import resource
import sys
from pathlib import Path

import joblib

from realart.core import isolation, tables
from realart.data import cleaning
from realart.params import LabelNames, load_params

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod"}
ROOT = Path(__file__).parents[1]


def main(archive: Path, folder: Path, max_pixels: int) -> None:
    params = load_params(ROOT / "params.yaml").clean.model_copy(update={"max_pixels": max_pixels})
    labels = LabelNames(ai=["ai"], human=["human"])
    (folder / "pictures").mkdir(parents=True)
    written: list[str] = []
    sys.addaudithook(lambda event, arguments: record_write(written, event, arguments))
    with joblib.parallel_config(backend="sequential"):
        kept, rejected, _ = cleaning.clean(archive, labels, None, params, folder / "pictures")
    watched = {"written": written.copy(), "peak": peak()}
    tables.write(kept, folder / "pictures.csv", tables.PICTURES)
    tables.write(rejected, folder / "rejected.csv", tables.REJECTED)
    (folder / "watched.json").write_text(json.dumps(watched))


def record_write(written: list[str], event: str, arguments: tuple[object, ...]) -> None:
    """Record the path of a file that is opened for writing, created, renamed or removed."""
    opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
    if (opened or event in CHANGES) and isinstance(arguments[0], str | bytes | os.PathLike):
        written.append(os.path.realpath(os.fsdecode(arguments[0])))


def peak() -> int:
    """Return the peak resident memory of this process or a child, whichever is larger, in MiB."""
    isolation.end_idle()
    own = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    return max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) >> 10


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
