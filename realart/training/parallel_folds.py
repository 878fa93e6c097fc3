"""Folds trained in parallel: a process for each, on devices of its own, as many as are free.

A process reads its job from standard input, a line of JSON, and writes the record of every epoch to
standard output, a line each. Its input stays open until the parent process ends, in whichever way;
then the process ends too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from signal import Signals
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

from tqdm import tqdm

from realart.core import devices
from realart.core.devices import DeviceLocks
from realart.core.errors import RealartError

if TYPE_CHECKING:  # what it imports takes a second
    from realart.training.folds import EpochCallback, EpochRecord

Job = dict[str, Any]
JobCallback = Callable[[int], "tuple[Job, EpochCallback]"]
"""Called when a fold begins, with its number; returns its job and the callback of its epochs."""
RecordQueue = Queue["tuple[int, EpochRecord | None]"]
"""Records of all processes, by fold; None when a process has closed its output."""


@dataclass(frozen=True)
class FoldProcess:
    """A running fold: its process, what it reports to, and `resources` to be released."""

    process: "subprocess.Popen[str]"
    errors: IO[str]
    bar: "tqdm[Any]"
    on_epoch: "EpochCallback"
    resources: ExitStack

    def report(self, record: "EpochRecord") -> None:
        """Report an epoch."""
        self.on_epoch(record)
        self.bar.update()
        metrics = {name: value for name, value in record.items() if name.startswith("val_")}
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in metrics.items()})

    def kill(self) -> None:
        """Kill the process, and release its resources."""
        self.process.kill()
        self.process.wait()
        self.resources.close()


def train(
    command: Sequence[str],
    folds: Sequence[int],
    begin: JobCallback,
    found: Sequence[str],
    count: int,
    epochs: int,
) -> None:
    """Run a process for each fold, in parallel as far as devices are free.

    Parameters
    ----------
    command
        Of a process, which calls `receive_job`.
    found, count
        The devices of this machine, and how many of them each process gets.
    epochs
        How many a fold has at most, for its progress bar.

    Raises
    ------
    RealartError
        A process failed or was killed, or there are too few devices. All others are killed.
    """
    waiting, running, records = list(folds), dict[int, FoldProcess](), RecordQueue()
    try:
        while waiting or running:
            while waiting and (taken := _take_devices(found, count, alone=not running)):
                fold = waiting.pop(0)
                running[fold] = _start(command, fold, begin, taken, epochs, records)
            with suppress(Empty):
                fold, record = records.get(timeout=devices.POLL_SECONDS)
                if record is None:
                    _finish(fold, running.pop(fold))
                else:
                    running[fold].report(record)
    finally:
        for fold_process in running.values():
            fold_process.kill()


def receive_job() -> "tuple[Job, EpochCallback]":
    """Return the job of this process, and a callback that sends records to the parent process."""
    job = json.loads(sys.stdin.readline())
    Thread(target=_end_with_parent, daemon=True).start()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no record

    def send(record: "EpochRecord") -> None:
        print(json.dumps(record), file=out, flush=True)

    return job, send


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


def _take_devices(found: Sequence[str], count: int, alone: bool) -> DeviceLocks | None:
    """Take devices, or return None while others use them; without running folds, wait for them."""
    return (
        devices.acquire_when_free(found, count, "train") if alone else devices.acquire(found, count)
    )


def _start(
    command: Sequence[str],
    fold: int,
    begin: JobCallback,
    taken: DeviceLocks,
    epochs: int,
    records: RecordQueue,
) -> FoldProcess:
    with ExitStack() as stack:
        stack.callback(devices.release, taken)
        job, on_epoch = begin(fold)
        errors = stack.enter_context(TemporaryFile("w+"))
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, devices.VISIBLE: ",".join(taken)},
            start_new_session=True,  # Ctrl-C is for the parent process
        )
        assert process.stdin
        stack.callback(_close, process.stdin)
        with suppress(BrokenPipeError):  # it has ended already, and its exit code is reported
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        Thread(target=_read_records, args=(process, fold, records), daemon=True).start()
        bar = tqdm(None, f"train, fold {fold}", epochs, unit=" epochs", disable=None)
        stack.enter_context(bar)
        return FoldProcess(process, errors, bar, on_epoch, stack.pop_all())


def _close(pipe: IO[str]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()


def _read_records(process: "subprocess.Popen[str]", fold: int, records: RecordQueue) -> None:
    """Put the records of a process into the queue, until it closes its output."""
    assert process.stdout
    try:
        for line in process.stdout:
            with suppress(json.JSONDecodeError):  # printed by a library before `receive_job`
                records.put((fold, json.loads(line)))
    finally:
        records.put((fold, None))


def _finish(fold: int, fold_process: FoldProcess) -> None:
    """Wait for the end of a process, and raise its error."""
    with fold_process.resources:
        code = fold_process.process.wait()
        fold_process.errors.seek(0)
        output = fold_process.errors.read()
    if output and not code:
        tqdm.write(f"fold {fold}: {output.rstrip()}", file=sys.stderr)
    resume = "finished epochs are kept: run again to resume"
    if code < 0:
        sys.stderr.write(output)
        killed = Signals(-code)
        cause = ", perhaps because memory ran out" if killed == Signals.SIGKILL else ""
        raise RealartError(
            f"the process of fold {fold} was killed ({killed.name}){cause}; {resume}"
        )
    if code:
        message = (output.splitlines() or [""])[-1]
        if not message.startswith("realart: "):
            sys.stderr.write(output)
            message = f"its process ended with code {code}"
        raise RealartError(f"fold {fold}: {message.removeprefix('realart: ')}; {resume}")
