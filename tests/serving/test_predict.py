"""Verdicts come in the order asked for, one for each file, whatever is wrong with some."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from making import file, picture
from networks import AS_SAID, PARAMS, recipe
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from realart.core.errors import RealartError
from realart.data import decoding, perturbations, pictures
from realart.features import preprocessing
from realart.models import trained_model
from realart.models.trained_model import TrainedModel
from realart.networks import builder
from realart.serving import predict


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return kept(tmp_path_factory.mktemp("model"))


def kept(folder: Path, bias: float = 0.0) -> TrainedModel:
    """Keep a network with random weights, and `bias` in its last layer; return it loaded."""
    wanted = recipe(batch_size=3)
    seen = preprocessing.input_spec(PARAMS).model_copy(update={"parts": {"pixels": wanted.sees}})
    network = builder.build(wanted)
    network.get_layer("made_by_ai").bias.assign([bias])
    trained_model.save(folder, wanted, seen, [network], AS_SAID)
    return TrainedModel(folder)


def test_files_are_those_named_and_those_in_folders(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "b/a/x y.png", "c.png", "ä/é.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    asked = [tmp_path / name for name in ("c.png", "b", "missing", "ä", "c.png")]
    assert [str(path.relative_to(tmp_path)) for path in predict.files(asked)] == [
        "c.png", "b/10.png", "b/2.png", "b/a/x y.png", "missing", "ä/é.png", "c.png",
    ]  # fmt: skip


def test_standard_input_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "-").mkdir()
    monkeypatch.chdir(tmp_path)
    assert predict.files([Path("-")]) == [Path("-")]


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    with pytest.raises(RealartError, match=str(tmp_path)):
        predict.files([tmp_path])


def as_in_training(path: Path, model: TrainedModel) -> preprocessing.ModelInput:
    """Return what the stages make of a picture: the canonical file, and that as a square."""
    image, _ = decoding.decode(path.read_bytes(), 10**6)
    stored = path.with_suffix(".jpg")
    stored.write_bytes(pictures.canonical(image, model.input.clean))
    return preprocessing.from_stored(stored, model.input)


def score(model: TrainedModel, seen: preprocessing.ModelInput) -> float:
    return float(model.scores(*preprocessing.stack([seen]))[0])


def saved_again(pixels: pictures.Pixels, model: TrainedModel) -> float:
    """Return the probability of ai after the picture was saved as JPEG 90."""
    return score(
        model,
        preprocessing.from_pixels(perturbations.jpeg(Image.fromarray(pixels), 90), model.input),
    )


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 70])
def test_every_file_has_its_answer_in_order(
    tmp_path: Path, model: TrainedModel, count: int
) -> None:
    """The second of three files is broken; batches of 1, 2, 4 to 32 files end anywhere."""
    paths = [tmp_path / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(b"broken" if number % 3 == 1 else file(picture(number)))
    answers = list(predict.predict(paths, model))
    assert [answer.path for answer in answers] == [str(path) for path in paths]
    for number, (path, answer) in enumerate(zip(paths, answers, strict=True)):
        if number % 3 == 1:
            assert (answer.verdict, answer.probability) == ("", None)
            assert answer.error == "not a picture"
        else:
            expected = score(model, as_in_training(path, model))
            assert answer.probability == pytest.approx(expected, rel=1e-5)
            expected = saved_again(picture(number), model)
            assert answer.probability_saved_again == pytest.approx(expected, rel=1e-5)
            assert answer.error == ""


def test_no_file_is_read_before_its_batch(tmp_path: Path, model: TrainedModel) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    paths[0].write_bytes(file(picture(0)))
    answers = predict.predict(paths, model)
    assert next(answers).verdict
    for path in paths[1:]:
        path.write_bytes(file(picture(1)))
    assert all(answer.verdict for answer in answers)


def test_a_verdict_that_hangs_by_a_thread(tmp_path: Path) -> None:
    """A threshold between the probabilities of a picture as it is, and saved again."""
    model = kept(tmp_path)
    data = file(picture(0))
    sure = predict.answer(data, model, "balanced")
    assert sure.probability is not None
    assert sure.probability_saved_again is not None
    assert (sure.path, sure.flips) == ("", "")
    both = sorted([sure.probability, sure.probability_saved_again])
    points = AS_SAID.points | {"balanced": sum(both) / 2}
    model.verdicts = AS_SAID.model_copy(update={"points": points})
    flips = predict.answer(data, model, "balanced")
    names = ["human", "ai"] if sure.probability == both[0] else ["ai", "human"]
    assert [flips.verdict, flips.flips] == names
    model.verdicts = AS_SAID.model_copy(update={"sure": max(both[1], 1 - both[0]) - 1e-9})
    unsure = predict.answer(data, model)
    assert sorted([unsure.verdict, unsure.flips])[1] == "unsure"
    once = predict.answer(data, model, "balanced", once=True)
    assert (once.probability, once.flips) == (sure.probability, "")
    assert once.probability_saved_again is None


def test_evidence_does_not_move_the_verdict(tmp_path: Path, model: TrainedModel) -> None:
    texts = PngInfo()
    texts.add_text("parameters", "a castle\nSteps: 20, Sampler: Euler a")
    marked = predict.answer(file(picture(0), pnginfo=texts), model)
    plain = predict.answer(file(picture(0)), model)
    assert marked.evidence == ("PNG text 'parameters': written by Stable Diffusion web UIs",)
    assert plain.evidence == ()
    assert (marked.verdict, marked.probability) == (plain.verdict, plain.probability)


def test_what_can_not_be_judged_has_its_evidence(tmp_path: Path, model: TrainedModel) -> None:
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
    answers = [*predict.predict(paths, model), predict.answer(tiny, model)]
    named = ("PNG text 'parameters': written by Stable Diffusion web UIs",)
    assert [one.evidence for one in answers] == [named, ("text 'comment' 'by DALL-E'",), named]
    assert [one.error.split(":")[0] for one in answers] == ["too small", "animated", "too small"]
    assert {(one.verdict, one.probability) for one in answers} == {("", None)}


def test_what_a_page_sends_is_answered(model: TrainedModel) -> None:
    assert predict.answer(b"", model).error == "empty"
    assert predict.answer(b"broken", model).error == "not a picture"


def test_pictures_too_long_for_jpeg_are_looked_at_twice(model: TrainedModel) -> None:
    answer = predict.answer(file(picture(0, 66_000, 64)), model)
    assert (answer.error, answer.probability_saved_again is None) == ("", False)


def test_a_file_too_large_is_not_read(tmp_path: Path, model: TrainedModel) -> None:
    most = 4 * model.input.clean.max_pixels
    with (tmp_path / "large.png").open("wb") as stream:
        stream.truncate(most + 1)
    tracemalloc.start()
    (answer,) = predict.predict([tmp_path / "large.png"], model)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.error == f"too large: {most + 1} bytes, at most {most}"
    assert peak < 1_000_000


def test_what_never_ends_is_refused(tmp_path: Path) -> None:
    model = kept(tmp_path)
    clean = model.input.clean.model_copy(update={"max_pixels": 10_000})
    model.input = model.input.model_copy(update={"clean": clean})
    (answer,) = predict.predict([Path("/dev/zero")], model)
    assert answer.error == "too large: 40001 bytes, at most 40000"


def test_ai_is_called_from_one_half_on(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for number, path in enumerate(paths):
        path.write_bytes(file(np.roll(picture(number), number, 2) // (1 + number % 3)))
    for bias in (-50.0, 0.0, 50.0):
        answers = list(predict.predict(paths, kept(tmp_path, bias)))
        for answer in answers:
            assert answer.probability is not None
            assert answer.verdict == ("ai" if answer.probability >= 0.5 else "human")
        if bias:
            assert {answer.verdict for answer in answers} == {"ai" if bias > 0 else "human"}


def test_what_training_would_reject_is_rejected(tmp_path: Path, model: TrainedModel) -> None:
    (tmp_path / "small.png").write_bytes(file(picture(0, 63, 200)))
    (tmp_path / "empty.png").touch()
    asked = [tmp_path / name for name in ("small.png", "empty.png", "missing.png")]
    answers = list(predict.predict([*asked, tmp_path], model))
    reasons = ["too small", "empty", "No such file", "Is a directory"]
    for answer, reason in zip(answers, reasons, strict=True):
        assert answer.error.startswith(reason)
