"""The data stages on real, published files; runs where REALART_PICTURES says where they lie."""

import os
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from project_copy import ROOT

from realart.data import archive, cleaning, decoding, pictures
from realart.data.labels import read_paths
from realart.features import ela, preprocessing
from realart.params import PixelInput, load_params

PARAMS = load_params(ROOT / "params.yaml")
HERE = Path(os.environ.get("REALART_PICTURES", ""))
pytestmark = pytest.mark.skipif(
    "REALART_PICTURES" not in os.environ, reason="REALART_PICTURES names no folder with pictures"
)


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame, Path]:
    """Return what was kept and what rejected of 726 files from Kaggle, and the folder of files."""
    data = tmp_path_factory.mktemp("data")
    folder = data / cleaning.FOLDER
    folder.mkdir(parents=True)
    labels = PARAMS.datasets["cashbowman"].labels
    archive = HERE / "cashbowman-part.zip"
    kept, rejected, _ = cleaning.clean(archive, labels, None, PARAMS.clean, folder)
    return kept, rejected, data


def test_every_file_is_kept_or_rejected(
    cleaned: tuple[pd.DataFrame, pd.DataFrame, Path],
) -> None:
    kept, rejected, _ = cleaned
    assert len(kept) + len(rejected) == 726
    assert set(rejected["reason"]) == {"duplicate"}
    assert set(kept["format"]) == {"JPEG", "PNG"}  # whatever their names say


def test_known_copies_are_found(cleaned: tuple[pd.DataFrame, pd.DataFrame, Path]) -> None:
    _, rejected, _ = cleaned
    twins = dict(zip(rejected["path"], rejected["detail"], strict=True))
    for copy, original in (
        ("Mona-Lisa-by-Leonardo-da-Vinci-687x1024.jpg", "190430171751-mona-lisa.jpg"),
        ("images79.jpg", "natural-scenery-raphael-sanzio.jpg"),
        ("image12.jpeg", "people-icon-set-trendy-flat-260nw-703972951.jpg"),
    ):
        assert twins[f"RealArt/RealArt/{copy}"] == f"RealArt/RealArt/{original}"


@pytest.mark.parametrize("model", ["cnn_ela", "cnn150"])
def test_predict_sees_what_training_saw(
    cleaned: tuple[pd.DataFrame, pd.DataFrame, Path], model: str
) -> None:
    kept, _, data = cleaned
    seen = preprocessing.input_spec(PARAMS.model_copy(update={"model": model}))
    square = seen.parts["pixels"]
    assert isinstance(square, PixelInput)
    with ZipFile(HERE / "cashbowman-part.zip") as archive:
        for path, file in kept[["path", "file"]].iloc[::20].itertuples(index=False):
            stored = decoding.read((data / file).read_bytes())
            trained = ela.stored_map(stored, seen.ela) if seen.ela else stored
            np.testing.assert_array_equal(
                preprocessing.from_published(archive.read(path), seen)[0],
                pictures.square(trained, square.size, square.shape),
            )


def test_ela_maps_are_not_blank(cleaned: tuple[pd.DataFrame, pd.DataFrame, Path]) -> None:
    kept, _, data = cleaned
    for file in kept["file"].iloc[::20]:
        level = ela.stored_map(decoding.read((data / file).read_bytes()), PARAMS.ela)
        assert np.std(level) > 2, file


def test_a_set_with_folders_of_other_names() -> None:
    labels = PARAMS.datasets["local"].labels
    members = [member.filename for member in archive.files(HERE / "paintings.zip", "")]
    origins = read_paths(members, labels, None)
    assert Counter(origin.label for origin in origins) == {"ai": 90, "human": 84, None: 1}
