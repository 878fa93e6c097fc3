"""Files of weights that params name: those of backbones and encoders."""

from pathlib import Path

from realart.core.errors import RealartError
from realart.core.project import root
from realart.params import REMOTE, Encoder, KerasApplication


def weights_file(backbone: KerasApplication) -> Path | None:
    """Return the file of a backbone's weights, None if `weights` is a keyword (imagenet, none).

    Raises
    ------
    RealartError
        The file does not exist.
    """
    if backbone.weights in ("imagenet", "none"):
        return None
    file = root() / backbone.weights
    if not file.is_file():
        raise RealartError(
            f"backbone weights '{backbone.weights}' are no file (looked for {file}): "
            "give the path of a file, imagenet, or none"
        )
    return file


def encoder_file(name: str, encoder: Encoder) -> Path | None:
    """Return the ONNX file of the descriptor `name`, None if it is on the Hugging Face Hub.

    Raises
    ------
    RealartError
        The file does not exist.
    """
    if encoder.file.startswith(REMOTE):
        return None
    file = root() / encoder.file
    if not file.is_file():
        raise RealartError(
            f"descriptors.{name}.encoder.file '{encoder.file}' is no file (looked for {file}): "
            f"give the path of an ONNX file, or {REMOTE}owner/name@revision/path"
        )
    return file
