"""Runs that are killed, disks that fill up, archives that are cut: the next run makes it good."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from project_copy import environment, run
from reproduced import PROCESSES, Reproduced
from small_disk import Disk, small_disk

from realart.core import yaml12
from realart.core.errors import RealartError

pytestmark = pytest.mark.slow

MOMENTS = (
    ("os.rename", "/data/.raw.partial", 1),
    ("open", "/data/.clean.partial/pictures/", 5),
    ("os.rename", "/.dvc/cache/files/md5/", 40),
    ("os.rename", "/.1.partial", 1),
    ("os.rename", "/metrics/.plots.partial", 1),
)
"""When a run is killed, each time one of its processes does this to such a path for the nth time:
the archive is there; some pictures are clean; DVC has cached some of what a stage made; fold 0 is
trained; the model is saved and its figures are not yet drawn.
"""
LAST = "evaluate"
KILLER = """
import os, signal, sys

event, path, left = os.environ["EVENT"], os.environ["IN_PATH"], int(os.environ["LEFT"])

def kill(happening, arguments):
    global left
    if happening == event and any(path in os.path.abspath(a) for a in arguments if type(a) is str):
        left -= 1
        if not left:
            os.killpg(0, signal.SIGKILL)

sys.addaudithook(kill)
"""

Outs = dict[str, list[dict[str, object]]]


@dataclass(frozen=True)
class Reference:
    """A project after its first run."""

    project: Path
    outs: Outs
    figures: str


@pytest.fixture(scope="module")
def reference(reproduced: Reproduced, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """Copy a project that was run from beginning to end, undisturbed."""
    project = reproduced.copy("after", tmp_path_factory.mktemp("user"))
    return Reference(project, locked(project), figures(project))


def test_a_run_killed_again_and_again_ends_with_the_same_bytes(
    reference: Reference, reproduced: Reproduced, tmp_path: Path
) -> None:
    """Those that write data have a process for each core, the others one."""
    project = reproduced.copy("fresh", tmp_path)
    (tmp_path / "killer").mkdir()
    (tmp_path / "killer/sitecustomize.py").write_text(KILLER)
    whole = everything(reference.project)
    for event, path, count in MOMENTS:
        moment = {"EVENT": event, "IN_PATH": path, "LEFT": f"{count}"}
        processes = PROCESSES if "/data/" in path else {}
        kill(project, PYTHONPATH=str(tmp_path / "killer"), **moment, **processes)
        remove_what_dvc_left_half_written(project)
        assert_nothing_half(project, whole)
    succeed(project, "dvc", "repro", LAST)
    made = locked(project)
    assert LAST in made
    assert made.items() <= reference.outs.items()
    assert figures(project) == reference.figures
    assert everything(project).items() <= whole.items()
    assert_nothing_half(project, whole)
    assert partial(project) == []


@pytest.mark.parametrize(
    ("file", "message"),
    [("dvc.lock", "dvc.lock' validation failed"), (".dvc/tmp/rwlock", "rwlock'. JSON structure")],
)
def test_what_dvc_left_half_written_is_named(file: str, message: str, reference: Reference) -> None:
    """Both are written in place by DVC; docs/decisions.md says what to do."""
    before = (reference.project / file).read_text()
    (reference.project / file).write_text("")
    done = run(reference.project, "dvc", "repro", "check")
    assert done.returncode != 0
    assert message in done.stderr
    if file == "dvc.lock":
        (reference.project / file).write_text(before)  # as `git checkout dvc.lock` does
    else:
        (reference.project / file).unlink()
    assert "up to date" in succeed(reference.project, "dvc", "repro")
    assert locked(reference.project) == reference.outs


@pytest.fixture(scope="module")
def disk(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """Return a disk of 256 MiB with a copy of the reference on it."""
    with small_disk(tmp_path_factory.mktemp("disk") / "mounted", 256 << 20) as disk:
        if disk is None:
            pytest.skip("needs a file system of its own: user namespaces, or the right to mount")
        copy(reference.project, disk.outside / "project")
        shutil.copy(reference.project.parent / "pictures.zip", disk.outside)
        yield disk


@pytest.mark.parametrize("stage", ["clean", "balance"])
def test_a_disk_that_fills_up_is_one_line_and_loses_nothing(
    stage: str, reference: Reference, disk: Disk
) -> None:
    project = disk.outside / "project"
    before = everything(project)
    outs = [project / str(out["path"]) for out in reference.outs[stage]]
    again = disk.entering("project", "dvc", "repro", "--force", "--single-item", stage)
    room = size(outs[0]) // 2
    subprocess.run(["rm", "-r", *outs], check=True)  # as DVC does, but before the room is measured
    disk.leave(room)
    one_line(run(reference.project, *again, **PROCESSES), "the disk is full")
    disk.empty()
    succeed(reference.project, *disk.entering("project", "dvc", "checkout"))
    assert everything(project) == before
    assert partial(project) == []
    succeed(reference.project, *again)
    assert locked(project) == reference.outs


def test_a_disk_that_fills_up_while_dvc_caches_loses_nothing(
    reference: Reference, disk: Disk
) -> None:
    """DVC may end with 0 then (docs/decisions.md); the output is whole, and can be cached later."""
    project = disk.outside / "project"
    whole = everything(project)
    outs = [project / str(out["path"]) for out in reference.outs["clean"]]
    room = sum(map(size, outs)) * 3 // 2  # for the output, and for half of its copy
    subprocess.run(["rm", "-r", project / ".dvc/cache", *outs], check=True)
    disk.leave(room)
    again = disk.entering("project", "dvc", "repro", "--force", "--single-item", "clean")
    done = run(reference.project, *again)
    assert "the disk is full" not in done.stderr  # which is what our stage would print
    assert re.search("ERROR: failed to transfer .* No space left on device", done.stderr)
    assert everything(project) == whole
    assert_nothing_half(project, whole)
    disk.empty()
    for command in (["commit", "--force"], ["checkout"]):
        succeed(reference.project, *disk.entering("project", "dvc", *command))
        assert everything(project) == whole
        subprocess.run(["rm", "-r", *outs], check=True)
    succeed(reference.project, *disk.entering("project", "dvc", "checkout"))
    assert locked(project) == reference.outs


def test_a_disk_that_fills_up_in_dvc_checkout_is_an_error(reference: Reference, disk: Disk) -> None:
    project = disk.outside / "project"
    whole = everything(project)
    outs = [project / str(out["path"]) for out in reference.outs["clean"]]
    room = sum(map(size, outs)) // 2
    subprocess.run(["rm", "-r", *outs], check=True)
    disk.leave(room)
    checkout = disk.entering("project", "dvc", "checkout")
    done = run(reference.project, *checkout)
    assert done.returncode != 0
    (error,) = (line for line in done.stderr.splitlines() if line.startswith("ERROR: "))
    assert error == "ERROR: Checkout failed for following targets:"
    assert "data/clean" in done.stderr.splitlines()
    disk.empty()
    succeed(reference.project, *checkout)
    assert everything(project) == whole


def test_half_of_an_archive_is_refused_and_loses_nothing(reference: Reference) -> None:
    archive, project = reference.project.parent / "pictures.zip", reference.project
    before, whole = everything(project), archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert "up to date" in succeed(project, "dvc", "repro")
    done = run(project, "dvc", "repro", "--force", "download")
    one_line(done, "neither a folder nor a whole zip archive; set -S datasets.local.path=")
    assert everything(project) == before
    archive.write_bytes(whole)
    succeed(project, "dvc", "repro", "--force", "--single-item", "download")
    assert locked(project) == reference.outs


def test_an_archive_cut_behind_the_back_of_dvc_comes_again(reference: Reference) -> None:
    project = reference.project
    before = everything(project)
    os.truncate(project / "data/raw/archive.zip", 5000)
    one_line(run(project, "python", "-m", "stages.clean"), "remove data/raw/archive.zip and run")
    succeed(project, "dvc", "repro")
    assert everything(project) == before
    assert locked(project) == reference.outs


def kill(project: Path, **more: str) -> None:
    """Run as the leader of a group of processes, which `KILLER` kills."""
    process = subprocess.run(
        ["dvc", "repro", LAST],
        cwd=project,
        env=environment(project, **more),
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=600,
    )
    assert process.returncode == -signal.SIGKILL, process.stdout + process.stderr


def remove_what_dvc_left_half_written(project: Path) -> None:
    """Do as docs/decisions.md says: DVC writes these two files in place."""
    for file in (project / "dvc.lock", project / ".dvc/tmp/rwlock"):
        try:
            whole = not file.exists() or isinstance(yaml12.load(file.read_text(), file.name), dict)
        except RealartError:
            whole = False
        if not whole:
            file.unlink()


def assert_nothing_half(project: Path, whole: dict[str, bytes]) -> None:
    """Every output is as it is to be or not there, and the cache holds what its names say."""
    outs = [str(out["path"]) for stage in locked(project).values() for out in stage]
    for name, content in everything(project).items():
        assert whole.get(name) == content, f"{name} is half written, or no output"
    for out in outs:
        inside = {name for name in whole if name == out or name.startswith(f"{out}/")}
        there = {name for name in everything(project) if name in inside}
        assert there in (set(), inside), f"{out} is half written"
    for file in (project / ".dvc/cache/files/md5").rglob("*"):
        if file.is_file() and re.fullmatch(r"[0-9a-f]{30}(\.dir)?", file.name):
            content = file.read_bytes()
            named = file.parent.name + file.name.removesuffix(".dir")
            assert hashlib.md5(content).hexdigest() == named, f"{file} is half written"
            assert b".partial" not in content or not file.name.endswith(".dir")


def one_line(done: subprocess.CompletedProcess[str], expected: str) -> None:
    """A run failed, and printed what and what to do in one line of its own."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("realart: ")]
    assert len(lines) == 1, done.stderr
    assert expected in lines[0]
    assert "Traceback" not in done.stdout + done.stderr


