"""Files of weights are found in the project's main folder, or missed by the param's name."""

from pathlib import Path

import pytest
from making import PARAMS

from realart.core.errors import RealartError
from realart.networks.weight_files import encoder_file, weights_file
from realart.params import Backbone

ENCODER = PARAMS.descriptors["clip_vit_b16"].encoder
assert ENCODER is not None


def test_weights_are_a_keyword_or_an_existing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    own = Backbone(name="ResNet50", weights="own.weights.h5")
    with pytest.raises(RealartError, match=r"'own\.weights\.h5' are no file"):
        weights_file(own)
    (tmp_path / "own.weights.h5").write_bytes(b"weights")
    assert weights_file(own) == tmp_path / "own.weights.h5"
    assert weights_file(Backbone(name="ResNet50", weights="none")) is None


def test_an_encoder_is_an_existing_file_or_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    own = ENCODER.model_copy(update={"file": "own.onnx"})
    with pytest.raises(RealartError, match=r"^descriptors\.x\.encoder\.file 'own\.onnx' is"):
        encoder_file("x", own)
    (tmp_path / "own.onnx").touch()
    assert encoder_file("x", own) == tmp_path / "own.onnx"
    assert encoder_file("x", ENCODER) is None
