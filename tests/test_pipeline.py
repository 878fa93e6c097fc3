"""dvc.yaml against the code: every module that a stage imports, every param that it reads."""

import ast
import contextlib
import importlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import pytest
from project_copy import ROOT, TUNED, set_params, tiny_project

from realart import head_folds, network_folds, params, yaml12
from realart.params import READ, Dataset, Strict

PIPELINE = yaml12.load((ROOT / "dvc.yaml").read_text(), "dvc.yaml")["stages"]
CHOSEN = {"datasets": "${dataset}", "recipes": "${model}"}
"""Params that hold entries by name, and how dvc.yaml names the chosen one."""
CHOOSING = {"dataset", "datasets", "model", "recipes", "descriptors"}
WRITTEN = {
    "data/sets/origins.json": set(Dataset.model_fields) - READ,
    "data/sets/labels.json": READ,
}
"""Leaves of the chosen entries of `datasets` in files of `check`, which stages depend on."""
BY_MODEL = ["features", "train", "evaluate", "report"]
"""Stages that the chosen model has a say in."""
BY_FEATURES = dict.fromkeys(("train", "evaluate", "report"), "descriptors.")
"""Params that a stage writes down, and on which it depends by data/features alone."""
WHOLE = {
    "audit": {"balance.method"},  # read where there are several sets
    "features": {"clean", "ela", "train.precision"},
    "evaluate": {"clean", "goals"},
    "report": {"clean", "split", "balance", "train", "evaluate", "goals"},
}
"""Params that a stage writes out or copies in a group rather than reads one by one."""


PLUMBING = {
    "__init__", "at_once", "devices", "errors", "inference", "intervals", "outputs", "params",
    "project", "store", "tables", "tracking", "yaml12",
}  # fmt: skip
"""Modules that learn nothing; of params it is what they hold that decides."""
OF_NETWORKS = {"backend", "layers", "recipes", "windows"}


@pytest.mark.parametrize("stage", PIPELINE)
def test_deps_name_every_imported_module(stage: str) -> None:
    script = ROOT / f"stages/{stage}.py"
    imported = {str(file.relative_to(ROOT)) for file in imported_modules(script)}
    declared = {dep for dep in PIPELINE[stage]["deps"] if dep.endswith(".py")}
    assert declared == imported | {f"stages/{stage}.py"}


def test_params_name_everything_that_a_stage_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tiny_project(tmp_path)
    described = {"sees": {"features": ["measured"]}, "head": {"name": "svm", "grid": {"C": [1.0]}}}
    set_params(
        project,
        {
            "recipes.tuned": TUNED,
            "recipes.described": described,
            "descriptors.measured": {"families": ["colour"]},
        },
    )
    monkeypatch.chdir(project)
    monkeypatch.setenv("DVC_ROOT", str(project))
    read: dict[str, set[str]] = defaultdict(set)
    for model, stages in (("tuned", [*PIPELINE]), ("described", BY_MODEL)):
        knobs = params.load(project / "params.yaml").model_copy(update={"model": model})
        with monkeypatch.context() as patched:
            patched.setattr(params, "load", lambda knobs=knobs: knobs)
            for stage in stages:
                with recorded(knobs) as names, joblib.parallel_config("threading"):
                    importlib.import_module(f"stages.{stage}").main()
                read[stage] |= names
    for stage in PIPELINE:
        declared = tuple(PIPELINE[stage].get("params", []))
        allowed = (*declared, BY_FEATURES.get(stage, "."))
        for file in WRITTEN.keys() & set(PIPELINE[stage]["deps"]):
            allowed += tuple(f"datasets.${{dataset}}.{leaf}" for leaf in WRITTEN[file])
        if "params.yaml" in PIPELINE[stage]["deps"]:
            allowed = ("",)
        undeclared = {name for name in read[stage] if not name.startswith(allowed)} - CHOOSING
        assert not undeclared, f"{stage} reads {undeclared}"
        unread = {name for name in declared if not any(x.startswith(name) for x in read[stage])}
        assert not unread - WHOLE.get(stage, set()), f"{stage} never reads {unread}"


