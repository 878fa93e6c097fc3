"""The frozen part is computed once, and what is trained on it is the whole network."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import POOLED, TRAIN, awake, backbone_recipe, noise, rows, thirds
from project_copy import TUNED, run_stages, set_params, tiny_project

from realart.core import tables
from realart.core.errors import RealartError
from realart.features import feature_store, frozen_backbone, preprocessing
from realart.metrics import classification
from realart.models import trained_model
from realart.networks import backend, builder, openvino_runtime
from realart.networks.backend import keras
from realart.params import FineTune, NetworkRecipe, load_params
from realart.training import fold_training
from realart.training.fold_training import TrainingData

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _same_random_weights() -> None:
    backend.prepare(TRAIN.seed)


def cut(name: str, unfreeze: int, **arguments: Any) -> NetworkRecipe:
    """Make a recipe on a small random backbone that ends with batch normalisation."""
    return backbone_recipe(
        name,
        backbone={"unfreeze": unfreeze, "arguments": arguments},
        layers=[*([] if "pooling" in arguments else POOLED), {"BatchNormalization": {}}],
    )


CUTS = {
    "vector": (cut("MobileNetV2", 0, alpha=0.35, pooling="avg"), [(1280,)]),
    "map": (cut("MobileNetV2", 0, alpha=0.35), [(1, 1, 1280)]),
    "plain": (cut("VGG16", 3), [(2, 2, 512)]),
    "shortcut": (cut("ResNet50", 5), [(1, 1, 512), (1, 1, 2048)]),
    "squeeze and excitation": (cut("EfficientNetB0", 6), [(1, 1, 1152), (1, 1, 1152)]),
}


def split(wanted: NetworkRecipe) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Return a network with a random backbone, its frozen part and its trainable part."""
    whole = builder.build(wanted)
    inner = awake(whole)
    frozen = frozen_backbone.frozen_part(wanted.sees, inner)
    assert frozen
    assert wanted.backbone
    return whole, frozen, frozen_backbone.trainable_part(whole, wanted.backbone)


@pytest.mark.parametrize(("wanted", "shapes"), CUTS.values(), ids=CUTS)
def test_frozen_and_trainable_part_are_the_whole(
    wanted: NetworkRecipe, shapes: list[tuple[int, ...]]
) -> None:
    whole, frozen, trainable = split(wanted)
    crossing = frozen(noise(32))  # to compile three graphs would take most of the time
    assert [tensor.shape[1:] for tensor in frozen.outputs] == shapes
    expected = np.array(whole(noise(32)))
    assert expected.std() > 1e-3
    np.testing.assert_allclose(np.array(trainable(crossing)), expected, atol=1e-5)
    shared = {id(weight) for weight in [*frozen.weights, *trainable.weights]}
    assert shared == {id(weight) for weight in whole.weights}
    assert not {id(weight) for weight in frozen.weights} & {
        id(weight) for weight in trainable.weights
    }
    assert builder.from_architecture(builder.architecture(whole)).count_params() == (
        frozen.count_params() + trainable.count_params()
    )


@pytest.mark.parametrize("unfreeze", [200, 155])
def test_a_backbone_without_frozen_weights_has_no_frozen_part(unfreeze: int) -> None:
    wanted = cut("MobileNetV2", unfreeze, alpha=0.35)
    assert wanted.backbone
    backbone = builder.build_backbone(wanted.backbone, 32)
    assert len(backbone.layers) == 154
    assert frozen_backbone.frozen_part(wanted.sees, backbone) is None


def test_a_backbone_that_is_not_frozen_has_no_frozen_part() -> None:
    wanted = backbone_recipe("VGG16", backbone={"frozen": False})
    assert wanted.backbone
    assert (
        frozen_backbone.frozen_part(wanted.sees, builder.build_backbone(wanted.backbone, 32))
        is None
    )


def test_augmentation_before_the_backbone_leaves_no_frozen_part() -> None:
    wanted = backbone_recipe("VGG16", backbone={"unfreeze": 3})
    assert wanted.backbone
    backbone = builder.build_backbone(wanted.backbone, 32)
    assert frozen_backbone.frozen_part(wanted.sees, backbone)
    sees = wanted.sees.model_copy(update={"augment": [{"RandomFlip": {}}]})
    assert frozen_backbone.frozen_part(sees, backbone) is None


def test_training_the_trainable_part_trains_the_whole(tmp_path: Path) -> None:
    wanted = cut("MobileNetV2", 12, alpha=0.35).model_copy(
        update={"fine_tune": FineTune(learning_rate=0.01, epochs=2)}
    )
    whole, frozen, trainable = split(wanted)
    whole.run_eagerly = frozen.run_eagerly = True  # the trainable part is trained
    pixels = rows(40, 32)
    halves = pixels.inputs[0][:25], pixels.inputs[0][25:]
    frozen_backbone.write(
        frozen, map(openvino_runtime.keras_inference(frozen), halves), 40, tmp_path
    )
    cached = TrainingData(feature_store.read(tmp_path), pixels.labels, pixels.weights)
    before = [keras.ops.convert_to_numpy(weight) for weight in whole.weights]
    frozen_weights = [keras.ops.convert_to_numpy(weight) for weight in frozen.weights]
    model, history = fold_training.train_fold(
        lambda: trainable, wanted, TRAIN, cached, thirds(cached), 0, tmp_path / "0.npz", print
    )
    assert {record["phase"] for record in history} == {0, 1}
    moved = [
        not np.array_equal(old, keras.ops.convert_to_numpy(weight))
        for weight, old in zip(whole.weights, before, strict=True)
    ]
    assert sum(moved) > 4
    for weight, old in zip(frozen.weights, frozen_weights, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), old)
    everything = np.arange(40)
    scores = fold_training.predict(whole, wanted, pixels, everything)
    assert scores.std() > 0.01
    np.testing.assert_allclose(
        scores, fold_training.predict(model, wanted, cached, everything), atol=1e-3
    )


