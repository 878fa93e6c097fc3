"""params.yaml and the code -> data/sets, data/code: params are validated before any work.

DVC can look up neither the entries that `dataset: a+b` names nor the modules that a stage imports.
So this stage writes files for other stages to depend on: the source of each chosen set, how its
labels are read, and a digest of the code of each stage. Entries that are not chosen rerun nothing.
"""

from realart.core import code, errors, git_identity, paths
from realart.core.outputs import fresh_directory, write_json
from realart.data import sources
from realart.params import READ, ClassifierRecipe, NetworkRecipe, Params, load_params


def main() -> None:
    git_identity.require()
    params = load_params()
    check_names(params)
    if params.train.devices > 1 and isinstance(params.recipe, NetworkRecipe):
        from realart.networks import backend  # Keras takes seconds to import

        backend.check_devices(params.train.devices, params.recipe.batch_size)
    origins = {name: dataset.model_dump(exclude=READ) for name, dataset in params.sets.items()}
    labels = {name: dataset.model_dump(include=READ) for name, dataset in params.sets.items()}
    with fresh_directory(paths.ORIGINS.parent) as folder:
        write_json(origins, folder / paths.ORIGINS.name)
        write_json(labels, folder / paths.LABELS.name)
    with fresh_directory(paths.CODE) as folder:
        for script in sorted((code.ROOT / "stages").glob("[!_]*.py")):
            write_json(code.digests(f"stages.{script.stem}"), folder / f"{script.stem}.json")
    print(f"check: params.yaml is sound; {params.model} on {params.dataset}")


def check_names(params: Params) -> None:
    """Check that what the chosen sets and recipe name is registered: params.py knows no registry.

    Raises
    ------
    RealartError
        There is no such source, family of measurements, classifier or hyperparameter.
    """
    for name, dataset in params.sets.items():
        sources.find(name, dataset)
    if params.recipe_descriptors:
        from realart.features import forensic  # SciPy and scikit-learn take a second to import

        forensic.check(params.recipe_descriptors)
    if isinstance(params.recipe, ClassifierRecipe):
        from realart.models import classifiers

        classifiers.check(params.recipe.head, f"recipes.{params.model}.head")


if __name__ == "__main__":
    errors.run(main)