@pytest.mark.parametrize(
    ("learner", "without"), [(head_folds, PLUMBING | OF_NETWORKS), (network_folds, PLUMBING)]
)
def test_code_that_decides_what_is_learnt_decides_what_is_gone_on_with(
    learner: ModuleType, without: set[str]
) -> None:
    file = Path(str(learner.__file__))
    imported = {file, *imported_modules(file)}
    assert {*map(Path, learner.CODE)} == imported - {
        ROOT / f"realart/{name}.py" for name in without
    }


def test_what_check_writes_is_what_is_chosen_of_datasets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not chosen reruns nothing, and each leaf of what is reruns the stage it is for."""
    project = tiny_project(tmp_path)
    monkeypatch.chdir(project)

    def written() -> list[bytes]:
        importlib.import_module("stages.check").main()
        return [Path(file).read_bytes() for file in WRITTEN]

    set_params(project, {"dataset": "local+sample"})
    origins, labels = written()
    for name, change in {
        "datasets.cashbowman.path": "a/b",
        "datasets.artimages.fields": "x",
        "dataset": "sample+local",
    }.items():
        set_params(project, {name: change})
        assert written() == [origins, labels]
    set_params(project, {"datasets.sample.fields": "(?P<style>x)"})
    assert written()[0] == origins
    assert written()[1] != labels
    set_params(project, {"datasets.sample.fields": None, "datasets.local.sha256": "0"})
    assert written()[0] != origins
    assert written()[1] == labels
    set_params(project, {"datasets.local.sha256": None, "dataset": "local"})
    assert all(one != other for one, other in zip(written(), (origins, labels), strict=True))


def test_a_model_reruns_nothing_before_features() -> None:
    by_model = {name for name, stage in PIPELINE.items() if "model" in str(stage.get("params"))}
    assert by_model == {*BY_MODEL}


@contextlib.contextmanager
def recorded(knobs: Strict) -> Iterator[set[str]]:
    """Record which leaves of `knobs` are read inside the block, by their names in dvc.yaml."""
    prefixes = dict(_groups(knobs, ""))
    read: set[str] = set()
    plain = Strict.__getattribute__

    def recording(self: Strict, name: str) -> Any:
        value = plain(self, name)
        field = id(self) in prefixes and name in type(self).model_fields
        if field and not isinstance(value, Strict):
            read.add(prefixes[id(self)] + name)
        return value

    Strict.__getattribute__ = recording  # type: ignore[method-assign]
    try:
        yield read
    finally:
        Strict.__getattribute__ = plain  # type: ignore[method-assign]


def _groups(group: Strict, prefix: str) -> Iterator[tuple[int, str]]:
    yield id(group), prefix
    for name in type(group).model_fields:
        value = getattr(group, name)
        if isinstance(value, Strict):
            yield from _groups(value, f"{prefix}{name}.")
        elif name in CHOSEN:
            for entry in value.values():
                yield from _groups(entry, f"{name}.{CHOSEN[name]}.")
        elif name == "descriptors":
            for key, entry in value.items():
                yield from _groups(entry, f"{name}.{key}.")


def imported_modules(file: Path) -> set[Path]:
    """Return the project's modules that a file imports, directly or not."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        for node in ast.walk(ast.parse(waiting.pop().read_text())):
            new = _direct(node) - found
            found |= new
            waiting += new
    return found


def _direct(node: ast.AST) -> set[Path]:
    names: set[str] = set()
    if isinstance(node, ast.Import):
        names = {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files: set[Path] = set()
    for name in names:
        if name.split(".")[0] in ("realart", "stages"):
            place = ROOT / name.replace(".", "/")
            packages = [parent for parent in [place, *place.parents] if ROOT in parent.parents]
            files |= {place.with_suffix(".py"), *(parent / "__init__.py" for parent in packages)}
    return {file for file in files if file.is_file()}
