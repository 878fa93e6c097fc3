"""Pictures, copies or ELA maps -> data/features: what the chosen recipe is trained on, a row each.

That is pixels; where the recipe's backbone is frozen, what the frozen part says of them; or what
the recipe's descriptors say.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realart import devices, encoders, errors, inference, inputs, params, tables, vectors
from realart.errors import RealartError
from realart.inference import UnsupportedError
from realart.inputs import Input, Seen
from realart.outputs import array_file, fresh_directory, write_json
from realart.parallel import batches, each
from realart.params import Layers, Network, Params, Square

DATA = Path("data")
Vectors = NDArray[np.float32]
BATCH = 32
FRONT = "front"


def main() -> None:
    knobs = params.load()
    seen = inputs.spec(knobs)
    rows = tables.read(DATA / "balanced/rows.csv", tables.ROWS)
    files = inputs.files(rows, DATA, seen)
    used = 1 if knobs.backbones else 0
    with devices.held(used, "features"), fresh_directory(DATA / "features") as folder:
        write_json(seen.model_dump(), folder / "input.json")
        if isinstance(knobs.recipe.sees, Square):
            said = write_squares(knobs, seen, files, folder)
        else:
            said = write_vectors(knobs, seen, files, folder)
    print(f"features: {len(rows)} rows of {said}")


def write_squares(knobs: Params, seen: Input, files: list[Path], folder: Path) -> str:
    """Write pixels, or what the frozen part of a backbone says of them. Say what was done."""
    sees = knobs.recipe.sees
    assert isinstance(sees, Square)
    said = frozen_rows(knobs, seen, files, folder) if sees.backbone else ""
    if not list(folder.glob("*.npy")):
        with array_file(
            folder / "pixels.npy", "uint8", (len(files), sees.size, sees.size, 3)
        ) as write:
            for (batch,) in looked_at("features", seen, files):
                write(batch)
    return f"{sees.size}x{sees.size} px, {'ELA' if seen.ela else 'RGB'}{said}"


def looked_at(title: str, seen: Input, files: list[Path]) -> Iterator[Seen]:
    """Yield what is seen of stored files, a batch at a time."""
    work = partial(inputs.from_stored, seen=seen)
    return (inputs.stack(batch) for batch in batches(work, files, BATCH, title, "row"))


def frozen_rows(knobs: Params, seen: Input, files: list[Path], folder: Path) -> str:
    """Keep the recipe's backbone; write what its frozen part says of all rows, if that fits.

    Returns what was done, in words.
    """
    from realart import frozen  # Keras takes seconds to import: only where it is needed

    recipe = knobs.recipe
    assert isinstance(recipe, Network)
    assert isinstance(recipe.sees, Square)
    assert recipe.backbone
    name = recipe.backbone.name
    backbone = frozen.keep_backbone(recipe.sees, knobs.train, folder)
    front = frozen.front(recipe, backbone)
    if not front:
        what = (
            f"what {name} sees is augmented"
            if recipe.sees.augment
            else f"nothing of {name} is frozen"
        )
        return f"; {what}: trains from pixels"
    size, budget = frozen.gigabytes(front, len(files)), knobs.features.gigabytes
    if size > budget:
        return (
            f"; the frozen part of {name} would say {size:.2g} GB, features.gigabytes is "
            f"{budget:g}: trains from pixels"
        )
    frozen.write(front, said_by(front, seen, files, folder), len(files), folder)
    return f"; the frozen part of {name} computed once, {size:.2g} GB"


def said_by(
    front: Any, seen: Input, files: list[Path], folder: Path
) -> Iterator[Sequence[NDArray[Any]]]:
    """Yield what a Keras model says of stored files, a few at a time: by the fastest way to ask."""
    with TemporaryDirectory(dir=folder) as place:
        if exported(front, Path(place)):
            yield from each(partial(asked, Path(place), seen), files, "features", "row")
        else:
            run = inference.by_keras(front)
            yield from (run(batch) for (batch,) in looked_at("features", seen, files))


def exported(front: Any, folder: Path) -> bool:
    """Write a Keras model for `asked`, if that is the fastest way to ask it."""
    from realart import backend

    if backend.has_accelerator():
        return False
    try:
        inference.export(front, folder, FRONT)
    except UnsupportedError:
        return False
    return True


def asked(folder: Path, seen: Input, file: Path) -> Sequence[NDArray[Any]]:
    """Return what the network that is kept in `folder` says of one stored file."""
    (pixels,) = inputs.from_stored(file, seen)
    return inference.kept(folder, FRONT)(pixels[None])


def described(folder: Path, seen: Input, file: Path) -> Vectors:
    """Return what descriptors, whose networks are kept in `folder`, say of one stored file."""
    one = inputs.stack([inputs.from_stored(file, seen)])
    return vectors.describe(one, seen.parts, vectors.networks(seen.parts, folder))


def write_vectors(knobs: Params, seen: Input, files: list[Path], folder: Path) -> str:
    """Write what each descriptor says of all rows, and keep its network. Say what was done."""
    networks: vectors.Networks = {}
    encoders.keep(seen, folder)
    if any(isinstance(part, Layers) for part in seen.parts.values()):
        from realart import describers  # imports Keras

        networks = describers.keep(seen, folder)
    widths = {}
    said: Iterator[Vectors]
    for number, (name, part) in enumerate(seen.parts.items()):
        alone = seen.model_copy(update={"parts": {name: part}})
        if name in networks:
            said = (
                vectors.describe(one, alone.parts, networks)
                for one in looked_at(name, alone, files)
            )
        else:
            said = each(partial(described, folder, alone), files, name, "row")
        widths[name] = write_rows(name, said, len(files), folder / vectors.ROWS.format(number))
    return "vectors: " + ", ".join(f"{width} numbers by {name}" for name, width in widths.items())


def write_rows(name: str, said: Iterator[Vectors], count: int, file: Path) -> int:
    """Write `count` vectors, a batch at a time; return how wide they are."""
    first = next(said)
    with array_file(file, "float32", (count, first.shape[1])) as write:
        for batch in chain([first], said):
            if not np.isfinite(batch).all():
                raise RealartError(
                    f"descriptor '{name}' says numbers that are not finite: choose other layers"
                )
            write(batch)
    return first.shape[1]


if __name__ == "__main__":
    errors.run(main)
