"""The recipes of params.yaml as a table: `realart recipes`."""

from realart.networks import builder
from realart.params import NetworkRecipe, Recipe


def row(name: str, recipe: Recipe) -> dict[str, str | int]:
    """Describe a recipe as a row of the table.

    Parameters
    ----------
    name
        Of the recipe, in params.yaml.
    recipe
        Networks on pixels are built, without their published weights, to count their parameters.
        Those of a network on feature vectors depend on the length of the vectors, which is known
        in training only: "" stands for them.

    Returns
    -------
    dict
        Values by column; "" for what the recipe does not have.
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
