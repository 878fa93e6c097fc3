"""A published file and what stages store of it give the same input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import PARAMS, file, picture

from realart.data import decoding, pictures
from realart.data.decoding import UnusableFileError
from realart.features import ela, preprocessing
from realart.features.preprocessing import InputSpec
from realart.params import PixelInput

BIG = picture(1, 700, 520)  # above clean.long_side: the canonical picture is reduced
PUBLISHED = {
    "png": file(BIG),
    "jpeg": file(BIG, "JPEG", quality=80),
    "webp": file(BIG.transpose(1, 0, 2), "WEBP"),
    "grey": file(BIG[:90, :70, 0]),
    "transparent": file(np.dstack([BIG, BIG[..., :1]])[:100, :333]),
}


def spec_of(encoding: str, shape: str, ela_params: object) -> InputSpec:
    clean = PARAMS.clean.model_copy(update={"encoding": encoding})
    square = PixelInput(input="rgb", size=64, shape=shape, backbone=None)
    return InputSpec(parts={"pixels": square}, clean=clean, ela=ela_params)


@pytest.mark.parametrize("published", PUBLISHED)
@pytest.mark.parametrize("encoding", ["jpeg", "original"])
@pytest.mark.parametrize("ela_params", [None, PARAMS.ela], ids=["rgb", "ela"])
def test_published_and_stored_files_give_the_same_input(
    published: str, encoding: str, ela_params: object, tmp_path: Path
) -> None:
    data = PUBLISHED[published]
    for shape in ("squash", "crop", "pad"):
        spec = spec_of(encoding, shape, ela_params)
        image, _ = decoding.decode(data, spec.clean.max_pixels)
        stored = tmp_path / "picture"
        stored.write_bytes(pictures.stored(data, image, spec.clean))
        if spec.ela:
            level = ela.stored_map(decoding.read(stored.read_bytes()), spec.ela)
            stored = tmp_path / "map.png"
            stored.write_bytes(ela.encode(level))
        (pixels,) = preprocessing.from_published(data, spec)
        assert np.array_equal(pixels, *preprocessing.from_stored(stored, spec))
        assert pixels.shape == (64, 64, 3)
        assert pixels.std() > 5


def test_files_that_clean_rejects_are_rejected() -> None:
    spec = spec_of("jpeg", "squash", None)
    for data in (b"", b"<html>", file(BIG[:20, :20]), file(BIG, "JPEG")[:-99]):
        with pytest.raises(UnusableFileError):
            preprocessing.from_published(data, spec)


@pytest.mark.parametrize("name", list(PARAMS.recipes))
def test_the_spec_of_a_recipe_is_stored_and_restored(name: str) -> None:
    spec = preprocessing.input_spec(PARAMS.model_copy(update={"model": name}))
    sees = PARAMS.recipes[name].sees
    if isinstance(sees, PixelInput):
        assert spec.parts == {"pixels": sees}
    else:
        assert spec.parts == {feature: PARAMS.descriptors[feature] for feature in sees.features}
    assert spec.clean == PARAMS.clean
    assert spec.ela == (PARAMS.ela if getattr(sees, "input", "") == "ela" else None)
    assert InputSpec.model_validate_json(spec.model_dump_json()) == spec


def test_files_are_pictures_or_maps_row_by_row() -> None:
    rows = pd.DataFrame({"row": ["a", "a-1"], "file": ["clean/pictures/a.jpg", "balanced/a-1.jpg"]})
    data = Path("data")
    assert preprocessing.files(rows, data, spec_of("jpeg", "pad", None)) == [
        data / "clean/pictures/a.jpg",
        data / "balanced/a-1.jpg",
    ]
    assert preprocessing.files(rows, data, spec_of("jpeg", "pad", PARAMS.ela)) == [
        data / "ela/maps/a.png",
        data / "ela/maps/a-1.png",
    ]
