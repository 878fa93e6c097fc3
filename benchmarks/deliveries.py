"""What each delivery of a panel adds, and what the panel does to verdicts.

    python -m benchmarks.deliveries ZIP [--ai FOLDER --human FOLDER] [--set model=NAME ...]
        [--weights mobilenetv2=FILE] [--elsewhere ZIP ...] [--pictures 400] [--scores CSV]

Trains the recipe, a classifier, on the pictures of a zip. Each fold's classifier then scores up to
`--pictures` pictures that it was not trained on, held out of fold or in the test part, and the
final model up to as many of each zip `--elsewhere`, as published and delivered (by one of `SENT`,
drawn by the picture's name), each as it is and after each of `CANDIDATES`. Prints, in Markdown, how
many decided verdicts each delivery turns that no other does; accuracy and share of the verdicts
that are given, by each rule and where the least confidence is raised to the same share; and the
time of `predict` with the panel, in times of that of `--once`. `--scores` keeps the probabilities,
and reads them where the file exists.
"""

import argparse
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.frozen import run
from benchmarks.recipes import prepare_project
from realart.core import paths, tables
from realart.data import archive, cleaning, decoding, raw
from realart.data.archive import ArchiveMember
from realart.data.perturbations import Change
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.models.trained_model import TrainedModel
from realart.params import load_params
from realart.serving import deliveries, predict

CANDIDATES = {
    "jpeg_90": Change("jpeg", 90),
    "jpeg": Change("jpeg", 60),
    "half_size": Change("resize", 0.5),
    "webp": Change("webp", 75),
    "corner": Change("corner", 0.1),
    "letterbox": Change("letterbox", 0.25),
    "screenshot": Change("screenshot", 2),
    "thumbnail": Change("thumbnail", 256),
    "collage": Change("collage", 0.5),
}
SENT = (
    (Change("thumbnail", 1280), Change("jpeg", 70)),
    (Change("crop", 0.75),),
    (Change("screenshot", 1), Change("jpeg", 70)),
    (Change("blur", 1),),
    (Change("letterbox", 0.44),),
    (Change("corner", 0.25), Change("webp", 50)),
)
"""How pictures are delivered that are then predicted."""
TIMED = 48
"""Pictures by which `predict` is timed."""


def main() -> None:
    arguments = parse_arguments()
    kept = arguments.scores and arguments.scores.resolve()
    elsewhere = [path.resolve() for path in arguments.elsewhere]
    with tempfile.TemporaryDirectory() as folder:
        if kept and kept.is_file():
            scores = pd.read_csv(kept)
        else:
            os.chdir(trained_project(Path(folder, "project"), arguments))
            scores = score_all(elsewhere, arguments.pictures)
            print(f"once : panel = 1 : {time_ratio():.1f}")
            if kept:
                scores.to_csv(kept, index=False)
    for (origin, condition), of_condition in scores.groupby(["origin", "condition"]):
        print(f"\n{origin}, {condition}: {len(of_condition)} pictures\n")
        print(turned(of_condition).to_markdown())
        print(compare_rules(of_condition).to_markdown(floatfmt=".3f"), flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("zip", type=Path)
    parser.add_argument("--ai", default="AiArtData")
    parser.add_argument("--human", default="RealArt")
    parser.add_argument("--weights", nargs="+", default=[])
    parser.add_argument("--set", nargs="+", default=[])
    parser.add_argument("--elsewhere", nargs="+", type=Path, default=[])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--scores", type=Path)
    return parser.parse_args()


def trained_project(project: Path, arguments: argparse.Namespace) -> Path:
    """Run the stages up to `evaluate` on the pictures of the zip."""
    prepare_project(project, arguments, seed=0)
    for stage in ("audit", "features", "train", "evaluate"):
        run(project, f"stages.{stage}")
    return project


def score_all(elsewhere: Sequence[Path], count: int) -> pd.DataFrame:
    """Score pictures that models were not trained on, in the project that is the current folder.

    Returns
    -------
    DataFrame
        A row for each picture and condition: its origin and label, the least confidence of a
        decision (`sure`), and probabilities of ai: `none`, and a column for each candidate.
    """
    rows = tables.read(paths.ROWS, tables.ROWS)
    rows = rows[rows["operation"] == ""]
    pictures = tables.by_id(tables.read(paths.PICTURES, tables.PICTURES))
    archives = raw.archives(paths.RAW)
    scored = []
    for fold in sorted(rows["fold"].unique()):
        here = rows[rows["fold"] == fold].sort_values("row")
        share = len(here) if fold < 0 else (count * len(here)) // (rows["fold"] >= 0).sum()
        chosen = pictures.loc[here["row"].head(share)]
        model = TrainedModel(paths.FINAL) if fold < 0 else fold_model(fold)
        scored.append(score("test" if fold < 0 else "out of fold", chosen, archives, model))
    for path in elsewhere:
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary) / cleaning.FOLDER
            target.mkdir(parents=True)
            model = TrainedModel(paths.FINAL)
            labels = load_params().datasets["local"].labels
            labels = labels.model_copy(update={"ai": ["ai", "fake"], "human": ["real"]})
            kept, *_ = cleaning.clean(path, labels, None, model.input.clean, target)
        kept = kept.assign(set="").sort_values("id").head(count)
        scored.append(score(path.name, kept, {"": path}, model))
    return pd.concat(scored, ignore_index=True)


