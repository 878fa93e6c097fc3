"""A file that its decoder can't read within limits is rejected by name, and alone."""

import threading
import time
from pathlib import Path

import joblib
import psutil
import pytest
from making import LABELS, PARAMS, archive, file, picture

from benchmarks import hostile
from realart.core.isolation import Limits
from realart.data import cleaning, limits

HOSTILE = "human/hostile.png"
SLOW = hostile.bmp_lines(12_000_000)


def rejected(data: bytes, folder: Path) -> str:
    """Clean good files of both classes and this one, in as many processes as there are cores."""
    files = [(f"{('ai', 'human')[n % 2]}/{n}.png", file(picture(n))) for n in range(8)]
    path = archive(folder / "a.zip", [*files[:4], (HOSTILE, data), *files[4:]])
    (folder / "pictures").mkdir()
    with joblib.parallel_config("loky"):
        kept, left_out, _ = cleaning.clean(path, LABELS, None, PARAMS.clean, folder / "pictures")
    assert [*kept["path"]] == sorted(name for name, _ in files)
    assert [*left_out["path"]] == [HOSTILE]
    return f"{left_out['reason'][0]}: {left_out['detail'][0]}"


@pytest.mark.parametrize(
    ("data", "seconds", "message"),
    [
        (SLOW, 1, "too large: its decoder took more than 1 s of processor time"),
        (
            hostile.exif_rationals(1_000_000),
            20,
            "too large: its decoder ran out of memory (at most 64 MiB)",
        ),
        (hostile.tiff_pages(101), 20, "unsupported: more than 100 pages"),
    ],
    ids=["time", "memory", "pages"],
)
def test_a_file_beyond_a_limit_is_rejected_alone(
    data: bytes, seconds: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "bounds", lambda _: Limits(seconds, 64 << 20))
    assert rejected(data, tmp_path) == message


def test_a_killed_process_costs_one_file(tmp_path: Path) -> None:
    """Its decoder is the one that is still busy after all others are done."""

    def kill() -> None:
        while not killed:
            for child in psutil.Process().children():
                busy = sum(child.cpu_times()[:2])
                if busy > 2 and child.status() != psutil.STATUS_ZOMBIE:
                    killed.append(child.pid)
                    child.kill()
            time.sleep(0.05)

    killed: list[int] = []
    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    message = "too large: its decoder was killed, perhaps because memory ran out"
    assert rejected(SLOW, tmp_path) == message
    thread.join()


def test_limits_grow_with_the_pixels_of_a_picture() -> None:
    assert limits.bounds(0) == Limits(10, 128 << 20)
    assert limits.bounds(89_000_000) == Limits(99, (128 << 20) + 32 * 89_000_000)
