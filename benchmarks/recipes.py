"""Train every recipe on the same pictures and folds, beside its published figures.

    python -m benchmarks.recipes ZIP [--ai FOLDER --human FOLDER] [--recipes cnn150 forensic ...]
        [--seeds 0] [--weights mobilenetv2=FILE ...] [--set balance.method=class_weight ...]

Prints a table in Markdown: accuracy, recall and AUC out of fold, means over seeds of the split,
with 95 % intervals over groups of near-duplicates; calibrated, as `evaluate` reports them. The
test part is not used. `--weights` gives a backbone's file to the recipe or descriptor of
that name; a recipe whose weights are not available is listed without figures.
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
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        projects = {
            seed: prepare_project(Path(folder, f"{seed}"), arguments, seed)
            for seed in arguments.seeds
        }
        pictures = len(tables.read(projects[arguments.seeds[0]] / "data/split.csv", tables.SPLIT))
        print(
            f"{pictures} pictures of {arguments.zip.name}, seeds {arguments.seeds}, "
            f"{arguments.set or ''}\n"
        )
        print("| recipe | accuracy | recall | AUC | published |")
        print("| --- | --- | --- | --- | --- |")
        params = yaml12.load((ROOT / "params.yaml").read_text(), "params.yaml")
        for name in arguments.recipes or params["recipes"]:
            published = params["recipes"][name].get("published", "")
            try:
                scores = [train_and_score(project, name) for project in projects.values()]
                cells = list(map(str, compute_metrics(scores)))
            except RuntimeError as error:
                cells = [f"not run: {str(error).strip().splitlines()[-1][:80]}", "", ""]
            print(f"| `{name}` | {' | '.join(cells)} | {published} |", flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("zip", type=Path)
    parser.add_argument("--ai", default="AiArtData")
    parser.add_argument("--human", default="RealArt")
    parser.add_argument("--recipes", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--weights", nargs="+", default=[])
    parser.add_argument("--set", nargs="+", default=[])
    return parser.parse_args()


def prepare_project(project: Path, arguments: argparse.Namespace, seed: int) -> Path:
    """Create a project, and run the stages before `features`."""
    params = yaml12.load((ROOT / "params.yaml").read_text(), "params.yaml")
    params["datasets"]["local"] |= {
        "path": str(arguments.zip.resolve()),
        "labels": {"ai": [arguments.ai], "human": [arguments.human]},
    }
    params |= {"dataset": "local"}
    params["split"]["seed"] = seed
    del params["goals"]["cases"]  # they are not copied
    for assignment in arguments.set:
        place, value = assignment.split("=", 1)
        set_param(params, place, yaml12.load(value, place))
    for assignment in arguments.weights:
        name, file = assignment.split("=", 1)
        for group, inside in (("recipes", f"{name}.sees"), ("descriptors", name)):
            if name in params[group]:
                set_param(params[group], f"{inside}.backbone.weights", str(Path(file).resolve()))
    project.mkdir()
    (project / "params.yaml").write_text(yaml12.dump(params))
    for stage in PREPARING:
        run(project, f"stages.{stage}")
    return project


def set_param(params: dict[str, Any], place: str, value: Any) -> None:
    """Set a param by its dotted name."""
    *groups, last = place.split(".")
    for group in groups:
        params = params[group]
    params[last] = value


def train_and_score(project: Path, name: str) -> pd.DataFrame:
    """Train a recipe; return its calibrated out-of-fold probabilities and the groups of rows."""
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
        np.repeat(np.arange(len(held_out)), [len(table) for table in held_out]),
    )
    groups = rows.loc[scores["row"], "group"].to_numpy()
    return scores.assign(score=probabilities, group=groups)


def compute_metrics(tables_by_seed: list[pd.DataFrame]) -> list[Estimate]:
    """Compute accuracy, recall and AUC, means over seeds, with intervals."""
    together = pd.concat(tables_by_seed, ignore_index=True)
    seeds = np.repeat(np.arange(len(tables_by_seed)), [len(table) for table in tables_by_seed])
    labels, scores = tables.is_ai(together["label"]), together["score"].to_numpy()
    predicted, ai = scores >= 0.5, labels == 1

    def mean(statistic: Any, subset: Any) -> Estimate:
        def value(weights: Weights) -> Weights:
            places = [np.flatnonzero(subset & (seeds == seed)) for seed in set(seeds)]
            return np.mean([statistic(place, weights[:, place]) for place in places], axis=0)

        return intervals.bootstrap(value, together["group"])

    all_rows = np.ones(len(labels), np.bool_)
    return [
        mean(
            lambda rows, weights: intervals.accuracy(labels[rows], predicted[rows], weights),
            all_rows,
        ),
        mean(lambda rows, weights: intervals.accuracy(labels[rows], predicted[rows], weights), ai),
        mean(lambda rows, weights: intervals.auc(labels[rows], scores[rows], weights), all_rows),
    ]


if __name__ == "__main__":
    main()
