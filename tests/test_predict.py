"""Verdicts come in the order asked for, one for each file, whatever is wrong with some."""

from pathlib import Path

import numpy as np
import pytest
from making import file, picture
from networks import AS_SAID, KNOBS, recipe

from realart import inputs, models, pictures, predict, recipes
from realart.errors import RealartError
from realart.models import Final


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Final:
    return kept(tmp_path_factory.mktemp("model"))


def kept(folder: Path, bias: float = 0.0) -> Final:
    """Keep a network with random weights, and `bias` in its last layer; return it loaded."""
    wanted = recipe(batch_size=3)
    seen = inputs.spec(KNOBS).model_copy(update={"parts": {"pixels": wanted.sees}})
    network = recipes.build(wanted)
    network.get_layer("made_by_ai").bias.assign([bias])
    models.save(folder, wanted, seen, [network], AS_SAID)
    return Final(folder)


def test_files_are_those_named_and_those_in_folders(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "b/a/x y.png", "c.png", "ä/é.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    asked = [tmp_path / name for name in ("c.png", "b", "missing", "ä", "c.png")]
    assert [str(path.relative_to(tmp_path)) for path in predict.files(asked)] == [
        "c.png", "b/10.png", "b/2.png", "b/a/x y.png", "missing", "ä/é.png", "c.png",
    ]  # fmt: skip


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    with pytest.raises(RealartError, match=str(tmp_path)):
        predict.files([tmp_path])


def as_in_training(path: Path, model: Final) -> inputs.Seen:
    """Return what the stages make of a picture: the canonical file, and that as a square."""
    image, _ = pictures.decode(path.read_bytes(), 10**6)
    stored = path.with_suffix(".jpg")
    stored.write_bytes(pictures.canonical(image, model.input.clean))
    return inputs.from_stored(stored, model.input)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_file_has_its_answer_in_order(tmp_path: Path, model: Final, count: int) -> None:
    """The second of three files is broken; batches of three end anywhere."""
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
            seen = as_in_training(path, model)
            assert answer.probability == pytest.approx(
                model.scores(*inputs.stack([seen]))[0], rel=1e-5
            )
            assert answer.error == ""


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


def test_what_training_would_reject_is_rejected(tmp_path: Path, model: Final) -> None:
    (tmp_path / "small.png").write_bytes(file(picture(0, 63, 200)))
    (tmp_path / "empty.png").touch()
    asked = [tmp_path / name for name in ("small.png", "empty.png", "missing.png")]
    answers = list(predict.predict([*asked, tmp_path], model))
    reasons = ["too small", "empty", "No such file", "Is a directory"]
    for answer, reason in zip(answers, reasons, strict=True):
        assert answer.error.startswith(reason)
