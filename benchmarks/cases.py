"""Small files that went wrong on other people's machines, each beside its right value, as a table.

    python -m benchmarks.cases FOLDER [--quick]

FOLDER holds the files that `CLEANED`, `PICTURES` and `TRAINED` name. Zips are cleaned by the stages
`download` and `clean`; pictures are decoded and their evidence read; `mlflow models serve` and
`realart predict` answer by a model that is trained here, on 64 pictures of the sample; and all
stages run on a set without signal. `--quick` leaves out what needs a trained model. Prints a table
in Markdown and exits with 1 if a value isn't right, or a file is missing.
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
from benchmarks.faults import ROOT, shown
from benchmarks.frozen import run
from benchmarks.user_project import STAGES, aliases, ask, environment, project, serving, trained
from realart.core import tables
from realart.data import decoding
from realart.params import load_params
from realart.serving import provenance


@dataclass(frozen=True)
class Cleaned:
    """What `clean` made of a zip: its tables, or the line of an error."""

    kept: Any = None
    rejected: Any = None
    error: str = ""

    def labels(self) -> str:
        """Return how many were kept of each class."""
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


Answer = tuple[str, bool]
"""What was seen, and whether it is right."""


def by_label(right: str, path: Path, accepted: str = "", **values: Any) -> Answer:
    """Count what is kept of each class; an error is right where it says `accepted`."""
    seen = cleaned(path, **values)
    if seen.error:
        return seen.error, bool(accepted) and accepted in seen.error.lower()
    return seen.labels(), seen.labels() == right


def all_kept(path: Path) -> Answer:
    seen = cleaned(path)
    if seen.error:
        return seen.error, False
    return f"{len(seen.kept)} kept", seen.rejected.empty


def far_end_kept(path: Path) -> Answer:
    with zipfile.ZipFile(path) as archive:
        far = max(name for name in archive.namelist() if "strength" in name)
    seen = cleaned(path)
    if seen.error:
        return seen.error, False
    why = dict(zip(seen.rejected["path"], seen.rejected["reason"], strict=True))
    return f"{far} {why.get(far, KEPT)}; {len(why)} rejected", far not in why


def one_group(path: Path) -> Answer:
    """Look whether the upright picture and its turned copies are one group (or one is kept)."""
    seen = cleaned(path)
    if seen.error:
        return seen.error, False
    turned = seen.kept[seen.kept["path"].str.contains("upright|turned")]
    groups = turned["group"].nunique()
    return f"{len(turned)} kept, {groups} groups", groups == 1


def outcome(path: Path) -> str:
    """Return `KEPT`, or why a picture is rejected."""
    params = load_params(ROOT / "params.yaml").clean
    try:
        decoding.decode(path.read_bytes(), params.max_pixels)
    except decoding.UnusableFileError as error:
        return str(error)
    return KEPT


def decoded(path: Path) -> Answer:
    return outcome(path), outcome(path) == KEPT


def named(kind: str, path: Path) -> Answer:
    """Look whether a format that is not read is named; reading it is as good."""
    seen = outcome(path)
    return seen, seen == KEPT or (seen.startswith("unsupported") and kind in seen.lower())


def left_half_white(path: Path) -> Answer:
    image, _ = decoding.decode(path.read_bytes(), max_pixels=1 << 24)
    left, right = np.split(np.asarray(image), 2, axis=1)
    return f"left half {left.mean():.0f}, right {right.mean():.0f}", bool((left == 255).all())


def evidence(wanted: str, path: Path, unwanted: str = "NovelAI") -> Answer:
    """Look whether evidence has `wanted` in it; where that is empty, whether there is none."""
    found = "; ".join(provenance.evidence(path.read_bytes()))
    right = wanted in found and unwanted not in found if wanted else not found
    return found or "nothing", right


PREDICT = "import sys; from realart.cli import main; sys.exit(main())"
"""The command `realart` of this code, whichever is installed."""


def with_evidence(path: Path, folder: Path) -> Answer:
    """Ask `realart predict` for a picture that gets no verdict."""
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, "predict", "--json", str(path.resolve())],
        cwd=trained(folder), env=environment(trained(folder)), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    evidence = "; ".join(answer["evidence"])
    return f"{answer['error']}; {evidence or 'nothing'}", bool(answer["error"] and evidence)


def served(path: Path, folder: Path) -> Answer:
    """Send a request to `mlflow models serve`, and read its answer as RFC 8259 has it."""
    with serving(trained(folder)) as port:
        text = ask(port, path.read_bytes())
    try:
        answer = json.loads(text, parse_constant=_no_json)
    except ValueError as error:
        return f"no JSON: {error}", False
    errors = [row["error"] for row in answer["predictions"]]
    return f"JSON; errors {errors}", not errors[0] and bool(errors[1])


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def one_class_wins(path: Path, folder: Path) -> Answer:
    """Run all stages on a set without signal, in which one class is rare."""
    place = project(folder / "one_class", path, **{"split.folds": 2, "split.slices": 2})
    output = "".join(run(place, f"stages.{stage}") for stage in STAGES)
    goals = json.loads((place / "metrics/metrics.json").read_text("utf-8"))["goals"]
    champion = "none" if aliases(place) == "{}" else "this"
    everything = bool(re.search("all pictures are classified as ai", output, re.IGNORECASE))
    seen = f"goals {goals}, champion: {champion}, all classified as ai: {everything}"
    return seen, champion == "none" and everything and not all(goals.values())


WORDS = {"datasets.local.labels.ai": ["générées"], "datasets.local.labels.human": ["peintes"]}
CLEANED: dict[str, tuple[str, Callable[[Path], Answer]]] = {
    "labels_styles.zip": ("9 ai, 9 human", partial(by_label, "9 ai, 9 human")),
    "labels_nfd.zip": ("3 ai, 3 human", partial(by_label, "3 ai, 3 human", **WORDS)),
    "backslashes.zip": (
        "3 ai, 3 human, or an error that names the backslashes",
        partial(by_label, "3 ai, 3 human", accepted="backslash"),
    ),
    "matted.zip": ("60 kept", all_kept),
    "chain_across_labels.zip": ("the far end is kept", far_end_kept),
    "rotated.zip": ("one group", one_group),
}
PICTURES: dict[str, tuple[str, Callable[[Path], Answer]]] = {
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
TRAINED: dict[str, tuple[str, Callable[[Path, Path], Answer]]] = {
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
    asked = parser.parse_args()
    print("| case | right | seen | ok |\n| --- | --- | --- | --- |")
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        slow = {} if asked.quick else TRAINED
        checks = CLEANED | PICTURES
        checks |= {
            case: (right, partial(check, folder=Path(name)))
            for case, (right, check) in slow.items()
        }
        for case, (right, check) in checks.items():
            seen, ok = answered(check, asked.folder / case)
            wrong += not ok
            print(
                f"| {case} | {right} | {shown(seen, 120)} | {'yes' if ok else 'NO'} |", flush=True
            )
    print(f"\n{len(checks) - wrong} of {len(checks)} are right")
    return 1 if wrong else 0


def answered(check: Callable[[Path], Answer], path: Path) -> Answer:
    """Return what a check sees; what it raises is seen, and wrong."""
    try:
        return check(path)
    except Exception as error:  # one case that fails must not hide the others
        return f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}", False


if __name__ == "__main__":
    sys.exit(main())