def test_activations_too_large_for_float16_are_an_error(tmp_path: Path) -> None:
    whole, frozen, _ = split(cut("VGG16", 3))
    builder.backbone_in(whole).get_layer("block1_conv1").bias.assign([1e8] * 64)
    with pytest.raises(RealartError, match="unfreeze"):
        frozen_backbone.write(
            frozen, [openvino_runtime.keras_inference(frozen)(noise(32))], 3, tmp_path
        )


def test_files_have_the_announced_size(tmp_path: Path) -> None:
    _, frozen, _ = split(cut("ResNet50", 5))
    frozen.run_eagerly = True  # compiled, most of the time would go into that
    frozen_backbone.write(
        frozen, [openvino_runtime.keras_inference(frozen)(noise(32))] * 2, 6, tmp_path
    )
    arrays = feature_store.read(tmp_path)
    assert {array.dtype.name for array in arrays} == {"float16"}
    assert [len(array) for array in arrays] == [6, 6]
    assert sum(array.nbytes for array in arrays) / 1e9 == frozen_backbone.gigabytes(frozen, 6)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose data are ready, with a random backbone that has statistics of data."""
    project = tiny_project(tmp_path_factory.mktemp("user"))
    backend.prepare(TRAIN.seed)
    model = builder.build(cut("MobileNet", 0, alpha=0.25))
    awake(model).save_weights(project / "own.weights.h5")
    set_params(project, {"recipes.tuned": TUNED})
    set_params(project, {"recipes.tuned.sees.backbone.weights": "own.weights.h5"})
    set_params(project, {"evaluate.final": "best_fold"})
    with pytest.MonkeyPatch.context() as patched:
        run_stages(patched, project, "download", "clean", "split", "balance", "ela", "audit")
    return project


def test_the_final_model_scores_pixels_as_its_fold_scored_activations(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_params(data, {"model": "tuned", "features.gigabytes": 8.0})
    run_stages(monkeypatch, data, "features", "train", "evaluate")
    assert "the frozen part of MobileNet computed once" in capsys.readouterr().out
    names = {file.name for file in (data / "data/features").iterdir()}
    assert names == {"input.json", "backbone.json", "backbone.weights.h5", "crossing-0.npy"}
    held_out = [tables.read(data / f"models/folds/{k}/scores.csv", tables.SCORES) for k in (0, 1)]
    figures = [
        classification.figures(tables.is_ai(table["label"]), table["score"].to_numpy())
        for table in held_out
    ]
    best = classification.best_fold(figures)
    final = trained_model.TrainedModel(data / "models/final")
    whole, part = frozen_backbone.network(final.recipe, data / "data/features")
    architecture = (data / "models/final" / trained_model.ARCHITECTURE).read_text()
    parameters = builder.from_architecture(architecture).count_params()
    assert part.count_params() < whole.count_params() == parameters
    all_rows = tables.read(data / "data/balanced/rows.csv", tables.ROWS).set_index(
        "row", drop=False
    )
    files = preprocessing.files(all_rows.loc[held_out[best]["row"]], data / "data", final.input)
    pixels = preprocessing.stack([preprocessing.from_stored(file, final.input) for file in files])
    scores = held_out[best]["score"].to_numpy()
    assert scores.std() > 0.01
    expected = final.decision_rule.calibration(scores)
    np.testing.assert_allclose(final.scores(*pixels), expected, atol=1e-3)


def test_above_the_budget_pixels_are_trained_on(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_params(data, {"model": "tuned", "features.gigabytes": 1e-6})
    run_stages(monkeypatch, data, "features")
    assert "is trained from pixels: its frozen part would take" in capsys.readouterr().out
    (pixels,) = feature_store.read(data / "data/features")
    assert pixels.dtype == np.uint8
    whole, part = frozen_backbone.network(load_params().recipe, data / "data/features")
    assert part is whole
    assert part.input_shape == (None, 32, 32, 3)


def test_a_random_backbone_does_not_depend_on_the_seed(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_params(data, {"model": "random", "recipes.random": TUNED, "features.gigabytes": 8.0})
    features = []
    for seed in (1, 2):
        set_params(data, {"train.seed": seed})
        run_stages(monkeypatch, data, "features")
        files = sorted((data / "data/features").iterdir())
        features.append({file.name: file.read_bytes() for file in files})
    assert features[0] == features[1]
    assert len(features[0]) == 4
