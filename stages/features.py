"""Pictures, copies or ELA maps -> data/features: the training input of the recipe, a row each."""

from realart.core import devices, errors, paths, tables
from realart.core.outputs import fresh_directory
from realart.features import extraction
from realart.params import load_params


def main() -> None:
    params = load_params()
    rows = tables.read(paths.ROWS, tables.ROWS)
    count = 1 if params.backbones else 0
    with devices.reserve(count, "features"), fresh_directory(paths.FEATURES) as folder:
        summary = extraction.write(params, rows, folder)
    print(f"features: {len(rows)} rows of {summary}")


if __name__ == "__main__":
    errors.run(main)
