"""A device is used by one process at a time, and freed when that is killed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import REPOSITORY, clean_environment
from simulated import gpus, name

from realart.core import devices
from realart.core.errors import RealartError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work on a machine with three GPUs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for key, value in gpus(tmp_path, 3).items():
        monkeypatch.setenv(key, value)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0", ["0"]),
        ("2, 0", ["2", "0"]),
        ("1,-1,0", ["1"]),
        ("GPU-8932f937,MIG-GPU-1/2/0", ["GPU-8932f937", "MIG-GPU-1/2/0"]),
        (None, [name(0), name(1), name(2)]),
    ],
)
@pytest.mark.usefixtures("machine")
def test_visible_reads_names_as_cuda_does(
    given: str | None, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert devices.visible() == expected


@pytest.mark.parametrize("program", [None, "echo NVIDIA-SMI has failed; exit 9", "true"])
def test_a_machine_without_a_working_gpu_has_none(machine: Path, program: str | None) -> None:
    file = machine / "bin/nvidia-smi"
    if program:
        file.write_text(f"#!/bin/sh\n{program}\n")
    else:
        file.unlink()
    assert devices.visible() == []
    with devices.reserve(1, "train"):
        assert "CUDA_VISIBLE_DEVICES" not in os.environ


@given(st.lists(st.integers(0, 3), max_size=5))
def test_an_acquired_device_is_not_acquired_again(counts: list[int]) -> None:
    found = ["0", "1", "MIG-GPU-1/2/0"]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(tempfile, "tempdir", folder)
        free, held = set(found), []
        for count in counts:
            taken = devices.acquire(found, count)
            assert (taken is not None) == (count <= len(free))
            if taken is not None:
                assert len(taken) == count
                assert set(taken) <= free
                free -= set(taken)
                held.append(taken)
        for taken in held:
            devices.release(taken)
        assert set(devices.acquire(found, 3) or ()) == set(found)


@pytest.mark.usefixtures("machine")
def test_reserved_devices_alone_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    with devices.reserve(2, "train"):
        assert devices.visible() == [name(0), name(1)]
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,3")
    with devices.reserve(0, "train"):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    with devices.reserve(1, "train"):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "5"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "5,3"


@pytest.mark.usefixtures("machine")
def test_more_devices_than_there_are_is_a_mistake() -> None:
    with pytest.raises(RealartError, match=r"4 devices, and there are 3 \(GPU-0.*train.devices"):
        devices.acquire_when_free(devices.visible(), 4, "train")


HOLDER = """
import sys
from realart.core import devices

with devices.reserve(int(sys.argv[1]), "train"):
    print(*devices.visible(), flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(machine: dict[str, str], count: int) -> Iterator["subprocess.Popen[str]"]:
    """Start a process on `machine` that holds devices and prints which; it ends with its input."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(count)],
        cwd=REPOSITORY,
        env=clean_environment(**machine),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_process_waits_until_devices_are_released_or_their_holder_killed(tmp_path: Path) -> None:
    machine = gpus(tmp_path, 3)
    with holder(machine, 1) as first, holder(machine, 1) as second, holder(machine, 1) as third:
        held = {line(holder) for holder in (first, second, third)}
        assert held == {name(0), name(1), name(2)}
        with holder(machine, 2) as fourth, holder(machine, 1) as fifth:
            assert line(fourth) == "train: waits until 2 devices are free"
            assert line(fifth) == "train: waits until one of 3 devices is free"
            third.send_signal(signal.SIGKILL)
            third.wait()
            freed = line(fifth)
            assert freed in held
            for ended in (first, fifth):
                ended.communicate()
            assert len(line(fourth).split()) == 2


CONTENDER = """
import os, random, sys
from pathlib import Path
from realart.core import devices

draw = random.Random(sys.argv[1])
devices.POLL_SECONDS = 0.001
for _ in range(60):
    with devices.reserve(draw.randint(1, 3), "train"):
        for device in devices.visible():
            (Path(sys.argv[2]) / device).touch(exist_ok=False)
        for device in devices.visible():
            (Path(sys.argv[2]) / device).unlink()
"""


def test_contending_processes_never_share_a_device(tmp_path: Path) -> None:
    """Each makes a file for every device that it holds, which must not be there yet."""
    (tmp_path / "held").mkdir()
    machine = gpus(tmp_path, 3)
    contenders = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(number), str(tmp_path / "held")],
            cwd=REPOSITORY,
            env=clean_environment(**machine),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for contender in contenders:
        _, errors = contender.communicate()
        assert contender.returncode == 0, errors
