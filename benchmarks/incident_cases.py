"""Hostile and unlucky inputs: what each changes in a project, the command, and how that ended."""

import csv
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np

from benchmarks import hostile, odd_bytes
from benchmarks.bad_files import BadFile, good, write_archive
from benchmarks.watched_project import REALART, WatchedProject

PICTURE = "picture.png"
FINAL = "models/final"


@dataclass(frozen=True)
class Case:
    """An input, and what carries it out and returns its outcome as text."""

    name: str
    run: Callable[[WatchedProject], str]


# Files that are decoded.


def decoded(packed: Callable[[], bytes], project: WatchedProject) -> str:
    """Run `clean` on a file among good ones, and return its time, memory and the file's outcome."""
    file = BadFile("human/hostile", "", packed, "")
    use_archive(project, write_archive(project.root / "set.zip", [*good(), file]))
    before = project.stage("download")
    if before.code:
        return f"download: {before}"
    shutil.rmtree(project.root / "data/clean")
    run = project.stage("clean")
    if run.code:
        return f"{run.seconds:.0f} s, {run.peak} MiB: {run}"
    with (project.root / "data/clean/rejected.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["path"] == file.name]
    outcome = f"{rows[0]['reason']}: {rows[0]['detail']}" if rows else "kept"
    return f"{run.seconds:.0f} s, {run.peak} MiB: {outcome}"


def use_archive(project: WatchedProject, path: Path) -> None:
    """Make an archive or a folder the project's set."""
    edit(project, "dataset: sample", "dataset: local")
    edit(project, r"path:.*", f"path: {json.dumps(str(path))}", after="\n  local:\n")


def edit(project: WatchedProject, old: str, new: str, after: str = "") -> None:
    """Replace the first match of the pattern `old` that params.yaml has after a text."""
    path = project.root / "params.yaml"
    before, found, rest = path.read_text().partition(after) if after else ("", "", path.read_text())
    edited, count = re.subn(old, lambda _: new, rest, count=1)
    if not count:
        raise ValueError(f"params.yaml has no '{old}'")
    path.write_text(before + found + edited)


# Params.


def checked(old: str, new: str, project: WatchedProject) -> str:
    """Edit params.yaml, and run `check`."""
    edit(project, re.escape(old), new)
    return str(project.stage("check"))


def appended(text: str, project: WatchedProject) -> str:
    """Append to params.yaml, and run `check`."""
    with (project.root / "params.yaml").open("a") as params:
        params.write(text)
    return str(project.stage("check"))


def layer(project: WatchedProject) -> str:
    """Name a layer that runs a SavedModel, which may read and write files."""
    return checked(
        "- Flatten: {}", "- TFSMLayer: {filepath: /tmp/saved, call_endpoint: serve}", project
    )


def fifo(project: WatchedProject) -> str:
    path = project.root / "pipe.zip"
    os.mkfifo(path)
    use_archive(project, path)
    return str(project.stage("check"))


# Models.


def weights(project: WatchedProject) -> Path:
    """Return the file with the weights of the final model."""
    return max(project.root.joinpath(FINAL).rglob("*.h5"), key=lambda path: path.stat().st_size)


def predicted(project: WatchedProject) -> str:
    """Predict a picture, and return how that ended."""
    odd_bytes.image(3).resize((128, 128)).save(project.root / PICTURE)
    return str(project.realart("predict", "--json", PICTURE))


def nan_weights(project: WatchedProject) -> str:
    def fill(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and item.shape:
            item[...] = np.full(item.shape, np.nan)

    with h5py.File(weights(project), "r+") as file:
        file.visititems(fill)
    for network in project.root.joinpath(FINAL).rglob("*.bin"):  # OpenVINO's, and integers
        values = np.fromfile(network, np.uint8)
        floats = values[: len(values) // 4 * 4].view(np.float32)
        floats[(abs(floats) > 1e-6) & (abs(floats) < 10)] = np.nan
        values.tofile(network)
    return predicted(project)


def cut_weights(project: WatchedProject) -> str:
    path = weights(project)
    path.write_bytes(path.read_bytes()[:2000])
    return predicted(project)


def manifest(change: Callable[[dict[str, object]], object], project: WatchedProject) -> str:
    """Change the manifest of the model."""
    path = project.root / FINAL / "model.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return predicted(project)


def latin_manifest(project: WatchedProject) -> str:
    path = project.root / FINAL / "model.json"
    path.write_bytes(path.read_bytes().replace(b'"', b'"\xe9', 1))
    return predicted(project)


def one_weight(project: WatchedProject) -> str:
    """Turn a byte in the middle of the weights."""
    path = weights(project)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    return predicted(project)


# Disks and files.


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system of 64 kB at `folder`, of which 8 kB are free."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
    try:
        (folder / "ballast").write_bytes(bytes(56 << 10))
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def full_temporary_folder(project: WatchedProject) -> str:
    """Run `evaluate` where TMPDIR is full, and compare the model that it writes."""
    before = digests(project.root / FINAL)
    with full_disk(project.root / "full") as folder:
        run = project.stage("evaluate", TMPDIR=str(folder))
    after = digests(project.root / FINAL)
    return f"{'the same' if after == before else 'another'} model; {run}"


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def damaged_checkpoint(project: WatchedProject) -> str:
    """Kill a training after its first checkpoint, cut that in half, and train again."""
    edit(project, r"checkpoint_seconds: [\d.]+", "checkpoint_seconds: 0.0")
    edit(project, r"epochs: \d+", "epochs: 50", after="\n  cnn:\n")
    checkpoints = project.root / ".realart/checkpoints"
    script = (
        f"'{sys.executable}' -m stages.train & "
        f"until find {checkpoints} -name '*.npz' | grep -q .; do sleep 0.1; done; kill -9 $!"
    )
    project.run("bash", "-c", script)
    for path in checkpoints.rglob("*.npz"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return str(project.stage("train"))


def unsent(project: WatchedProject) -> str:
    """Keep a run that MLflow can't take, damage it, and log again."""
    address = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    project.stage("report", **address)
    kept = list(project.root.joinpath(".realart").rglob("*.json"))
    for path in kept:
        path.write_bytes(path.read_bytes()[:20])
    return f"{len(kept)} files; {project.stage('report')}"


def unreadable_folder(project: WatchedProject) -> str:
    """Predict a folder whose subfolder can't be read, not even by root without its privilege."""
    folder = project.root / "pictures/secret"
    folder.mkdir(parents=True)
    odd_bytes.image(3).resize((128, 128)).save(folder.parent / PICTURE)
    folder.chmod(0)
    dropped = "-dac_override,-dac_read_search"
    unprivileged = ("setpriv", f"--inh-caps={dropped}", f"--bounding-set={dropped}", *REALART)
    return str(project.run(*unprivileged, "predict", "--json", "pictures"))


def forged_name(project: WatchedProject) -> str:
    """Predict a file whose name has a line of its own."""
    name = "a\nhuman 0.010 forged.png"
    odd_bytes.image(3).resize((128, 128)).save(project.root / name, "PNG")
    run = project.realart("predict", name)
    forged = any(line.startswith("human 0.010 forged") for line in run.output.splitlines())
    return f"code {run.code}, {'a forged line' if forged else 'no line of its own'}"


def explained(path: str, *arguments: str) -> Callable[[WatchedProject], str]:
    def run(project: WatchedProject) -> str:
        odd_bytes.image(3).resize((128, 128)).save(project.root / PICTURE)
        (project.root / "folder.png").mkdir()
        return str(project.realart("explain", path, *arguments))

    return run


def closed_pipe(project: WatchedProject) -> str:
    """Predict many files for a reader that goes after a line."""
    folder = project.root / "pictures"
    folder.mkdir()
    for number in range(40):
        odd_bytes.image(number).resize((128, 128)).save(folder / f"{number}.png")
    script = f"set -o pipefail; {shlex.join(REALART)} predict pictures | head -1"
    return str(project.run("bash", "-c", script))


# Stores and processes.


def report(address: str) -> Callable[[WatchedProject], str]:
    """Return a case that runs `report` with an address of MLflow."""

    def run(project: WatchedProject) -> str:
        outcome = project.stage("report", MLFLOW_TRACKING_URI=address)
        shown = "the password is printed; " if "secret" in outcome.output else ""
        return f"{shown}{outcome.seconds:.0f} s, {outcome}"

    return run


def silent_store(project: WatchedProject) -> str:
    """Run `report` with an SQL store that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        return report(f"postgresql://me:secret@127.0.0.1:{port}/mlflow")(project)


def diverged(rate: str) -> Callable[[WatchedProject], str]:
    """Return a case that trains with a learning rate."""

    def run(project: WatchedProject) -> str:
        edit(project, r"learning_rate: [^,}\s]+", f"learning_rate: {rate}", after="\n  cnn:\n")
        check = project.stage("check")
        if check.code:
            return f"check: {check}"
        train = project.stage("train")
        return f"train: {train}; fold runs left RUNNING: {running(project)}"

    return run


def running(project: WatchedProject) -> str:
    """Return how many runs in MLflow's store have not ended."""
    code = (
        "import sqlite3, glob\n"
        "for f in glob.glob('*.db') + glob.glob('*/*.db'):\n"
        "    print(sqlite3.connect(f).execute("
        "\"select count(*) from runs where status = 'RUNNING'\").fetchone()[0])"
    )
    return " ".join(project.run(sys.executable, "-c", code).output.split())


def ignored_interrupt(project: WatchedProject) -> str:
    """Run the test of ended processes as a background job of a script does: SIGINT is ignored."""
    name = "no_process_outlives"
    found = subprocess.run(
        ["git", "grep", "--files-with-matches", f"def test_{name}", "--", "tests"],
        cwd=project.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    files = " ".join(found.stdout.split())
    command = f"trap '' INT; exec '{sys.executable}' -m pytest -q -n 0 -k {name} {files}"
    return str(project.run("bash", "-c", command))


def demo_keeps(project: WatchedProject) -> str:
    """Kill two demos, one after the other, that were given a picture; count the pictures left."""
    picture = project.root / PICTURE
    odd_bytes.image(3).resize((128, 128)).save(picture)
    folder = project.root / "tmp"
    folder.mkdir()
    environment = {"TMPDIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "0"}
    for number in range(2):
        script = DEMO.format(realart=shlex.join(REALART), port=7990 + number, picture=picture)
        project.run("bash", "-c", script, **environment)
    return f"{len(list(folder.rglob('*.png')))} pictures left"


DEMO = """
{realart} demo --port {port} &
for i in $(seq 60); do curl -s -o /dev/null http://127.0.0.1:{port} && break; sleep 1; done
curl -s -F files=@{picture} http://127.0.0.1:{port}/gradio_api/upload
kill -9 $!
"""


def seed(section: str, value: str, project: WatchedProject) -> str:
    """Set the seed of a section, run `check` and, if it is content, the stage of that name."""
    edit(project, r"seed: \d+", f"seed: {value}", after=f"\n{section}:\n")
    check = project.stage("check")
    return f"check: {check}" if check.code else f"{section}: {project.stage(section)}"


CASES = [
    Case("TIFF of 60,000 directories, 4 MB", partial(decoded, partial(hostile.tiff_pages, 60_000))),
    Case(
        "JPEG of 15 million empty segments",
        partial(decoded, partial(hostile.jpeg_segments, 15_000_000)),
    ),
    Case(
        "TIFF whose orientation is 8 million fractions",
        partial(decoded, partial(hostile.tiff_rationals, 8_000_000)),
    ),
    Case("PNG of 4 million empty chunks", partial(decoded, partial(hostile.png_chunks, 4_000_000))),
    Case("a layer that runs a SavedModel", layer),
    Case("train.seed of 20240101", partial(seed, "train", "20240101")),
    Case("split.seed of 4294967296", partial(seed, "split", "4294967296")),
    Case("a data set called a/b", partial(checked, "\n  local:\n", "\n  a/b:\n")),
    Case("a FIFO as the set", fifo),
    Case("params.yaml nested 3,000 deep", partial(appended, f"deep: {'[' * 3000}{']' * 3000}\n")),
    Case("an integer of 5,000 digits in params.yaml", partial(appended, f"big: {'9' * 5000}\n")),
    Case("a key twice in params.yaml", partial(appended, "model: cnn\n")),
    Case("weights of NaN", nan_weights),
    Case("weights cut short", cut_weights),
    Case("a bit of the weights turned", one_weight),
    Case("a manifest without its input", partial(manifest, lambda content: content.pop("input"))),
    Case("a manifest of no member", partial(manifest, lambda content: content.update(members=0))),
    Case("a manifest that is not UTF-8", latin_manifest),
    Case("evaluate while TMPDIR is full", full_temporary_folder),
    Case("damaged checkpoints", damaged_checkpoint),
    Case("a damaged run that was kept for MLflow", unsent),
    Case("a subfolder that can't be read", unreadable_folder),
    Case("explain /dev/zero", explained("/dev/zero")),
    Case("explain --out to a folder", explained(PICTURE, "--out", "folder.png")),
    Case(
        "explain --out with a name of 259 characters",
        explained(PICTURE, "--out", "n" * 255 + ".png"),
    ),
    Case("a file's name with a line of verdicts in it", forged_name),
    Case("predict for a reader that goes away", closed_pipe),
    Case("compare with an empty revision", lambda project: str(project.realart("compare", ""))),
    Case("MLflow at me:secret@host", report("me:secret@host")),
    Case("MLflow at http://me:secret#1@127.0.0.1:9", report("http://me:secret#1@127.0.0.1:9")),
    Case("an SQL store that never answers", silent_store),
    Case("a learning rate of 1e30", diverged("1.0e+30")),
    Case("a learning rate of 10,000", diverged("10000.0")),
    Case("tests with SIGINT ignored", ignored_interrupt),
    Case("two demos, each killed after an upload", demo_keeps),
]
