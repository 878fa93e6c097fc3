"""Train recipes by the stages, and by a plain Keras script such as published projects have.

    python -m benchmarks.frozen [--zip ZIP --ai FOLDER --human FOLDER] [--pictures 700]
        [--recipes resnet101 cnn150] [--folds 4] [--epochs 20] [--timed-folds 1] [--timed-epochs 2]

Prints a table in Markdown: seconds of both, their ratio, held-out accuracy of both. Both train the
same networks with random weights on the same canonical pictures of the same folds, for the same
epochs (early stopping is off). The plain script reads folders with `image_dataset_from_directory`
and has the frozen base inside `fit`, so every fold and epoch computes it again. Its time is linear
in folds and epochs: it is measured on `--timed-folds` of `--timed-epochs`, after one more epoch
that compiles, and extrapolated; its accuracy is that of the epochs that ran. The time of realart is
that of the stages `features` and `train`, including the start of their processes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from realart.core import tables, yaml12
from realart.data import sample

ROOT = Path(__file__).parents[1]
PREPARING = ("download", "clean", "split", "balance", "ela")


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        project = prepare_project(Path(folder), arguments)
        print("| recipe | plain Keras, s | realart, s | ratio | accuracy: plain | realart |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name in arguments.recipes:
            set_params(project, model=name)
            output = run(project, "benchmarks.frozen", "--plain", json.dumps(vars(arguments)))
            plain = json.loads(output.splitlines()[-1])
            stage_seconds = {stage: time_stage(project, stage) for stage in ("features", "train")}
            total = sum(stage_seconds.values())
            scores = [
                tables.read(file, tables.SCORES)
                for file in sorted((project / "models/folds").glob("*/scores.csv"))
            ]
            correct = np.concatenate(
                [(table["score"] >= 0.5) == tables.is_ai(table["label"]) for table in scores]
            )
            print(
                f"| `{name}` | {plain['seconds']:.0f} (of which measured: "
                f"{plain['measured']:.0f}) | {total:.0f} (features "
                f"{stage_seconds['features']:.0f}, train {stage_seconds['train']:.0f}) | "
                f"{plain['seconds'] / total:.1f} | {plain['accuracy']:.3f} | "
                f"{correct.mean():.3f} |",
                flush=True,
            )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--zip", type=Path)
    parser.add_argument("--ai", default="generated")
    parser.add_argument("--human", default="painted")
    parser.add_argument("--pictures", type=int, default=700)
    parser.add_argument("--recipes", nargs="+", default=["resnet101", "cnn150"])
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--timed-folds", type=int, default=1)
    parser.add_argument("--timed-epochs", type=int, default=2)
    return parser.parse_args()


def prepare_project(folder: Path, arguments: argparse.Namespace) -> Path:
    """Create a project with the pictures, and run the stages before `features`."""
    pictures = folder / "pictures.zip"
    if arguments.zip:
        thin_out(arguments.zip, pictures, arguments.pictures)
    else:
        sample.write_archive(pictures, arguments.pictures)
    arguments.zip = None
    project = folder / "project"
    project.mkdir()
    params = yaml12.load((ROOT / "params.yaml").read_text(), "params.yaml")
    labels = {"ai": [arguments.ai], "human": [arguments.human]}
    params["dataset"] = "local"
    params["datasets"]["local"] |= {"path": str(pictures), "labels": labels}
    params["split"]["folds"] = arguments.folds
    params["balance"]["method"] = "none"
    for recipe in (params["recipes"][name] for name in arguments.recipes):
        recipe |= {"epochs": arguments.epochs, "patience": arguments.epochs}
        if recipe["sees"]["backbone"]:
            recipe["sees"]["backbone"]["weights"] = "none"
    (project / "params.yaml").write_text(yaml12.dump(params))
    for stage in PREPARING:
        run(project, f"stages.{stage}")
    return project


def thin_out(published: Path, target: Path, count: int) -> None:
    """Copy about `count` files of a zip, evenly spread over it."""
    with ZipFile(published) as source, ZipFile(target, "w") as copied:
        names = [entry.filename for entry in source.infolist() if not entry.is_dir()]
        for number in np.unique(np.linspace(0, len(names) - 1, count).astype(int)):
            copied.writestr(names[number], source.read(names[number]))


def set_params(project: Path, **values: Any) -> None:
    file = project / "params.yaml"
    file.write_text(yaml12.dump(yaml12.load(file.read_text(), "params.yaml") | values))


def run(project: Path, module: str, *arguments: str) -> str:
    """Run a module in a project, and return its standard output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_ROOT": str(project)}
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        raise RuntimeError(result.stderr[-2000:])
    return result.stdout


def time_stage(project: Path, stage: str) -> float:
    start = time.monotonic()
    run(project, f"stages.{stage}")
    return time.monotonic() - start


def train_plainly(arguments: argparse.Namespace) -> None:
    """Train the project in the working directory by a plain script; print time and accuracy."""
    from realart.networks import builder
    from realart.params import load_params
    from realart.training import folds

    keras = builder.keras
    params = load_params()
    recipe = params.recipe
    rows = tables.read(Path("data/balanced/rows.csv"), tables.ROWS)
    seconds, measured, accuracies = 0.0, 0.0, []
    for fold in range(arguments.timed_folds):
        parts = folds.fold_indices(rows, fold, params.split.slices)
        folders = {
            name: link_pictures(rows.iloc[getattr(parts, name)], Path(f"plain/{fold}/{name}"))
            for name in ("fit", "val", "held_out")
        }
        start = time.monotonic()
        fit, val, held_out = (
            keras.utils.image_dataset_from_directory(
                folder,
                label_mode="binary" if recipe.outputs == 1 else "categorical",
                batch_size=recipe.batch_size,
                image_size=(recipe.sees.size, recipe.sees.size),
                shuffle=name == "fit",
                seed=0,
                verbose=False,
            )
            for name, folder in folders.items()
        )
        model = builder.build(recipe)
        builder.compile_for(model, recipe, recipe.optimizer.learning_rate)
        model.fit(fit, validation_data=val, epochs=1, verbose=0)
        compiled = time.monotonic()
        epochs = min(arguments.timed_epochs, recipe.epochs - 1)
        model.fit(fit, validation_data=val, epochs=epochs, verbose=0)
        trained = time.monotonic()
        accuracies.append(model.evaluate(held_out, verbose=0, return_dict=True)["accuracy"])
        end = time.monotonic()
        measured += end - start
        seconds += end - start + (trained - compiled) / epochs * (recipe.epochs - 1 - epochs)
    factor = arguments.folds / arguments.timed_folds
    result = {
        "seconds": seconds * factor,
        "measured": measured,
        "accuracy": float(np.mean(accuracies)),
    }
    print(json.dumps(result))


def link_pictures(rows: Any, folder: Path) -> Path:
    """Link the pictures of some rows in a folder for each class."""
    for row in rows.itertuples():
        link = folder / row.label / Path(row.file).name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path("data", row.file).resolve())
    return folder


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain"]:
        train_plainly(argparse.Namespace(**json.loads(sys.argv[2])))
    else:
        main()
