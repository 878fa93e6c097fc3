"""What a run was made by: the commands that make it again, and the versions that computed it."""

import platform
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from realart import __version__
from realart.core import overrides, paths, yaml12
from realart.core.project import commit, git
from realart.params import Params

PACKAGES = ("keras", "numpy", "openvino", "pillow", "scikit-learn", "tensorflow")
"""Packages whose versions may move figures; all are in requirements.lock."""
CODE = ("realart", "stages", "dvc.yaml")
DECISIVE = (*CODE, "params.yaml", "requirements.lock")
"""What decides a run: commits that change nothing of it, as of results, are of no account."""


class MadeBy(NamedTuple):
    """What a run was made by.

    Attributes
    ----------
    commands
        For a shell, one a line.
    versions
        Of realart, Python and `PACKAGES`, as text.
    is_changed
        Whether the code differed from that of the commit.
    """

    commands: str
    versions: str
    is_changed: bool


def describe(params: Params, project: Path) -> MadeBy:
    """Describe what the run in the folder `project` was made by.

    The commit is the last one that changed anything `DECISIVE`, so that a run and its repetition
    after its results were committed name the same. Outside of a git repository the commands name no
    commit, and no params but the dataset, its paths and the recipe.
    """
    head = commit()
    revision = head and git(project, "log", "-1", "--format=%H", head, "--", *DECISIVE).strip()
    committed = git(project, "show", f"{revision}:./{paths.PARAMS}") if revision else ""
    content = (project / paths.PARAMS).read_text("utf-8")
    run = _run(params, committed or content, content)
    commands = [f"git checkout {revision}", run] if revision else [run]
    changed = git(project, "diff", "--name-only", revision, "--", *CODE) if revision else ""
    return MadeBy("\n".join(commands), _versions(), bool(changed))


def _run(params: Params, before: str, after: str) -> str:
    """Return the command that runs the experiment from the params.yaml of its commit."""
    sets = {name: data.path for name, data in params.sets.items() if data.source == "path"}
    settings = [
        overrides.setting("dataset", params.dataset),
        overrides.setting("model", params.model),
        *(overrides.setting(f"datasets.{name}.path", path) for name, path in sets.items()),
    ]
    if before != after:  # parsing takes a while
        contents = (yaml12.load(text, paths.PARAMS.name) for text in (before, after))
        settings += overrides.changes(*contents)
    return " ".join(["dvc exp run", *dict.fromkeys(settings)])


def _versions() -> str:
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return f"realart {__version__}, Python {platform.python_version()}, {packages}"
