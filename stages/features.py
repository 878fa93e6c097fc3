"""Pictures, copies or ELA maps -> data/features: what the recipe is trained on, a row each."""

from realart.core import devices, errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.features import extraction
from realart.params import load_params


def main() -> None:
    params = load_params()
    rows = tables.read(paths.ROWS, tables.ROWS)
    used = 1 if params.backbones else 0
    with devices.reserve(used, "features"), fresh_directory(paths.FEATURES) as folder:
        what = extraction.write(params, rows, folder)
    print(f"features: {len(rows)} rows of {what}")


if __name__ == "__main__":
    errors.run(main)
