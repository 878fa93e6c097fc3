"""Every recipe on the same pictures and folds, by the stages, beside what was published of it.

    python -m benchmarks.recipes ZIP [--ai FOLDER --human FOLDER] [--recipes cnn150 forensic ...]
        [--seeds 0] [--weights mobilenetv2=FILE ...] [--set balance.method=class_weight ...]

Prints a table in Markdown: accuracy, recall and AUC out of fold, means over seeds of the split,
with 95 % intervals over groups of near-duplicates; as `evaluate` would report them, calibrated.
The test part is not looked at. `--weights` gives a backbone's file to the recipe or descriptor of
that name; a recipe whose weights can't be had is listed without figures.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.frozen import PREPARING, ROOT, run
from realart.core import tables, yaml12
from realart.metrics import calibration, intervals
from realart.metrics.intervals import Estimate, Weights


def main() -> None:
    asked = parsed()
    with tempfile.TemporaryDirectory() as folder:
        projects = {seed: prepared(Path(folder, f"{seed}"), asked, seed) for seed in asked.seeds}
        pictures = len(tables.read(projects[asked.seeds[0]] / "data/split.csv", tables.SPLIT))
        print(f"{pictures} pictures of {asked.zip.name}, seeds {asked.seeds}, {asked.set or ''}\n")
        print("| recipe | accuracy | recall | AUC | published |")
        print("| --- | --- | --- | --- | --- |")
        params = yaml12.load((ROOT / "params.yaml").read_text(), "params.yaml")
        for name in asked.recipes or params["recipes"]:
            published = params["recipes"][name].get("published", "")
            try:
                scores = [scored(project, name) for project in projects.values()]
                cells = list(map(str, figures(scores)))
            except RuntimeError as error:
                cells = [f"not run: {str(error).strip().splitlines()[-1][:80]}", "", ""]
            print(f"| `{name}` | {' | '.join(cells)} | {published} |", flush=True)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("zip", type=Path)
    parser.add_argument("--ai", default="AiArtData")
    parser.add_argument("--human", default="RealArt")
    parser.add_argument("--recipes", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--weights", nargs="+", default=[])
    parser.add_argument("--set", nargs="+", default=[])
    return parser.parse_args()


def prepared(project: Path, asked: argparse.Namespace, seed: int) -> Path:
    """Make a project in which the stages before `features` have run."""
    params = yaml12.load((ROOT / "params.yaml").read_text(), "params.yaml")
    params["datasets"]["local"] |= {
        "path": str(asked.zip.resolve()),
        "labels": {"ai": [asked.ai], "human": [asked.human]},
    }
    params |= {"dataset": "local"}
    params["split"]["seed"] = seed
    for assignment in asked.set:
        place, value = assignment.split("=", 1)
        put(params, place, yaml12.load(value, place))
    for assignment in asked.weights:
        name, file = assignment.split("=", 1)
        for group, inside in (("recipes", f"{name}.sees"), ("descriptors", name)):
            if name in params[group]:
                put(params[group], f"{inside}.backbone.weights", str(Path(file).resolve()))
    project.mkdir()
    (project / "params.yaml").write_text(yaml12.dump(params))
    for stage in PREPARING:
        run(project, f"stages.{stage}")
    return project


def put(params: dict[str, Any], place: str, value: Any) -> None:
    """Set a param by its dotted name."""
    *groups, last = place.split(".")
    for group in groups:
        params = params[group]
    params[last] = value


def scored(project: Path, name: str) -> pd.DataFrame:
    """Train a recipe; return its probabilities out of fold, and the group of each picture."""
    file = project / "params.yaml"
    file.write_text(yaml12.dump(yaml12.load(file.read_text(), "params.yaml") | {"model": name}))
    for stage in ("features", "train"):
        run(project, f"stages.{stage}")
    rows = tables.read(project / "data/balanced/rows.csv", tables.ROWS).set_index("row")
    folds = sorted((project / "models/folds").glob("*/scores.csv"))
    held_out = [tables.read(fold, tables.SCORES) for fold in folds]
    scores = pd.concat(held_out)
    probabilities = calibration.cross_calibrate(
        tables.is_ai(scores["label"]),
        scores["score"].to_numpy(),
        np.repeat(np.arange(len(held_out)), [len(one) for one in held_out]),
    )
    groups = rows.loc[scores["row"], "group"].to_numpy()
    return scores.assign(score=probabilities, group=groups)


def figures(by_seed: list[pd.DataFrame]) -> list[Estimate]:
    """Return accuracy, recall and AUC, means over seeds, with intervals."""
    together = pd.concat(by_seed, ignore_index=True)
    seeds = np.repeat(np.arange(len(by_seed)), [len(one) for one in by_seed])
    labels, scores = tables.is_ai(together["label"]), together["score"].to_numpy()
    called, ai = scores >= 0.5, labels == 1

    def mean(statistic: Any, among: Any) -> Estimate:
        def value(weights: Weights) -> Weights:
            places = [np.flatnonzero(among & (seeds == seed)) for seed in set(seeds)]
            return np.mean([statistic(place, weights[:, place]) for place in places], axis=0)

        return intervals.bootstrap(value, together["group"])

    everything = np.ones(len(labels), np.bool_)
    return [
        mean(lambda at, weights: intervals.accuracy(labels[at], called[at], weights), everything),
        mean(lambda at, weights: intervals.accuracy(labels[at], called[at], weights), ai),
        mean(lambda at, weights: intervals.auc(labels[at], scores[at], weights), everything),
    ]


if __name__ == "__main__":
    main()
