"""Trainings that could not be logged whole: their events, in files of `.realart/unsent`.

A folder for each outcome, named by its fingerprint, holds a JSON file for each training that made
it. A training keeps its own as it ends; the outbox sends them, with the evaluations that it keeps
in the same folders.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from realart.core.outputs import write_json
from realart.core.project import private
from realart.tracking.training_runs import MetricEvent, TrainingRecord


def top() -> Path:
    """Return the folder that holds those of all outcomes."""
    return private() / "unsent"


def folder_of(outcome: str) -> Path:
    """Return the folder of an outcome, whether or not it exists."""
    return top() / outcome


def keep(outcome: str, record: TrainingRecord, events: Sequence[MetricEvent]) -> None:
    """Keep the events of a training that are still to be logged."""
    write(folder_of(outcome) / f"{record.id}.json", record, events)


def write(file: Path, record: TrainingRecord, events: Sequence[MetricEvent]) -> None:
    """Write a training and events of it to a JSON file."""
    # The keys are those of earlier releases, whose files may still lie there.
    write_json({"training": asdict(record), "said": [asdict(event) for event in events]}, file)


def read(file: Path) -> tuple[TrainingRecord, list[MetricEvent]]:
    """Return the training and the events that `write` wrote.

    Raises
    ------
    An error of `damage.ERRORS`
        The file is damaged.
    """
    content = json.loads(file.read_text("utf-8"))
    events = [MetricEvent(**event) for event in content["said"]]
    return TrainingRecord(**content["training"]), events
