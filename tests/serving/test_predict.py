"""Predictions come in the order of the files, one for each, whatever is wrong with some."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from making import file, picture, plain
from networks import PARAMS, UNCALIBRATED_RULE, recipe, turn_a_delivery
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realart.data import decoding, pictures
from realart.features import preprocessing
from realart.models import novelty, trained_model
from realart.models.trained_model import TrainedModel
from realart.networks import builder
from realart.serving import predict
from realart.serving.deliveries import PANEL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return saved_model(tmp_path_factory.mktemp("model"))


def saved_model(folder: Path, bias: float = 0.0) -> TrainedModel:
    """Save a network with random weights, and `bias` in its last layer, as a model; load it."""
    folder.mkdir(exist_ok=True)
    network_recipe = recipe(batch_size=3)
    parts = {"pixels": network_recipe.sees}
    spec = preprocessing.input_spec(PARAMS).model_copy(update={"parts": parts})
    network = builder.build(network_recipe)
    network.get_layer("made_by_ai").bias.assign([bias])
    trained_model.save(folder, network_recipe, spec, [network], UNCALIBRATED_RULE)
    return TrainedModel(folder)


def as_in_training(path: Path, model: TrainedModel) -> preprocessing.ModelInput:
    """Return what the stages make of a picture: the canonical file, and that as a square."""
    image, _ = decoding.decode(path.read_bytes(), 10**6)
    stored = path.with_suffix(".jpg")
    stored.write_bytes(pictures.canonical(image, model.input.clean))
    return preprocessing.from_stored(stored, model.input)


def score(model: TrainedModel, model_input: preprocessing.ModelInput) -> float:
    return float(model.scores(*preprocessing.stack([model_input]))[0])


def delivered(pixels: pictures.Pixels, model: TrainedModel) -> dict[str, float]:
    """Return the probability of ai after each delivery of the panel, published without losses."""
    image = Image.fromarray(pixels)
    files = {name: file(delivery.change(image)) for name, delivery in PANEL.items()}
    clean = model.input.clean.model_copy(update={"min_side": 1})
    spec = model.input.model_copy(update={"clean": clean})
    return {
        name: score(model, preprocessing.from_published(data, spec)) for name, data in files.items()
    }


@pytest.mark.parametrize("once", [True, False])
def test_a_score_that_is_no_number_is_an_error_of_its_picture(
    model: TrainedModel, once: bool
) -> None:
    """NaN is below every threshold, and was human."""
    broken = TrainedModel(model.folder)
    broken.members = [lambda pixels: np.where(pixels.mean((1, 2, 3)) > 200, np.nan, 0.75)]
    bright, dark = (file(plain((level, level, level))) for level in (250, 10))
    first, second, third = predict.predict([dark, bright, dark], broken, once=once)
    assert second == predict.Prediction("", error=trained_model.NOT_FINITE)
    for prediction in (first, third):
        assert (prediction.probability_ai, prediction.error) == (0.75, "")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 70])
def test_every_file_has_its_prediction_in_order(
    tmp_path: Path, model: TrainedModel, count: int
) -> None:
    """The second of three files is broken; batches of 1, 2, 4 to 32 files end anywhere."""
    paths = [tmp_path / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(b"broken" if number % 3 == 1 else file(picture(number)))
    predictions = list(predict.predict(paths, model))
    assert [prediction.path for prediction in predictions] == [str(path) for path in paths]
    for number, (path, prediction) in enumerate(zip(paths, predictions, strict=True)):
        if number % 3 == 1:
            assert (prediction.verdict, prediction.probability_ai) == ("", None)
            assert prediction.error == "not a picture"
        else:
            expected = score(model, as_in_training(path, model))
            assert prediction.probability_ai == pytest.approx(expected, rel=1e-5)
            expected_deliveries = delivered(picture(number), model)
            assert prediction.deliveries == pytest.approx(expected_deliveries, rel=1e-5)
            assert prediction.error == ""


def test_no_file_is_read_before_its_batch(tmp_path: Path, model: TrainedModel) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    paths[0].write_bytes(file(picture(0)))
    predictions = predict.predict(paths, model)
    assert next(predictions).verdict
    for path in paths[1:]:
        path.write_bytes(file(picture(1)))
    assert all(prediction.verdict for prediction in predictions)


def test_a_verdict_that_a_delivery_turns_is_unsure(tmp_path: Path) -> None:
    data = file(picture(0))
    stable = predict.predict_bytes(data, saved_model(tmp_path, bias=50.0))
    assert (stable.path, stable.verdict, stable.reason) == ("", "ai", "")
    model = saved_model(tmp_path)
    name = turn_a_delivery(model, data)
    once = predict.predict_bytes(data, model, once=True)
    other = {"ai": "human", "human": "ai"}[once.verdict]
    assert (once.reason, once.deliveries) == ("", {})
    unsure = predict.predict_bytes(data, model)
    assert (unsure.verdict, unsure.probability_ai) == ("unsure", once.probability_ai)
    words = f"{PANEL[name].words} it would rather be classified as {other}"
    assert unsure.reason == f"{words} ({unsure.deliveries[name]:.3f})"
    at_point = predict.predict_bytes(data, model, "balanced")
    assert (at_point.verdict, at_point.reason) == (once.verdict, unsure.reason)


def test_evidence_does_not_change_the_decision(tmp_path: Path, model: TrainedModel) -> None:
    texts = PngInfo()
    texts.add_text("parameters", "a castle\nSteps: 20, Sampler: Euler a")
    marked = predict.predict_bytes(file(picture(0), pnginfo=texts), model)
    plain = predict.predict_bytes(file(picture(0)), model)
    assert marked.evidence == ("PNG text 'parameters': written by Stable Diffusion web UIs",)
    assert plain.evidence == ()
    assert (marked.verdict, marked.probability_ai) == (plain.verdict, plain.probability_ai)


def test_evidence_is_found_in_files_that_cannot_be_classified(
    tmp_path: Path, model: TrainedModel
) -> None:
    texts = PngInfo()
    texts.add_text("parameters", "a castle\nSteps: 20, Sampler: Euler a")
    tiny = file(picture(0, 48, 48), pnginfo=texts)
    moving = file(
        Image.fromarray(picture(0)), "GIF", save_all=True, comment=b"by DALL-E",
        append_images=[Image.fromarray(picture(1))],
    )  # fmt: skip
    (tmp_path / "tiny.png").write_bytes(tiny)
    (tmp_path / "moving.gif").write_bytes(moving)
    paths = [tmp_path / "tiny.png", tmp_path / "moving.gif"]
    predictions = [*predict.predict(paths, model), predict.predict_bytes(tiny, model)]
    web_ui = ("PNG text 'parameters': written by Stable Diffusion web UIs",)
    expected = [
        (web_ui, "too small"),
        (("text 'comment' 'by DALL-E'",), "animated"),
        (web_ui, "too small"),
    ]
    assert [(item.evidence, item.error.split(":")[0]) for item in predictions] == expected
    assert {(item.verdict, item.probability_ai) for item in predictions} == {("", None)}


def test_bytes_that_are_no_picture_have_an_error(model: TrainedModel) -> None:
    assert predict.predict_bytes(b"", model).error == "empty"
    assert predict.predict_bytes(b"broken", model).error == "not a picture"


def test_pictures_too_long_for_jpeg_are_delivered(model: TrainedModel) -> None:
    prediction = predict.predict_bytes(file(picture(0, 66_000, 64)), model)
    assert (prediction.error, prediction.deliveries.keys()) == ("", PANEL.keys())


def test_a_file_too_large_is_not_read(tmp_path: Path, model: TrainedModel) -> None:
    max_bytes = 4 * model.input.clean.max_pixels
    with (tmp_path / "large.png").open("wb") as stream:
        stream.truncate(max_bytes + 1)
    tracemalloc.start()
    (prediction,) = predict.predict([tmp_path / "large.png"], model)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert prediction.error == f"too large: {max_bytes + 1} bytes, at most {max_bytes}"
    assert peak < 1_000_000


def test_a_file_without_end_is_too_large(tmp_path: Path) -> None:
    model = saved_model(tmp_path)
    clean = model.input.clean.model_copy(update={"max_pixels": 10_000})
    model.input = model.input.model_copy(update={"clean": clean})
    (prediction,) = predict.predict([Path("/dev/zero")], model)
    assert prediction.error == "too large: 40001 bytes, at most 40000"


def test_ai_is_predicted_from_one_half_on(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for number, path in enumerate(paths):
        path.write_bytes(file(np.roll(picture(number), number, 2) // (1 + number % 3)))
    for bias in (-50.0, 0.0, 50.0):
        predictions = list(predict.predict(paths, saved_model(tmp_path, bias), once=True))
        for prediction in predictions:
            assert prediction.probability_ai is not None
            assert prediction.verdict == ("ai" if prediction.probability_ai >= 0.5 else "human")
        if bias:
            assert {prediction.verdict for prediction in predictions} == {
                "ai" if bias > 0 else "human"
            }


def test_files_that_training_rejects_have_an_error(tmp_path: Path, model: TrainedModel) -> None:
    (tmp_path / "small.png").write_bytes(file(picture(0, 63, 200)))
    (tmp_path / "empty.png").touch()
    paths = [tmp_path / name for name in ("small.png", "empty.png", "missing.png")]
    predictions = list(predict.predict([*paths, tmp_path], model))
    reasons = ["too small", "empty", "No such file", "Is a directory"]
    for prediction, reason in zip(predictions, reasons, strict=True):
        assert prediction.error.startswith(reason)


@pytest.mark.parametrize("once", [False, True])
def test_a_picture_unlike_those_of_training_is_unsure(tmp_path: Path, once: bool) -> None:
    model = saved_model(tmp_path / "model", bias=50.0)
    assert model.novelty is None
    known = [Image.fromarray(picture(seed)) for seed in range(40)]
    vectors = np.stack([novelty.measure(preprocessing.canonical(file(image), model.input.clean))
                        for image in known])  # fmt: skip
    novelty.fit(vectors, np.arange(40) % 4).save(tmp_path / "model")
    model = TrainedModel(tmp_path / "model")
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    unlike = predict.predict_bytes(file(noise), model, once=once)
    assert (unlike.verdict, unlike.reason) == ("unsure", novelty.REASON)
    at_point = predict.predict_bytes(file(noise), model, at="balanced", once=once)
    assert (at_point.verdict, at_point.reason) == ("ai", novelty.REASON)
    alike = predict.predict_bytes(file(picture(1)), model, once=once)
    assert (alike.verdict, alike.reason) == ("ai", "")
