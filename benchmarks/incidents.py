"""The outcomes of hostile and unlucky inputs, beside those of an earlier revision, as a table.

    python -m benchmarks.incidents [--before REVISION] [--only TEXT ...]

Each case works in a copy of the project after `dvc repro` with a network that trains in seconds. It
changes what a user, a publisher or bad luck may change, runs a command, and records how that ends.
The cases are in `incident_cases.py`. Runs as root on Linux, since some of them need a file system
of their own or another user.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.faults import ROOT, as_cell
from benchmarks.incident_cases import CASES
from benchmarks.watched_project import WatchedProject

PARAMS = ("split.folds=2", "model=cnn", "recipes.cnn.epochs=1")


def prepare(revision: str, folder: Path) -> WatchedProject:
    """Clone a revision into `folder`, and run its pipeline with `PARAMS`."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "checkout", "--quiet", revision], cwd=folder, check=True)
    project = WatchedProject(folder)
    command = [sys.executable, "-m", "dvc", "exp", "run", *(f"-S{each}" for each in PARAMS)]
    with (folder.parent / f"{folder.name}.log").open("w") as log:
        environment = project.environment({})
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
    shutil.rmtree(folder / ".dvc/cache")
    return project


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", metavar="REVISION")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="in the names of cases to run"
    )
    arguments = parser.parse_args()
    revisions = {"before": arguments.before} if arguments.before else {}
    revisions["now"] = "HEAD"
    with tempfile.TemporaryDirectory() as name:
        projects = [prepare(revisions[each], Path(name, each)) for each in revisions]
        print(f"| input | {' | '.join(revisions)} |\n| --- {'| --- ' * len(revisions)}|")
        for case in (case for case in CASES if any(text in case.name for text in arguments.only)):
            outcomes = []
            for project in projects:
                copy = Path(name, "case")
                shutil.copytree(project.root, copy, symlinks=True)
                outcome = case.run(WatchedProject(copy)).replace(f"{copy}", ".")
                outcomes.append(as_cell(re.sub(r"(.)\1{50,}", r"\1\1\1...", outcome), 200))
                shutil.rmtree(copy)
            print(f"| {case.name} | {' | '.join(outcomes)} |", flush=True)


if __name__ == "__main__":
    main()
