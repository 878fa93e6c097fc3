"""What is kept of a training is read as it was written, by this release and by earlier ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.tracking import kept_trainings
from realart.tracking.training_runs import MetricEvent, TrainingRecord


@given(
    st.lists(
        st.builds(
            MetricEvent,
            st.integers(0, 2**42),
            st.none() | st.integers(0, 9),
            st.dictionaries(st.text(), st.floats(allow_nan=False)),
            st.none() | st.integers(0, 999),
            st.sampled_from(["", "FINISHED", "FAILED", "KILLED"]),
            st.text(),
        )
    )
)
def test_events_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, events: list[MetricEvent]
) -> None:
    file = tmp_path_factory.mktemp("kept") / "file"
    record = TrainingRecord("id", "set", "name", 5, {"lr": "0.1"}, {"tag": "ü"})
    kept_trainings.write(file, record, events)
    assert kept_trainings.read(file) == (record, events)


def test_files_of_earlier_releases_are_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    training = {"id": "id", "dataset": "set", "name": "name", "began": 5, "params": {}, "tags": {}}
    event = {"at": 7, "fold": 1, "metrics": {"loss": 0.5}, "step": 2, "status": "", "outcome": ""}
    file.write_text(json.dumps({"training": training, "said": [event]}))
    assert kept_trainings.read(file) == (
        TrainingRecord("id", "set", "name", 5, {}, {}),
        [MetricEvent(7, 1, {"loss": 0.5}, 2)],
    )
