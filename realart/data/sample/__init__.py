"""The sample dataset: labelled pictures rendered on the spot, for who has no data yet.

Two folders show the same scenes in the same sizes and file formats. `painted` is brush strokes on
canvas, `generated` went through an upsampling generator; strong and weak traces overlap, so that a
small network does clearly better than chance and clearly worse than perfect. As in any published
archive there is some mess in between (`mess`).
"""

from functools import partial
from pathlib import Path

from realart.core.parallel import each
from realart.data import archive
from realart.data.sample.finishing import SUFFIXES, draw_frame, encode, numbers, render
from realart.data.sample.mess import FOLDERS, Good, mess

GENERATED = 58  # of 100 pictures: classes are not equal in real sets either


def label(index: int) -> bool:
    """Return whether picture `index` is generated."""
    return (index + 1) * GENERATED // 100 > index * GENERATED // 100


def picture(index: int, seed: int) -> Good:
    """Return the name and the bytes of one picture."""
    rng = numbers(seed, index)
    frame = draw_frame(rng)
    name = f"{FOLDERS[label(index)]}/{index:04d}.{SUFFIXES[frame.format]}"
    return Good(name, encode(render(frame, label(index), rng), frame))


def write_archive(path: Path, pictures: int = 360, seed: int = 0) -> None:
    """Write a zip of `pictures` pictures, and some mess, at `path`; same arguments, same bytes."""
    good = list(each(partial(picture, seed=seed), range(pictures), "render"))
    entries = {item.name: item.data for item in [*good, *mess(good, seed)]}
    with archive.created(path) as opened:
        for name in sorted(entries):
            archive.add_bytes(opened, name, entries[name])
