"""params.yaml, whole: a mistake anywhere in it is named before anything runs.

Written down is what is chosen of `datasets`, where sets come from and how they are read apart: DVC
can't look up the entries that `dataset: a+b` names, and what is not chosen must rerun nothing.
"""

from pathlib import Path

from realart import errors, params
from realart.outputs import fresh_directory, write_json
from realart.params import READ, Network

SETS = Path("data/sets")


def main() -> None:
    knobs = params.load()
    if knobs.train.devices > 1 and isinstance(knobs.recipe, Network):
        from realart import backend  # Keras takes seconds to import

        backend.may_spread(knobs.train.devices, knobs.recipe.batch_size)
    origins = {name: one.model_dump(exclude=READ) for name, one in knobs.sets.items()}
    read = {name: one.model_dump(include=READ) for name, one in knobs.sets.items()}
    with fresh_directory(SETS) as folder:
        write_json(origins, folder / "origins.json")
        write_json(read, folder / "labels.json")
    print(f"check: params.yaml is sound; {knobs.model} on {knobs.dataset}")


if __name__ == "__main__":
    errors.run(main)
