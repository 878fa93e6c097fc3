"""A loaded model scores as the one that was saved, from files without code."""

import json
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import making
import numpy as np
import pytest
from networks import PARAMS, UNCALIBRATED_RULE, awake, backbone_recipe, noise, recipe

from realart.core import hashing
from realart.core.errors import RealartError
from realart.data.archive import ArchiveMember
from realart.features import preprocessing
from realart.features.preprocessing import InputSpec
from realart.metrics import classification
from realart.models import trained_model
from realart.networks import builder
from realart.networks.backend import keras
from realart.params import NetworkRecipe

pytestmark = pytest.mark.slow


def spec(network_recipe: NetworkRecipe) -> InputSpec:
    parts = {"pixels": network_recipe.sees}
    return preprocessing.input_spec(PARAMS).model_copy(update={"parts": parts})


def saved_model(
    folder: Path, network_recipe: NetworkRecipe, count: int = 1
) -> tuple[Path, list[keras.Model]]:
    """Save `count` networks with random weights as a model; return its folder and the networks."""
    networks = [builder.build(network_recipe) for _ in range(count)]
    if network_recipe.backbone:
        awake(networks[0])
    (folder / "model").mkdir()
    trained_model.save(
        folder / "model", network_recipe, spec(network_recipe), networks, UNCALIBRATED_RULE
    )
    return folder / "model", networks


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_loaded_model_scores_as_the_saved_one(tmp_path: Path, outputs: int) -> None:
    network_recipe = recipe(outputs=outputs)
    folder, (network,) = saved_model(tmp_path, network_recipe)
    pixels = noise(16, 20)
    model = trained_model.TrainedModel(folder)
    scores = model.scores(pixels)
    assert scores.dtype == np.float64
    assert scores.std() > 0
    np.testing.assert_allclose(
        scores,
        classification.of_outputs(network.predict(pixels, batch_size=8, verbose=0)),
        atol=1e-6,
    )
    assert (model.recipe, model.input) == (network_recipe, spec(network_recipe))


def test_a_network_that_openvino_can_not_run_is_run_by_keras(tmp_path: Path) -> None:
    folder, (network,) = saved_model(tmp_path, recipe())
    for_keras(folder)
    pixels = noise(16, 20)
    expected = classification.of_outputs(network.predict(pixels, verbose=0))
    np.testing.assert_allclose(
        trained_model.TrainedModel(folder).scores(pixels), expected, atol=1e-6
    )


def test_the_score_of_an_ensemble_is_the_mean(tmp_path: Path) -> None:
    folder, networks = saved_model(tmp_path, recipe(), 3)
    pixels = noise(16, 5)
    scores = [np.array(network(pixels))[:, 0] for network in networks]
    assert not np.allclose(scores[0], scores[1])
    np.testing.assert_allclose(
        trained_model.TrainedModel(folder).scores(pixels), np.mean(scores, 0), rtol=1e-5
    )


def test_a_score_does_not_depend_on_the_rest_of_the_batch(tmp_path: Path) -> None:
    model = trained_model.TrainedModel(saved_model(tmp_path, recipe(batch_size=4))[0])
    pixels = noise(16, 9)
    single = [model.scores(pixels[i : i + 1])[0] for i in range(9)]
    np.testing.assert_allclose(model.scores(pixels), single, rtol=1e-5)


@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0"])
def test_a_published_backbone_is_the_same_network_when_loaded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras builds some backbones differently for `imagenet`; a file stands for the download."""
    network_recipe = backbone_recipe(name, size=96, backbone={"weights": "imagenet"})
    random = builder.build(builder.with_random_weights(network_recipe))
    awake(random).save_weights(tmp_path / "published.weights.h5")
    module = __import__(builder.backbone_function(name).__module__, fromlist=["file_utils"])
    with monkeypatch.context() as patched:
        patched.setattr(
            module.file_utils, "get_file", lambda *a, **k: str(tmp_path / "published.weights.h5")
        )
        folder, (network,) = saved_model(tmp_path, network_recipe)
    pixels = noise(96)
    trained = classification.of_outputs(np.array(network(pixels, training=False)))
    assert trained.std() > 0.001
    np.testing.assert_allclose(
        trained_model.TrainedModel(folder).scores(pixels), trained, atol=1e-4
    )


def test_a_saved_model_has_weights_and_a_manifest_and_no_code(tmp_path: Path) -> None:
    folder, _ = saved_model(tmp_path, recipe(), 2)
    assert sorted(file.name for file in folder.iterdir()) == [
        "0.bin", "0.weights.h5", "0.xml", "1.bin", "1.weights.h5", "1.xml", "architecture.json",
        "model.json",
    ]  # fmt: skip
    assert json.loads((folder / "model.json").read_text())["members"] == 2
    for weights in folder.glob("*.h5"):
        assert not zipfile.is_zipfile(weights)
        with h5py.File(weights) as opened:
            kinds: set[str] = set()
            opened.visititems(lambda _, item, kinds=kinds: kinds.add(_kind(item)))
        assert kinds <= {"group", "f", "i", "u"}


def _kind(item: h5py.Group | h5py.Dataset) -> str:
    return str(item.dtype.kind) if isinstance(item, h5py.Dataset) else "group"


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    folder, (network,) = saved_model(tmp_path, recipe())
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    (tmp_path / "again").mkdir()
    trained_model.save(tmp_path / "again", recipe(), spec(recipe()), [network], UNCALIBRATED_RULE)
    assert {file.name: file.read_bytes() for file in (tmp_path / "again").iterdir()} == first


def test_a_saved_backbone_needs_no_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network_recipe = backbone_recipe("MobileNet", backbone={"arguments": {"alpha": 0.25}})
    folder, (network,) = saved_model(tmp_path, network_recipe)
    manifest = json.loads((folder / "model.json").read_text())
    manifest["recipe"]["sees"]["backbone"]["weights"] = "imagenet"
    (folder / "model.json").write_text(json.dumps(manifest))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    scores = trained_model.TrainedModel(folder).scores(noise(32))
    expected = classification.of_outputs(np.array(network(noise(32), training=False)))
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def unsealed(folder: Path) -> None:
    """Make it a model of an older release, which has no checksums."""
    content = json.loads((folder / "model.json").read_text())
    del content["files"]
    (folder / "model.json").write_text(json.dumps(content))


def without_weights(folder: Path) -> None:
    (folder / "0.bin").unlink()


def with_damaged_weights(folder: Path) -> None:
    (folder / "0.bin").write_bytes(b"no weights")


def with_weights_that_are_no_numbers(folder: Path) -> None:
    """OpenVINO's ReLU makes 0 of it, and all scores are finite."""
    weights = np.frombuffer((folder / "0.bin").read_bytes(), np.float32).copy()
    weights[20] = np.nan  # of the convolution
    (folder / "0.bin").write_bytes(weights.tobytes())


