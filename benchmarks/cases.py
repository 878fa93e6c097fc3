"""Files that failed for users, with expected and actual results, as a table.

    python -m benchmarks.cases FOLDER [--quick]

FOLDER holds the files that `CLEANED`, `PICTURES` and `TRAINED` name. Zips are cleaned by the stages
`download` and `clean`; pictures are decoded and their evidence read; `mlflow models serve` and
`realart predict` run with a model that is trained here, on 64 pictures of the sample; and all
stages run on a set without signal. `--quick` leaves out what needs a trained model. Prints a table
in Markdown, and exits with 1 if a result is not the expected one or a file is missing.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bad_files import KEPT
from benchmarks.faults import ROOT, as_cell
from benchmarks.frozen import run
from benchmarks.user_project import (
    STAGES,
    aliases,
    environment,
    post,
    project,
    serving,
    trained_project,
)
from realart.core import tables
from realart.data import decoding
from realart.params import load_params
from realart.serving import provenance


@dataclass(frozen=True)
class Cleaned:
    """The result of `clean` on a zip: its tables, or the error's line."""

    kept: Any = None
    rejected: Any = None
    error: str = ""

    def labels(self) -> str:
        """Return the number of kept pictures of each class, as text."""
        counts = dict(self.kept["label"].value_counts())
        return ", ".join(f"{counts.get(name, 0)} {name}" for name in ("ai", "human"))


def cleaned(archive: Path, **values: Any) -> Cleaned:
    """Run `download` and `clean` on a zip."""
    with tempfile.TemporaryDirectory() as name:
        place = project(Path(name, "project"), archive, **values)
        try:
            run(place, "stages.download")
            run(place, "stages.clean")
        except RuntimeError as error:
            return Cleaned(error=str(error).strip().splitlines()[-1])
        folder = place / "data/clean"
        return Cleaned(
            tables.read(folder / "pictures.csv", tables.PICTURES),
            tables.read(folder / "rejected.csv", tables.REJECTED),
        )


CheckResult = tuple[str, bool]
"""The actual result, and whether it is the expected one."""


def by_label(expected: str, path: Path, accepted_error: str = "", **values: Any) -> CheckResult:
    """Count the kept pictures of each class; or expect an error that contains `accepted_error`."""
    result = cleaned(path, **values)
    if result.error:
        return result.error, bool(accepted_error) and accepted_error in result.error.lower()
    return result.labels(), result.labels() == expected


def all_kept(path: Path) -> CheckResult:
    result = cleaned(path)
    if result.error:
        return result.error, False
    return f"{len(result.kept)} kept", result.rejected.empty


def far_end_kept(path: Path) -> CheckResult:
    with zipfile.ZipFile(path) as archive:
        last = max(name for name in archive.namelist() if "strength" in name)
    result = cleaned(path)
    if result.error:
        return result.error, False
    reasons = dict(zip(result.rejected["path"], result.rejected["reason"], strict=True))
    return f"{last} {reasons.get(last, KEPT)}; {len(reasons)} rejected", last not in reasons


def one_group(path: Path) -> CheckResult:
    """Check that the upright picture and its turned copies are one group, or only one is kept."""
    result = cleaned(path)
    if result.error:
        return result.error, False
    turned = result.kept[result.kept["path"].str.contains("upright|turned")]
    groups = turned["group"].nunique()
    return f"{len(turned)} kept, {groups} groups", groups == 1


def outcome(path: Path) -> str:
    """Return `KEPT`, or the reason for which a picture is rejected."""
    params = load_params(ROOT / "params.yaml").clean
    try:
        decoding.decode(path.read_bytes(), params.max_pixels)
    except decoding.UnusableFileError as error:
        return str(error)
    return KEPT


def decoded(path: Path) -> CheckResult:
    return outcome(path), outcome(path) == KEPT


def named(kind: str, path: Path) -> CheckResult:
    """Check that the reason names an unsupported format, or that the picture is read."""
    reason = outcome(path)
    return reason, reason == KEPT or (reason.startswith("unsupported") and kind in reason.lower())


def left_half_white(path: Path) -> CheckResult:
    image, _ = decoding.decode(path.read_bytes(), max_pixels=1 << 24)
    left, right = np.split(np.asarray(image), 2, axis=1)
    return f"left half {left.mean():.0f}, right {right.mean():.0f}", bool((left == 255).all())


def evidence(expected: str, path: Path, excluded: str = "NovelAI") -> CheckResult:
    """Check that the evidence contains `expected`; if that is empty, that there is no evidence."""
    found = "; ".join(provenance.evidence(path.read_bytes()))
    correct = expected in found and excluded not in found if expected else not found
    return found or "nothing", correct


PREDICT = "import sys; from realart.cli import main; sys.exit(main())"
"""The command `realart` of this working tree, whichever version is installed."""


def with_evidence(path: Path, folder: Path) -> CheckResult:
    """Run `realart predict` on a picture that can't be classified."""
    place = trained_project(folder)
    result = subprocess.run(
        [sys.executable, "-c", PREDICT, "predict", "--json", str(path.resolve())],
        cwd=place, env=environment(place), capture_output=True, text=True, check=False,
    )  # fmt: skip
    prediction = json.loads(result.stdout)
    evidence = "; ".join(prediction["evidence"])
    return f"{prediction['error']}; {evidence or 'nothing'}", bool(prediction["error"] and evidence)


