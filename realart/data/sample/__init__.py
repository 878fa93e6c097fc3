"""The sample dataset: labelled pictures, rendered here, to run the pipeline without data.

Two folders show the same scenes in the same sizes and file formats. `painted` pictures are brush
strokes on canvas; `generated` ones are blended with what an upsampling generator renders, some
hardly, some altogether. So a small network is clearly better than chance, and measurements of
texture are clearly worse than perfect. As in published archives there are defective files and
copies, too (`planting`).
"""

from functools import partial
from pathlib import Path

from realart.core.parallel import map_parallel
from realart.data import archive
from realart.data.sample.finishing import SUFFIXES, draw_frame, encode, random_generator, render
from realart.data.sample.planting import FOLDERS, SampleFile, plant

GENERATED = 58
"""Generated pictures of 100: classes of real sets are unequal, too."""


def is_generated(index: int) -> bool:
    """Return whether picture `index` is generated."""
    return (index + 1) * GENERATED // 100 > index * GENERATED // 100


def picture(index: int, seed: int) -> SampleFile:
    """Render picture `index`; return its name in the archive and its bytes."""
    rng = random_generator(seed, index)
    frame = draw_frame(rng)
    name = f"{FOLDERS[is_generated(index)]}/{index:04d}.{SUFFIXES[frame.format]}"
    return SampleFile(name, encode(render(frame, is_generated(index), rng), frame))


def write_archive(path: Path, pictures: int = 360, seed: int = 0) -> None:
    """Write a byte-reproducible zip of `pictures` pictures and the files that `plant` adds."""
    rendered = list(map_parallel(partial(picture, seed=seed), range(pictures), "render"))
    entries = {file.name: file.data for file in [*rendered, *plant(rendered, seed)]}
    with archive.create_archive(path) as target:
        for name in sorted(entries):
            archive.add_bytes(target, name, entries[name])
