"""What each delivery of a panel adds, and what the panel does to verdicts.

    python -m benchmarks.deliveries ZIP [--ai FOLDER --human FOLDER] [--set model=NAME ...]
        [--weights mobilenetv2=FILE] [--elsewhere ZIP ...] [--pictures 400] [--scores CSV]

Trains the recipe, a classifier, on the pictures of a zip. Each fold's classifier then scores up to
`--pictures` pictures that it was not trained on, held out of fold or in the test part, and the
final model up to as many of each zip `--elsewhere`, as published and delivered (by one of `SENT`,
drawn by the picture's name), each as it is and after each of `CANDIDATES`. Prints, in Markdown, how
many pictures each candidate moves over one half, and how many of them no other delivery of the
panel does; share and accuracy of the verdicts that are given, by each rule of disagreement, beside
the accuracy of as many of the highest confidence; and the time of `predict` with the panel, in
times of that of `--once`. `--scores` keeps the probabilities, and reads them where the file exists.
"""

import argparse
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from benchmarks.frozen import ROOT, run
from benchmarks.recipes import prepare_project
from realart.core import paths, tables
from realart.data import archive, cleaning, decoding, raw
from realart.data.archive import ArchiveMember
from realart.data.perturbations import Change
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec, ModelInput
from realart.metrics.classification import THRESHOLD
from realart.models import manifest, trained_model
from realart.models.trained_model import TrainedModel
from realart.params import load_params
from realart.serving import deliveries, predict
from realart.serving.inputs import list_files
from realart.training import cv_classifier

Scorable: TypeAlias = tuple[str, pd.DataFrame, Mapping[str, Path], TrainedModel]
"""Where pictures are from, their table, their archives, and a model not trained on them."""

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
    scored = []
    for origin, pictures, archives, model in chain(held_out(count), cleaned(elsewhere, count)):
        for condition in ("published", "delivered"):
            prepare = partial(inputs, spec=model.input, sent=condition == "delivered")
            probabilities = model.score_items(prepare, raw.members(pictures, archives), origin)
            table = pd.DataFrame(probabilities, columns=["none", *CANDIDATES])
            table.insert(0, "label", pictures["label"].to_numpy())
            sure = model.decision_rule.sure
            scored.append(table.assign(origin=origin, condition=condition, sure=sure))
    return pd.concat(scored, ignore_index=True)


def held_out(count: int) -> Iterator[Scorable]:
    """Yield up to `count` pictures of the test part, and as many out of fold, by their models."""
    rows = tables.read(paths.ROWS, tables.ROWS).query("operation == ''").sort_values("row")
    pictures = tables.by_id(tables.read(paths.PICTURES, tables.PICTURES))
    archives = raw.archives(paths.RAW)
    test = rows.loc[rows["part"] == "test", "row"].head(count)
    yield "test", pictures.loc[test], archives, TrainedModel(paths.FINAL)
    folds = rows[rows["part"] == "train"].groupby("fold")["row"]
    for fold, held in folds:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(paths.FINAL, folder, dirs_exist_ok=True)
            final = manifest.read(Path(folder))
            classifier = paths.FOLDS / f"{fold}" / cv_classifier.CLASSIFIER
            shutil.copyfile(classifier, Path(folder, trained_model.CLASSIFIER.format(0)))
            manifest.write(Path(folder), final)
            chosen = pictures.loc[held.head(count // len(folds))]
            yield "out of fold", chosen, archives, TrainedModel(Path(folder))


def cleaned(archives: Sequence[Path], count: int) -> Iterator[Scorable]:
    """Yield up to `count` pictures of each zip that `clean` keeps, and the final model."""
    model = TrainedModel(paths.FINAL)
    labels = load_params(ROOT / "params.yaml").datasets["local"].labels
    for path in archives:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, cleaning.FOLDER)
            target.mkdir(parents=True)
            kept, *_ = cleaning.clean(path, labels, None, model.input.clean, target)
        chosen = kept.assign(set="").sort_values("id").head(count)
        yield path.name, chosen, {"": path}, model


def inputs(member: ArchiveMember, spec: InputSpec, sent: bool) -> list[ModelInput]:
    """Return the inputs of a picture, delivered before if it is `sent`, and of its candidates."""
    image, _ = decoding.decode(archive.read(*member), spec.clean.max_pixels)
    for change in SENT[zlib.crc32(member.name.encode()) % len(SENT)] if sent else ():
        image = change(image)
    changed = [image, *(change(image) for change in CANDIDATES.values())]
    return [preprocessing.from_pixels(picture, spec) for picture in changed]


def turned(scores: pd.DataFrame) -> pd.DataFrame:
    """Count the pictures that each candidate moves over one half, and those that it alone moves."""
    ai = scores[["none", *CANDIDATES]] >= THRESHOLD
    moved = ai[list(CANDIDATES)].ne(ai["none"], axis=0)
    wrong = ai["none"] != (scores["label"] == "ai")
    panel = moved[[name for name in CANDIDATES if name in deliveries.PANEL]]
    by_others = {name: panel.drop(columns=name, errors="ignore").any(axis=1) for name in CANDIDATES}
    alone = moved & ~pd.DataFrame(by_others)
    counted = {"moved": moved, "moved, wrong": moved[wrong], "not by the panel's others": alone}
    shift = scores[list(CANDIDATES)].sub(scores["none"], axis=0).mean()
    return pd.DataFrame({name: mask.sum() for name, mask in counted.items()} | {"shift": shift})


def compare_rules(scores: pd.DataFrame) -> pd.DataFrame:
    """Compute share and accuracy of the verdicts that are given by each rule of disagreement."""
    panel = [name for name in CANDIDATES if name in deliveries.PANEL]
    ai = scores[["none", *CANDIDATES]] >= THRESHOLD
    confidence = np.maximum(scores[ai.columns], 1 - scores[ai.columns])
    moved, sure = ai.ne(ai["none"], axis=0), confidence.ge(scores["sure"], axis=0)
    right = ai["none"] == (scores["label"] == "ai")
    rows = {}
    for name, disagrees in {
        "once": moved["none"],
        "JPEG 90 has another verdict": moved["jpeg_90"] | ~sure["jpeg_90"],
        "panel: one is decided the other way": (moved & sure)[panel].any(axis=1),
        "panel: one is nearer to the other class": moved[panel].any(axis=1),
        "panel: one is unsure": (moved | ~sure)[panel].any(axis=1),
    }.items():
        given = sure["none"] & ~disagrees
        surest = confidence["none"].nlargest(int(given.sum())).index
        rows[name] = {
            "given": given.mean(),
            "accuracy": right[given].mean(),
            "of as many, the surest": right[surest].mean(),
            "right lost": (right & sure["none"] & disagrees).sum(),
            "wrong lost": (~right & sure["none"] & disagrees).sum(),
        }
    return pd.DataFrame(rows).T


def time_ratio() -> float:
    """Return the time of `predict` with the panel, in times of that without."""
    model = TrainedModel(paths.FINAL)
    files = list_files([paths.CLEAN / "pictures"])[:TIMED]
    seconds = []
    for once in (True, True, False):
        start = time.perf_counter()
        list(predict.predict(files, model, once=once))
        seconds.append(time.perf_counter() - start)
    return seconds[2] / seconds[1]


if __name__ == "__main__":
    main()
