"""A damaged checkpoint is put aside: the next run begins that fold anew, and nothing is lost."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.training import checkpoints
from realart.training.checkpoints import Checkpoint, TrainingState

WHOLE = Checkpoint(
    TrainingState(epoch=3, best=0.5, history=[{"epoch": 2.0, "val_loss": 0.25}]),
    [np.arange(6, dtype=np.float32).reshape(2, 3)],
    [np.arange(4, dtype=np.float32), np.array(7, np.int64)],
)


@given(
    start=st.floats(0, 1), damage=st.binary(max_size=5), cut=st.booleans(), fold=st.integers(0, 9)
)
def test_a_damaged_checkpoint_is_put_aside_or_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, start: float, damage: bytes, cut: bool, fold: int
) -> None:
    """Bytes that no checksum covers, such as dates, may differ without harm."""
    folder = tmp_path_factory.mktemp("checkpoints")
    path = checkpoints.file(folder, fold)
    WHOLE.save(path)
    data = path.read_bytes()
    place = int(start * len(data))
    damaged = data[:place] + damage + (b"" if cut else data[place + len(damage) :])
    path.write_bytes(damaged)
    epoch, read = checkpoints.epoch(path), Checkpoint.load(path)
    if read is None:
        assert epoch is None
        (aside,) = folder.iterdir()
        assert (aside.name, aside.read_bytes()) == (f"{fold}.npz.damaged", damaged)
        WHOLE.save(path)
        assert checkpoints.epoch(path) == WHOLE.state.epoch
    else:
        assert epoch == WHOLE.state.epoch
        assert read.state == WHOLE.state
        for own, other in ((read.best, WHOLE.best), (read.current, WHOLE.current)):
            for array, expected in zip(own, other, strict=True):
                np.testing.assert_array_equal(array, expected)


def test_a_damaged_checkpoint_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = checkpoints.file(tmp_path, 1)
    assert checkpoints.epoch(path) is None
    path.write_bytes(b"")
    assert checkpoints.epoch(path) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"realart: {path} is damaged (")
    assert line.endswith("it is now 1.npz.damaged, and not used")