def fold_model(fold: int) -> TrainedModel:
    """Return the final model with the classifier of a fold in its place."""
    folder = Path(tempfile.mkdtemp(dir="."))
    shutil.copytree(paths.FINAL, folder, dirs_exist_ok=True)
    shutil.copyfile(paths.FOLDS / f"{fold}/head.npz", folder / "0.npz")
    return TrainedModel(folder)


def score(
    origin: str, pictures: pd.DataFrame, archives: dict[str, Path], model: TrainedModel
) -> pd.DataFrame:
    """Score pictures in both conditions, each as it is and after each candidate."""
    scored = []
    for condition in ("published", "delivered"):
        prepare = partial(inputs, spec=model.input, sent=condition == "delivered")
        probabilities = model.score_items(prepare, raw.members(pictures, archives), origin)
        table = pd.DataFrame(probabilities, columns=["none", *CANDIDATES])
        table.insert(0, "label", pictures["label"].to_numpy())
        scored.append(
            table.assign(origin=origin, condition=condition, sure=model.decision_rule.sure)
        )
    return pd.concat(scored, ignore_index=True)


def inputs(member: ArchiveMember, spec: InputSpec, sent: bool) -> list[ModelInput]:
    """Return the inputs of a picture, delivered before if it is `sent`, and of its candidates."""
    image, _ = decoding.decode(archive.read(*member), spec.clean.max_pixels)
    for change in SENT[zlib.crc32(member.path.encode()) % len(SENT)] if sent else ():
        image = change(image)
    changed = [image, *(change(image) for change in CANDIDATES.values())]
    return [preprocessing.from_pixels(picture, spec) for picture in changed]


def decide(probabilities: pd.DataFrame, sure: "pd.Series[float]") -> pd.DataFrame:
    """Return 1 for ai, -1 for human and 0 for unsure, by `DecisionRule.decide`."""
    side = np.where(probabilities >= 0.5, 1, -1)
    confident = np.maximum(probabilities, 1 - probabilities).ge(sure, axis=0)
    return pd.DataFrame(side * confident, probabilities.index, probabilities.columns)


def turned(scores: pd.DataFrame) -> pd.DataFrame:
    """Count, for each candidate, decided verdicts that it turns, and those that it alone turns."""
    decisions = decide(scores[["none", *CANDIDATES]], scores["sure"])
    nearer = np.sign(scores[list(CANDIDATES)] - 0.5)
    verdict = decisions.pop("none")
    right = verdict == np.where(scores["label"] == "ai", 1, -1)
    decided = verdict != 0
    table = {}
    for kind, opposite in (
        ("opposite", decisions.mul(verdict, axis=0) < 0),
        ("nearer", nearer.mul(verdict, axis=0) < 0),
        ("unsure", decisions.eq(0).mul(decided, axis=0)),
    ):
        alone = opposite & (opposite.sum(axis=1) == 1).to_numpy()[:, None]
        table |= {
            kind: opposite.sum(),
            f"{kind}, wrong verdicts": opposite[~right].sum(),
            f"{kind}, alone": alone.sum(),
            f"{kind}, alone, wrong": alone[~right].sum(),
        }
    return pd.DataFrame(table)


def compare_rules(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute accuracy and share of the verdicts given by each rule of disagreement."""
    panel = [name for name in CANDIDATES if name in deliveries.PANEL]
    decisions = decide(scores[["none", *CANDIDATES]], scores["sure"])
    verdict, others = decisions.pop("none"), decisions[panel]
    right = verdict == np.where(scores["label"] == "ai", 1, -1)
    confidence = np.maximum(scores["none"], 1 - scores["none"])
    nearer = np.sign(scores[panel] - 0.5).mul(verdict, axis=0)
    mean = np.sign(scores[["none", *panel]].mean(axis=1) - 0.5) * verdict
    rules = {
        "once": verdict != 0,
        "none opposite": others.mul(verdict, axis=0).ge(0).all(axis=1),
        "none nearer": nearer.ge(0).all(axis=1),
        "at most one nearer": nearer.lt(0).sum(axis=1) <= 1,
        "none unsure": others.mul(verdict, axis=0).gt(0).all(axis=1),
        "mean not nearer": mean >= 0,
    }
    rows = {}
    for name, given in rules.items():
        given = given & (verdict != 0)
        surest = confidence.where(verdict != 0).nlargest(int(given.sum())).index
        rows[name] = {
            "given": given.mean(),
            "accuracy": right[given].mean(),
            "accuracy of the surest as many": right[surest].mean(),
            "right lost": (right & ~given & (verdict != 0)).sum(),
            "wrong lost": (~right & ~given & (verdict != 0)).sum(),
        }
    return pd.DataFrame(rows).T


def time_ratio() -> float:
    """Return the time of `predict` with the panel, in times of that without."""
    model = TrainedModel(paths.FINAL)
    files = predict.list_files([paths.CLEAN / "pictures"])[:TIMED]
    seconds = []
    for once in (True, True, False):
        start = time.perf_counter()
        list(predict.predict(files, model, once=once))
        seconds.append(time.perf_counter() - start)
    return seconds[2] / seconds[1]


if __name__ == "__main__":
    main()
