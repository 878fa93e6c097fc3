"""The weights of a Keras network as an HDF5 file."""

from pathlib import Path
from typing import Any

import numpy as np

from realart.core import damage
from realart.core.outputs import require_room


def save(model: Any, path: Path) -> None:
    """Write the weights of a network to a file whose name ends in `.weights.h5`.

    Equal weights are equal bytes.

    Raises
    ------
    OSError
        The disk is full.
    """
    require_room(path.parent, 4 * model.count_params())
    model.save_weights(path)


def load(model: Any, path: Path) -> None:
    """Read what `save` wrote into a network of the same architecture.

    Raises
    ------
    RealartError
        The file is missing or damaged, has weights of another network, or one that is not finite.
    """
    with damage.named(path, "`dvc checkout --force`"):
        model.load_weights(path)
        if not all(np.isfinite(weights).all() for weights in model.get_weights()):
            raise ValueError("it has weights that are not finite")
