"""dvc.yaml against the code: the code of each stage, and every param that it reads."""

import contextlib
import importlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
from project_copy import ROOT, TUNED, set_params, tiny_project

from realart.core import paths, yaml12
from realart.params import READ, Dataset, Strict, load_params

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


@pytest.mark.parametrize("stage", PIPELINE)
def test_each_stage_depends_on_its_code(stage: str) -> None:
    deps = PIPELINE[stage]["deps"]
    if stage == "check":
        assert {"realart", "stages"} <= {*deps}
    else:
        assert f"{paths.CODE}/{stage}.json" in deps


@pytest.mark.slow
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
        loaded = load_params(project / "params.yaml").model_copy(update={"model": model})
        with monkeypatch.context() as patched:
            for stage in stages:
                script = importlib.import_module(f"stages.{stage}")
                if hasattr(script, "load_params"):
                    patched.setattr(script, "load_params", lambda loaded=loaded: loaded)
                with recorded(loaded) as names, joblib.parallel_config("threading"):
                    script.main()
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


@pytest.mark.slow
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
    assert all(new != old for new, old in zip(written(), (origins, labels), strict=True))


def test_a_model_reruns_nothing_before_features() -> None:
    by_model = {name for name, stage in PIPELINE.items() if "model" in str(stage.get("params"))}
    assert by_model == {*BY_MODEL}


@contextlib.contextmanager
def recorded(params: Strict) -> Iterator[set[str]]:
    """Record which leaves of `params` are read inside the block, by their names in dvc.yaml."""
    prefixes = dict(_groups(params, ""))
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