def succeed(project: Path, *command: str) -> str:
    done = run(project, *command)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def copy(project: Path, target: Path) -> Path:
    return Path(shutil.copytree(project, target, symlinks=True))


def locked(project: Path) -> Outs:
    """Return the outputs of all stages in dvc.lock, with their hashes."""
    lock = project / "dvc.lock"
    stages = yaml12.load(lock.read_text(), "dvc.lock")["stages"] if lock.exists() else {}
    return {name: stage.get("outs", []) for name, stage in stages.items()}


def figures(project: Path) -> str:
    return json.dumps(json.loads((project / "metrics/evaluation.json").read_text()))


def everything(project: Path) -> dict[str, bytes]:
    """Return all that the pipeline has made, by its path in the project."""
    files = [file for top in ("data", "models", "metrics") for file in (project / top).rglob("*")]
    return {
        str(file.relative_to(project)): file.read_bytes()
        for file in files
        if file.is_file() and ".partial" not in str(file) and file.name != ".gitignore"
    }


def partial(project: Path) -> list[Path]:
    tops = ("data", "models", "metrics")
    return [file for top in tops for file in (project / top).rglob(".*.partial")]


def size(folder: Path) -> int:
    """Return how much room a file, or the files in a folder, take."""
    return sum(file.stat().st_blocks * 512 for file in [folder, *folder.rglob("*")])
