"""Folds trained at once: a process for each, on devices of its own, as many as devices are free.

A process gets its job as a line of JSON on standard input, and says the record of every epoch as a
line on standard output. Its input stays open until whoever started it ends, in whichever way: then
so does the process.
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
from typing import IO, Any

from tqdm import tqdm

from realart.core import devices
from realart.core.devices import DeviceLocks
from realart.core.errors import RealartError
from realart.training.folds import EpochCallback, EpochRecord

Job = dict[str, Any]
JobCallback = Callable[[int], tuple[Job, EpochCallback]]
"""Called when a fold is about to begin: returns its job, and what hears of its epochs."""
Heard = Queue[tuple[int, EpochRecord | None]]
"""What processes say, by fold; None when they have ended."""


@dataclass(frozen=True)
class Running:
    """The process of a fold, what hears of it, and what is to be left when it has ended."""

    process: "subprocess.Popen[str]"
    errors: IO[str]
    bar: "tqdm[Any]"
    hear: EpochCallback
    used: ExitStack


def train(
    command: Sequence[str],
    folds: Sequence[int],
    begin: JobCallback,
    found: Sequence[str],
    count: int,
    epochs: int,
) -> None:
    """Run `command` for each of `folds`, which then sees `count` of the devices `found`.

    `epochs` is how many a fold has at most, for its bar.

    Raises
    ------
    RealartError
        A process failed or was killed, or there are not so many devices. All others are ended.
    """
    waiting, running, heard = list(folds), dict[int, Running](), Heard()
    try:
        while waiting or running:
            while waiting and (taken := _free(found, count, alone=not running)):
                fold = waiting.pop(0)
                running[fold] = _start(command, fold, begin, taken, epochs, heard)
            with suppress(Empty):
                fold, record = heard.get(timeout=devices.POLL_SECONDS)
                if record is None:
                    _finish(fold, running.pop(fold))
                else:
                    _note(running[fold], record)
    finally:
        for one in running.values():
            one.process.kill()
            one.process.wait()
            one.used.close()


def job() -> tuple[Job, EpochCallback]:
    """Return the job of this process, and what says a record to whoever started it."""
    given = json.loads(sys.stdin.readline())
    Thread(target=_end_with_starter, daemon=True).start()
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no record

    def say(record: EpochRecord) -> None:
        print(json.dumps(record), file=out, flush=True)

    return given, say


def _end_with_starter() -> None:
    os.read(0, 1)
    os._exit(1)


def _free(found: Sequence[str], count: int, alone: bool) -> DeviceLocks | None:
    return (
        devices.acquire_when_free(found, count, "train") if alone else devices.acquire(found, count)
    )


def _start(
    command: Sequence[str],
    fold: int,
    begin: JobCallback,
    taken: DeviceLocks,
    epochs: int,
    heard: Heard,
) -> Running:
    with ExitStack() as stack:
        stack.callback(devices.release, taken)
        job, hear = begin(fold)
        errors = stack.enter_context(TemporaryFile("w+"))
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, devices.VISIBLE: ",".join(taken)},
            start_new_session=True,  # Ctrl-C is for whoever started it
        )
        assert process.stdin
        stack.callback(_close, process.stdin)
        with suppress(BrokenPipeError):  # it ended already, and its exit code says so
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
        Thread(target=_listen, args=(process, fold, heard), daemon=True).start()
        bar = tqdm(None, f"train, fold {fold}", epochs, unit=" epochs", disable=None)
        stack.enter_context(bar)
        return Running(process, errors, bar, hear, stack.pop_all())


def _close(pipe: IO[str]) -> None:
    with suppress(BrokenPipeError):
        pipe.close()


def _listen(process: "subprocess.Popen[str]", fold: int, heard: Heard) -> None:
    assert process.stdout
    try:
        for line in process.stdout:
            with suppress(json.JSONDecodeError):  # said by a library, before `job` led it away
                heard.put((fold, json.loads(line)))
    finally:
        heard.put((fold, None))


def _note(one: Running, record: EpochRecord) -> None:
    one.hear(record)
    one.bar.update()
    one.bar.set_postfix({k: f"{v:.3f}" for k, v in record.items() if k.startswith("val_")})


def _finish(fold: int, one: Running) -> None:
    with one.used:
        code = one.process.wait()
        one.errors.seek(0)
        said = one.errors.read()
    if said and not code:
        tqdm.write(f"fold {fold}: {said.rstrip()}", file=sys.stderr)
    kept = "what folds have learnt is kept: run again, and they go on"
    if code < 0:
        sys.stderr.write(said)
        killed = Signals(-code)
        why = ", perhaps because memory ran out" if killed == Signals.SIGKILL else ""
        raise RealartError(f"the process of fold {fold} was killed ({killed.name}){why}; {kept}")
    if code:
        last = (said.splitlines() or [""])[-1]
        if not last.startswith("realart: "):
            sys.stderr.write(said)
            last = f"its process ended with code {code}"
        raise RealartError(f"fold {fold}: {last.removeprefix('realart: ')}; {kept}")
