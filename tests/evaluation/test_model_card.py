"""A model card holds the metrics of its run, under a header that the Hugging Face Hub reads."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from realart.evaluation import model_card, verdict
from realart.metrics import goals, text
from realart.models.trained_model import TrainedModel
from realart.params import OnnxFeatures, load_params

pytestmark = pytest.mark.slow


def test_a_card_is_written_beside_the_model(inside: Path) -> None:
    report = json.loads((inside / "metrics/evaluation.json").read_text())
    read = ModelCard.load(inside / "models/final/README.md")
    assert read.data.model_name == "realart-colour-local"
    values = {
        (entry.dataset_split, entry.metric_type): entry.metric_value
        for entry in read.data.eval_results
    }
    assert values["test", "accuracy"] == pytest.approx(report["test"]["accuracy"], abs=1e-4)
    assert values["train, out of fold", "roc_auc"] == pytest.approx(report["oof"]["auc"], abs=1e-4)
    for part in ("test", "oof"):
        for name in model_card.METRIC_NAMES:
            assert text.format_figure(name, report[part]) in read.text
    assert " ".join(verdict.sentences(report)) in read.text
    assert f"of the test part {report['novelty']['test']:.0%}" in read.text
    findings = (inside / "metrics/audit/findings.md").read_text().strip()
    assert findings in read.text


@pytest.mark.parametrize(
    ("licence", "weights", "expected"),
    [("MIT", "none", "mit"), ("MIT", "imagenet", "other"), ("see there", "none", "other")],
)
def test_a_licence_is_claimed_only_where_it_is_known(
    inside: Path, licence: str, weights: str, expected: str
) -> None:
    params = load_params()
    data = params.sets["local"].model_copy(update={"licence": licence})
    model = "mobilenetv2" if weights == "imagenet" else params.model
    params = params.model_copy(update={"datasets": {"local": data}, "model": model})
    report = json.loads((inside / "metrics/evaluation.json").read_text())
    read = ModelCard(model_card.render(params, report, "- nothing", ""))
    assert read.data.license == expected
    assert ("MobileNetV2" in read.text.split("## Licence")[1]) == (weights == "imagenet")


@pytest.mark.parametrize(("licence", "expected"), [("MIT", "apache-2.0"), ("own", "other")])
def test_an_encoder_has_a_licence_of_its_own(inside: Path, licence: str, expected: str) -> None:
    params = load_params()
    part = params.descriptors["clip_vit_b16"]
    assert isinstance(part, OnnxFeatures)
    encoder = part.encoder.model_copy(update={"licence": licence})
    descriptors = {"clip_vit_b16": part.model_copy(update={"encoder": encoder})}
    data = params.sets["local"].model_copy(update={"licence": "Apache-2.0"})
    params = params.model_copy(
        update={"datasets": {"local": data}, "model": "clip_svm", "descriptors": descriptors}
    )
    report = json.loads((inside / "metrics/evaluation.json").read_text())
    read = ModelCard(model_card.render(params, report, "- nothing", ""))
    assert read.data.license == expected
    assert f"{encoder.file} ({licence})" in read.text.split("## Licence")[1]


def test_a_published_result_is_named_as_such(inside: Path) -> None:
    params = load_params().model_copy(update={"model": "cnn150"})
    report = json.loads((inside / "metrics/evaluation.json").read_text())
    assert "Published of this recipe: cashbowman accuracy .629" in model_card.render(
        params, report, "", ""
    )


def test_a_card_names_missed_goals_and_warns_of_one_class_predictions(inside: Path) -> None:
    params, report = load_params(), json.loads((inside / "metrics/evaluation.json").read_text())
    assert goals.summary(report, params.goals) in model_card.render(params, report, "", "")
    assert "**Warning" not in model_card.render(params, report, "", "")
    report["test"]["intervals"]["recall"] = {"low": 0, "high": 0.2}
    report["test"] |= {"recall": 0.1, "confusion": {"tn": 3, "fp": 0, "fn": 3, "tp": 0}}
    text = model_card.render(params, report, "", "")
    assert "recall 0.100 is below 0.8" in text
    assert (
        "**Warning: on the test part all pictures are classified as human (6 of 6; 3 are human).**"
        in text
    )


def test_a_caution_comes_first(inside: Path) -> None:
    params = load_params()
    report = json.loads((inside / "metrics/evaluation.json").read_text())
    for caution, first in (("", "Classifies "), ("mind this", "**Mind this.**")):
        body = model_card.render(params, report, "", caution).split("\n# ", 1)[1]
        assert body.split("\n\n")[1].startswith(first)


def test_the_card_and_the_model_have_the_caution_of_the_verdict(inside: Path) -> None:
    report = json.loads((inside / "metrics/evaluation.json").read_text())
    expected = verdict.caution(report["gain"])
    assert json.loads((inside / "models/final/model.json").read_text())["caution"] == expected
    assert TrainedModel(inside / "models/final").caution == expected
