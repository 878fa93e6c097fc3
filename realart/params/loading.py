"""params.yaml as validated params."""

from pathlib import Path

from pydantic import ValidationError

from realart.core import yaml12
from realart.core.errors import RealartError
from realart.params.messages import first_problem
from realart.params.params import Params


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and validate params.yaml.

    Parameters
    ----------
    path
        Of the file; by default params.yaml in the current directory.

    Raises
    ------
    RealartError
        The file is missing or not YAML; a param is unknown, missing, ill-typed or out of range;
        or `dataset`, `model` or a descriptor of the model names no entry.

    Examples
    --------
    ::

        params = load_params()
        print(params.model, params.recipe.sees)
    """
    try:
        content = yaml12.load(path.read_text("utf-8"), path.name)
    except FileNotFoundError as error:
        raise RealartError(
            f"no {path.name} in {path.parent.resolve()}: run this from the project's top folder"
        ) from error
    except UnicodeDecodeError as error:
        raise RealartError(f"{path.name} is not UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise RealartError(
            f"{path.name} contains a {type(content).__name__}, not a mapping of params"
        )
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise RealartError(f"{path.name}: {first_problem(error)}") from error
    _ = params.sets, params.recipe_descriptors  # raise if a name is that of no entry
    return params
