"""Damaged files are named; what is put aside is not lost, and the machine is no damage."""

import errno
from pathlib import Path

import numpy as np
import pytest

from realart.core import damage
from realart.core.errors import RealartError


def test_a_damaged_file_is_named_with_advice(tmp_path: Path) -> None:
    file = tmp_path / "array.npy"
    np.save(file, np.zeros(9))
    file.write_bytes(file.read_bytes()[:-8])
    for path in (file, tmp_path / "absent.npy"):
        with (
            pytest.raises(RealartError, match=rf"{path.name} is damaged \(.*\): call"),
            damage.named(path, "call"),
        ):
            np.load(path)


def test_an_error_of_the_machine_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as raised, damage.named(tmp_path, "call"):
        np.load(tmp_path)
    assert raised.value.errno == errno.EISDIR


def test_what_is_put_aside_replaces_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("first", "second"):
        (tmp_path / "file").write_text(text)
        damage.put_aside(tmp_path / "file", ValueError("no\nJSON"))
    (tmp_path / "file").mkdir()
    damage.put_aside(tmp_path / "file", "too")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"file.damaged", "file.2.damaged", "file.3.damaged"}
    assert (tmp_path / "file.2.damaged").read_text() == "second"
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("file is damaged (no JSON): it is now file.damaged, and not used")
