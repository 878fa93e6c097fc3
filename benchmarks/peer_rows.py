"""Run one row of `benchmarks.peers` in a process of its own: realart or another tool.

    python -m benchmarks.peer_rows ROW FILES OUT CLEAN

works on the pictures in the folder FILES (`clean` on FILES.zip) with the params CLEAN (JSON), and
writes into the empty folder OUT, at the end found.json: the seconds from after the imports to the
end, the groups of files that are reported as duplicates, and the files that were left out.

Functions import what they need, since no environment has the packages of all tools.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

CORES = len(os.sched_getaffinity(0))
Groups = list[list[str]]
Found = tuple[dict[str, Groups], Iterable[str]]
"""Groups of files by the name of the tool, and the files that were left out."""
Work = Callable[[], Found]


def names(files: Path) -> list[str]:
    return sorted(path.relative_to(files).as_posix() for path in files.glob("*/*"))


def decoding(files: Path, out: Path, clean: dict[str, Any]) -> Work:
    return bare(decode, files)


def floor(files: Path, out: Path, clean: dict[str, Any]) -> Work:
    return bare(partial(save, out, clean), files)


def bare(function: Callable[[Path], None], files: Path) -> Work:
    """Return a bare loop over all files on all cores: a lower bound for any tool."""
    from PIL import Image

    Image.init()

    def work() -> Found:
        with Pool(CORES) as pool:
            for _ in pool.imap_unordered(function, [files / name for name in names(files)]):
                pass
        return {}, []

    return work


def decode(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB")


def save(out: Path, clean: dict[str, Any], path: Path) -> None:
    """Write a picture in canonical form, with Pillow alone."""
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    longest = max(image.size)
    scale = min(clean["long_side"], round(clean["shrink"] * longest)) / longest
    size = round(image.width * scale), round(image.height * scale)
    image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    image.save(out / f"{path.stem}.jpg", quality=clean["quality"], subsampling=2)


def cleaning(files: Path, out: Path, clean: dict[str, Any]) -> Work:
    import numpy as np

    from realart.data import cleaning, near_duplicates
    from realart.params import Clean, LabelNames

    params, labels = Clean(**clean), LabelNames(ai=["ai"], human=["human"])

    def work() -> Found:
        archive = files.with_suffix(".zip")
        _, rejected, related = cleaning.clean(archive, labels, None, params, out)
        places = {name: place for place, name in enumerate(names(files))}
        ends = [related[end].map(places) for end in ("a", "b")]
        edges = np.column_stack([*ends, related["correlation"]]).astype(float)
        groups = {}
        for level in ("duplicate", "similar"):
            strong = edges[edges[:, 2] >= clean[level]]
            members = defaultdict(list)
            for name, group in zip(
                places, near_duplicates.components(len(places), strong), strict=True
            ):
                members[group].append(name)
            groups[f"realart, {level}"] = list(members.values())
        duplicate = rejected["reason"].isin(("duplicate", "contradictory labels"))
        return groups, rejected["path"][~duplicate]

    return work


def searching(files: Path, out: Path, clean: dict[str, Any]) -> Work:
    from realart.core.parallel import map_parallel
    from realart.data import near_duplicates
    from realart.data.fingerprints import Fingerprints

    def work() -> Found:
        paths = [files / name for name in names(files)]
        prints = Fingerprints(map_parallel(partial(fingerprint_file, clean), paths, "search"))
        near_duplicates.forest(prints, clean["similar"])
        return {}, []

    return work


def fingerprint_file(clean: dict[str, Any], path: Path) -> Any:
    from realart.data.fingerprints import fingerprint

    data = path.read_bytes()
    return fingerprint(decoding.decode(data, clean["max_pixels"])[0], data)


def cleanvision(
    files: Path, out: Path, clean: dict[str, Any], issues: dict[str, Any] | None = None
) -> Work:
    from cleanvision import Imagelab

    def work() -> Found:
        lab = Imagelab(data_path=str(files), verbose=False)
        lab.find_issues(issues, n_jobs=CORES, verbose=False)
        sets = [
            [Path(path).relative_to(files).as_posix() for path in group]
            for kind in ("exact_duplicates", "near_duplicates")
            for group in lab.info[kind]["sets"]
        ]
        read = {Path(path).relative_to(files).as_posix() for path in lab.issues.index}
        return {"CleanVision": sets}, set(names(files)) - read

    return work


def imagededup(files: Path, out: Path, clean: dict[str, Any]) -> Work:
    for networks in ("imagededup.methods.cnn", "imagededup.utils.models"):
        sys.modules[networks] = MagicMock()  # import torch and torchvision, which hashes don't use
    from imagededup.methods import PHash

    def work() -> Found:
        found = PHash(verbose=False).find_duplicates(
            image_dir=files, recursive=True, num_enc_workers=CORES, num_dist_workers=CORES
        )
        pairs = [[name, other] for name, others in found.items() for other in others]
        return {"imagededup": pairs}, set(names(files)) - set(found)

    return work


OURS: dict[str, Callable[..., Work]] = {
    "decode alone (Pillow)": decoding,
    "decode, resize, save (Pillow)": floor,
    "realart: clean": cleaning,
    "realart: duplicates alone": searching,
}
PEERS: dict[str, Callable[..., Work]] = {
    "CleanVision: all checks": cleanvision,
    "CleanVision: duplicates": partial(
        cleanvision, issues={"exact_duplicates": {}, "near_duplicates": {}}
    ),
    "imagededup: PHash": imagededup,
}


def main(row: str, files: Path, out: Path, clean: dict[str, Any]) -> None:
    (out / "pictures").mkdir()
    work = {**OURS, **PEERS}[row](files, out / "pictures", clean)
    start = time.perf_counter()
    groups, refused = work()
    seconds = time.perf_counter() - start
    found = {"seconds": seconds, "groups": groups, "refused": sorted(refused)}
    (out / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), json.loads(sys.argv[4]))
