"""Decode a file as `clean` and `predict` do, and measure what it takes: called in a child."""

import time
from pathlib import Path
from typing import NamedTuple

from realart.data import ingestion
from realart.data.decoding import UnusableFileError
from realart.params import Clean
from realart.serving import provenance

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Cost(NamedTuple):
    """The outcome of a file, its processor time in seconds, and its peak memory in MiB."""

    outcome: str
    seconds: float
    memory: int


def measure(clean: Clean, data: bytes) -> Cost:
    """Ingest a file and collect its evidence; memory is what is added to the process's own."""
    _RESET.write_text("5")  # proc(5): the peak becomes the present size
    before, start = _peak(), time.process_time()
    try:
        ingestion.ingest(clean, data)
        outcome = "kept"
    except UnusableFileError as error:
        outcome = error.reason
    provenance.evidence(data)
    return Cost(outcome, time.process_time() - start, _peak() - before >> 10)


def _peak() -> int:
    """Return the peak resident memory in kB."""
    return int(_STATUS.read_text().split("VmHWM:")[1].split()[0])