def served(path: Path, folder: Path) -> CheckResult:
    """Send a request to `mlflow models serve`, and parse the response as strict JSON (RFC 8259)."""
    with serving(trained_project(folder)) as port:
        text = post(port, path.read_bytes())
    try:
        response = json.loads(text, parse_constant=_no_json)
    except ValueError as error:
        return f"no JSON: {error}", False
    errors = [row["error"] for row in response["predictions"]]
    return f"JSON; errors {errors}", not errors[0] and bool(errors[1])


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def one_class_wins(path: Path, folder: Path) -> CheckResult:
    """Run all stages on a set without signal, in which one class is rare."""
    place = project(folder / "one_class", path, **{"split.folds": 2, "split.slices": 2})
    output = "".join(run(place, f"stages.{stage}") for stage in STAGES)
    goals = json.loads((place / "metrics/evaluation.json").read_text("utf-8"))["goals"]
    champion = "none" if aliases(place) == "{}" else "this"
    all_ai = bool(re.search("all pictures are classified as ai", output, re.IGNORECASE))
    actual = f"goals {goals}, champion: {champion}, all classified as ai: {all_ai}"
    return actual, champion == "none" and all_ai and not all(goals.values())


WORDS = {"datasets.local.labels.ai": ["générées"], "datasets.local.labels.human": ["peintes"]}
CLEANED: dict[str, tuple[str, Callable[[Path], CheckResult]]] = {
    "labels_styles.zip": ("9 ai, 9 human", partial(by_label, "9 ai, 9 human")),
    "labels_nfd.zip": ("3 ai, 3 human", partial(by_label, "3 ai, 3 human", **WORDS)),
    "backslashes.zip": (
        "3 ai, 3 human, or an error that names the backslashes",
        partial(by_label, "3 ai, 3 human", accepted_error="backslash"),
    ),
    "matted.zip": ("60 kept", all_kept),
    "chain_across_labels.zip": ("the far end is kept", far_end_kept),
    "rotated.zip": ("one group", one_group),
}
PICTURES: dict[str, tuple[str, Callable[[Path], CheckResult]]] = {
    "grey16_transparent.png": ("left half white", left_half_white),
    "with_thumbnail.tif": (KEPT, decoded),
    "picture.ppm": ("unsupported, PPM named", partial(named, "ppm")),
    "picture.ico": ("unsupported, ICO named", partial(named, "ico")),
    "head_of.heic": ("unsupported, HEIC named", partial(named, "hei")),
    "stealth_a1111.png": ("the generator is named", partial(evidence, "Stable Diffusion")),
    "fooocus_mre_comment.png": ("Fooocus", partial(evidence, "Fooocus")),
    "fooocus_mre_comment.jpg": ("Fooocus", partial(evidence, "Fooocus")),
    "swarm_exif_model.jpg": ("SwarmUI", partial(evidence, "SwarmUI")),
    "draw_things_no_tool.png": ("Draw Things", partial(evidence, "Draw Things")),
    "raw_profile_xmp.png": (
        "trainedAlgorithmicMedia",
        partial(evidence, "trainedAlgorithmicMedia"),
    ),
    "cloud_provenance.png": (
        "the manifest's address, not verified",
        partial(evidence, "cai-manifests.adobe.com"),
    ),
    "imagemagick_artist_control.jpg": ("nothing", partial(evidence, "")),
    "google_credit.png": ("Made with Google AI", partial(evidence, "Made with Google AI")),
    "grok_signature.png": ("the Artist", partial(evidence, "'0f1e'")),
    "title_mentions.png": ("the Description", partial(evidence, "How to spot Midjourney")),
}
TRAINED: dict[str, tuple[str, Callable[[Path, Path], CheckResult]]] = {
    "a1111_48px.png": ("error, and the evidence beside it", with_evidence),
    "serve_good_bad.json": ("JSON (RFC 8259), an error for the bad row alone", served),
    "one_class_wins.zip": (
        "goals not met, no champion, 'all pictures are classified as ai'",
        one_class_wins,
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true", help="leave out what needs a trained model")
    arguments = parser.parse_args()
    print("| case | expected | actual | ok |\n| --- | --- | --- | --- |")
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        slow = {} if arguments.quick else TRAINED
        checks = CLEANED | PICTURES
        checks |= {
            case: (expected, partial(check, folder=Path(name)))
            for case, (expected, check) in slow.items()
        }
        for case, (expected, check) in checks.items():
            actual, ok = run_check(check, arguments.folder / case)
            failures += not ok
            print(
                f"| {case} | {expected} | {as_cell(actual, 120)} | {'yes' if ok else 'NO'} |",
                flush=True,
            )
    print(f"\n{len(checks) - failures} of {len(checks)} are as expected")
    return 1 if failures else 0


def run_check(check: Callable[[Path], CheckResult], path: Path) -> CheckResult:
    """Run a check; an exception is a failed check."""
    try:
        return check(path)
    except Exception as error:  # a case that fails must not hide the others
        return f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}", False


if __name__ == "__main__":
    sys.exit(main())
