"""Cases are classified by the final model, and each that can't be is named."""

from pathlib import Path

import pytest
from making import file, picture
from networks import UNCALIBRATED_RULE

from realart.core.errors import RealartError
from realart.evaluation import cases
from realart.models.trained_model import TrainedModel
from realart.params import Cases
from realart.serving import predict

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(trained: Path) -> TrainedModel:
    loaded = TrainedModel(trained / "models/final")
    loaded.decision_rule = UNCALIBRATED_RULE  # nothing is unsure
    return loaded


def fill(folder: Path, names: list[str]) -> Cases:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file(picture(number)))
    return Cases(folder=str(folder), unsure="right")


@pytest.mark.parametrize("novel", [False, True])
def test_a_case_has_the_decision_of_predict(
    model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, novel: bool
) -> None:
    """Which is `unsure` where the pictures are unlike those of training, as these are."""
    if not novel:
        monkeypatch.setattr(model, "novelty", None)
    names = ["human/one.png", "human/two.png", "ai/three.png"]
    (tmp_path / "README.md").write_text("what these are")
    found = cases.evaluate(model, fill(tmp_path, names))
    assert sorted(found) == sorted(names)
    for prediction in predict.predict([tmp_path / name for name in names], model, once=True):
        path = Path(prediction.path)
        case = found[f"{path.parent.name}/{path.name}"]
        assert case["score"] == pytest.approx(prediction.probability_ai, abs=1e-6)
        assert (prediction.verdict == "unsure") == novel
        assert case["right"] == (novel or prediction.verdict == path.parent.name)
    assert {case["right"] for case in found.values()} == ({1} if novel else {0, 1})


@pytest.mark.parametrize(("unsure", "right"), [("right", 1), ("wrong", 0)])
def test_unsure_counts_as_is_chosen(
    model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsure: str, right: int
) -> None:
    never = UNCALIBRATED_RULE.model_copy(update={"sure": 2.0})
    monkeypatch.setattr(model, "decision_rule", never)
    fill(tmp_path, ["human/one.png"])
    chosen = Cases.model_validate({"folder": str(tmp_path), "unsure": unsure})
    assert cases.evaluate(model, chosen)["human/one.png"]["right"] == right


def test_no_pictures_are_no_cases(model: TrainedModel, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("what these are")
    assert cases.evaluate(model, fill(tmp_path, [])) == {}
    assert cases.evaluate(model, None) == {}


def test_what_is_no_usable_case_is_named(model: TrainedModel, tmp_path: Path) -> None:
    chosen = fill(tmp_path, ["human/one.png"])
    (tmp_path / "human/two.png").write_bytes(file(picture(1))[:200])
    with pytest.raises(RealartError, match=r"human/two\.png can't be used \(corrupt\): remove it"):
        cases.evaluate(model, chosen)
    absent = Cases(folder=str(tmp_path / "absent"), unsure="right")
    with pytest.raises(RealartError, match=r"absent: there is no such folder"):
        cases.evaluate(model, absent)
