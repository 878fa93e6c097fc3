"""params.yaml and the code -> data/sets, data/code: params are validated before any work.

DVC can look up neither the entries that `dataset: a+b` names nor the modules that a stage imports.
So this stage writes files for other stages to depend on: the source of each chosen set, how its
labels are read, and a digest of the code of each stage. Entries that are not chosen rerun nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from realart.core import code, errors, git_identity, paths, project
from realart.core.errors import RealartError
from realart.core.outputs import fresh_directory, write_json
from realart.params import READ, Params, load_params
from realart.training.check_params import check_params, check_paths


def main() -> None:
    git_identity.require()
    with advising_checkout():
        params = load_params()
        check_params(params)
        write_sets(params)
    with fresh_directory(paths.CODE) as folder:
        for script in sorted((code.ROOT / "stages").glob("[!_]*.py")):
            write_json(code.digests(f"stages.{script.stem}"), folder / f"{script.stem}.json")
    print(f"check: params.yaml is sound; {params.model} on {params.dataset}")


def write_sets(params: Params) -> None:
    """Write where the chosen sets come from, checked unless `download` has fetched them before.

    A fetched set need not be on this machine: its outputs may come from a remote of DVC.
    """
    origins = {name: dataset.model_dump(exclude=READ) for name, dataset in params.sets.items()}
    labels = {name: dataset.model_dump(include=READ) for name, dataset in params.sets.items()}
    with fresh_directory(paths.ORIGINS.parent) as folder:
        write_json(origins, folder / paths.ORIGINS.name)
        write_json(labels, folder / paths.LABELS.name)
        if not project.is_locked(folder / paths.ORIGINS.name):
            check_paths(params)


@contextmanager
def advising_checkout() -> Iterator[None]:
    """Add to an error how to undo what `dvc exp run -S` wrote: DVC leaves it in params.yaml."""
    try:
        yield
    except RealartError as error:
        in_workspace = project.root() == Path().resolve()  # not in a copy of `--temp` or a queue
        if in_workspace and project.is_modified(paths.PARAMS):
            raise RealartError(
                f"{error}; params.yaml differs from the last commit, and -S leaves its values "
                f"there: set this one again, or undo all, a dataset and its path too, by "
                f"`git checkout {paths.PARAMS}`"
            ) from error
        raise


if __name__ == "__main__":
    errors.run(main)
