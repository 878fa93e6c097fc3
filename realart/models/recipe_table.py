"""The recipes of params.yaml as a table: `realart recipes`."""

from realart.params import NetworkRecipe, Recipe


def row(name: str, recipe: Recipe, parameters: bool = False) -> dict[str, str | int]:
    """Describe a recipe as a row of the table: values by column, "" for what it does not have.

    Parameters
    ----------
    name
        Of the recipe, in params.yaml.
    recipe
        Of that name.
    parameters
        Whether to count them, which takes seconds a network.
    """
    return {
        "name": name,
        "sees": recipe.sees.title,
        "size": recipe.sees.size,
        "backbone": recipe.sees.backbone.name if recipe.sees.backbone else "",
        "trained by": recipe.trained_by,
        "epochs": recipe.total_epochs,
        **({"parameters": count_parameters(recipe)} if parameters else {}),
        "published": recipe.published,
    }


def count_parameters(recipe: Recipe) -> int | str:
    """Build the network of a recipe, without its published weights, and count its parameters.

    Those of a network on feature vectors depend on the length of the vectors, which is known in
    training only: "" stands for them, and for what is no network.
    """
    if not isinstance(recipe, NetworkRecipe) or recipe.sees.features:
        return ""
    from realart.networks import builder  # Keras takes seconds to import

    return int(builder.build(builder.with_random_weights(recipe)).count_params())