def with_a_damaged_graph(folder: Path) -> None:
    (folder / "0.xml").write_bytes((folder / "0.xml").read_bytes()[:1000])


def of_another_width(folder: Path) -> None:
    content = json.loads((folder / "model.json").read_text())
    content["input"]["parts"]["pixels"]["size"] = 17
    (folder / "model.json").write_text(json.dumps(content))


def for_keras(folder: Path) -> None:
    """Remove the files for OpenVINO, which a network that it can't run does not have."""
    content = json.loads((folder / "model.json").read_text())
    for name in ("0.xml", "0.bin"):
        (folder / name).unlink()
        content.get("files", {}).pop(name, None)
    (folder / "model.json").write_text(json.dumps(content))


def for_keras_without_weights(folder: Path) -> None:
    for_keras(folder)
    (folder / "0.weights.h5").unlink()


def for_keras_with_damaged_weights(folder: Path) -> None:
    for_keras(folder)
    (folder / "0.weights.h5").write_bytes(b"no weights")


def for_keras_with_half_of_its_weights(folder: Path) -> None:
    for_keras(folder)
    whole = (folder / "0.weights.h5").read_bytes()
    (folder / "0.weights.h5").write_bytes(whole[: len(whole) // 2])


def for_keras_with_weights_that_are_no_numbers(folder: Path) -> None:
    for_keras(folder)
    network = builder.build(recipe())
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    network.save_weights(folder / "0.weights.h5")


def for_keras_with_weights_of_another_network(folder: Path) -> None:
    for_keras(folder)
    builder.build(recipe(layers=[{"Flatten": {}}])).save_weights(folder / "0.weights.h5")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_model(tmp_path_factory.mktemp("sound"), recipe())[0]


@pytest.mark.parametrize(
    "damage",
    [
        without_weights,
        with_damaged_weights,
        with_weights_that_are_no_numbers,
        with_a_damaged_graph,
        of_another_width,
        for_keras_without_weights,
        for_keras_with_damaged_weights,
        for_keras_with_half_of_its_weights,
        for_keras_with_weights_that_are_no_numbers,
        for_keras_with_weights_of_another_network,
    ],
)
def test_a_damaged_model_is_named_with_and_without_checksums(
    sound: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """test_manifest.py has all that needs no network."""
    for name in ("of_today", "of_yesterday"):
        folder = Path(shutil.copytree(sound, tmp_path / name))
        if name == "of_yesterday":
            unsealed(folder)
        damage(folder)
        with pytest.raises(RealartError, match="dvc checkout") as raised:
            trained_model.TrainedModel(folder)
        assert str(folder) in str(raised.value)


def test_a_score_that_is_no_number_names_its_picture(sound: Path, tmp_path: Path) -> None:
    """As of a network whose numbers grow without bounds for some pictures."""
    model = trained_model.TrainedModel(sound)
    model.members = [lambda pixels: np.where(pixels.mean((1, 2, 3)) > 200, np.nan, 0.5)]
    names = {"dark.png": 10, "bright.png": 250}
    files = [
        (name, making.file(making.plain((level, level, level)))) for name, level in names.items()
    ]
    path = making.archive(tmp_path / "pictures.zip", files)
    members = [
        ArchiveMember(path, name, len(data), hashing.picture_id(data)) for name, data in files
    ]
    prepare = partial(preprocessing.from_member, model.input)
    assert model.score_items(prepare, members[:1], "score").tolist() == [[0.5]]
    with pytest.raises(RealartError, match=r"bright\.png in .*pictures\.zip: .* not a number"):
        model.score_items(prepare, members, "score")
