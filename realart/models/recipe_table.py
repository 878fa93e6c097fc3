"""The recipes of params.yaml as a table: `realart recipes`."""

from realart.networks import builder
from realart.params import NetworkRecipe, Recipe


def row(name: str, recipe: Recipe) -> dict[str, str | int]:
    """Return a recipe as a row of a table; parameters of a network are counted by building it.

    Those of a network on feature vectors depend on how long these are, and are left out.
    """
    parameters: str | int = ""
    if isinstance(recipe, NetworkRecipe) and not recipe.sees.features:
        parameters = builder.build(builder.with_random_weights(recipe)).count_params()
    return {
        "name": name,
        "sees": recipe.sees.title,
        "size": recipe.sees.size,
        "backbone": recipe.sees.backbone.name if recipe.sees.backbone else "",
        "parameters": parameters,
        "trained by": recipe.trained_by,
        "epochs": recipe.total_epochs,
        "published": recipe.published,
    }
