"""Write the model card: what a model is, was trained on and achieves, by metrics of its run."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from realart.core import yaml12
from realart.evaluation import verdict
from realart.metrics import goals
from realart.metrics.proofs import Proofs
from realart.metrics.text import INTERVALS, format_figure, one_class_warnings
from realart.metrics.thresholds import DecisionRule, why_below_balanced
from realart.models import novelty
from realart.models.manifest import CalibrationSet
from realart.params import Params

METRIC_NAMES = {
    "accuracy": "accuracy",
    "recall": "recall (true positive rate)",
    "precision": "precision",
    "false_positive_rate": "false positive rate (human art called ai)",
    "auc": "AUC",
    "average_precision": "average precision",
}
"""Metrics that have intervals, and how readers are shown them."""
HEADER_SPLITS = {
    "test": "test",
    "oof": "train, out of fold",
    "unseen": "train, sets held out (mean)",
}
"""Parts of evaluation.json in the header, and the split of the data set that each is of."""
SET_EVALUATIONS = {"in_set": "in-set", "unseen": "held out"}
"""Parts of evaluation.json that hold metrics of each of several sets, and their names."""
OPEN_LICENCES = ("apache-2.0", "cc-by-4.0", "cc0-1.0", "mit")
"""Open licences by the names of the Hugging Face Hub."""
BY_SET_NOTE = (
    "By set, out of fold. In-set: the model was trained on other pictures of the same set. Held "
    "out: it was trained on the other sets alone, as for pictures from elsewhere. All sets have "
    "the same weight in the mean."
)
SECTION = "\n\n## "
PROMISES, CALIBRATED = "What it promises", "Calibrated on"
"""Titles of the sections that a calibration replaces."""


def render(params: Params, report: Mapping[str, Any], findings: str, caution: str) -> str:
    """Render the model card as Markdown with a YAML header for the Hugging Face Hub.

    The header is described at https://huggingface.co/docs/hub/model-cards.

    Parameters
    ----------
    report
        What evaluation.json holds.
    findings
        The findings of the audit as a Markdown list: metrics/audit/findings.md.
    caution
        That of the `TrainedModel`.
    """
    sections = {
        "": _what(params, caution),
        "How to use it": _use(),
        PROMISES: _promises(Proofs.model_validate(report["promises"])),
        "Data": _data(params, report),
        "Results": _results(params, report),
        "Shortcut baselines": findings.strip(),
        "Limits": _limits(report),
        "Training": _training(params),
        "Licence": _licence(params),
    }
    body = "\n\n".join(
        f"## {title}\n\n{text}" if title else text for title, text in sections.items()
    )
    return f"---\n{_header(params, report)}\n---\n\n# {_name(params)}\n\n{body}\n"


def _name(params: Params) -> str:
    return f"realart-{params.model}-{params.dataset}"


def _header(params: Params, report: Mapping[str, Any]) -> str:
    licences = {data.licence.lower() for data in params.sets.values()}
    licence = licences.pop() if len(licences) == 1 else "other"
    types = {"accuracy": "accuracy", "recall": "recall", "auc": "roc_auc"}
    return ModelCardData(
        license=licence if _all_open(params) else "other",
        library_name="realart",
        pipeline_tag="image-classification",
        tags=["ai-generated-image-detection", "art"],
        metrics=list(types.values()),
        model_name=_name(params),
        eval_results=[
            EvalResult(
                task_type="image-classification",
                dataset_type=params.dataset,
                dataset_name=", ".join(data.path or name for name, data in params.sets.items()),
                dataset_split=part,
                metric_type=kind,
                metric_value=round(report[key][name], 4),
            )
            for key, part in HEADER_SPLITS.items()
            if key in report
            for name, kind in types.items()
        ],
    ).to_yaml()


def _what(params: Params, caution: str) -> str:
    first = f"**{caution[0].upper()}{caution[1:]}.**\n\n" if caution else ""
    return (
        f"{first}Classifies a picture as made by a person or by a generator, with a calibrated "
        f"probability of ai. Input of the recipe `{params.model}`: {params.recipe.sees}. It was "
        f"trained on `{params.dataset}` by realart, which can reproduce it from the same pictures."
    )


def _use() -> str:
    return (
        "```sh\nrealart predict --model <this folder> picture.jpg\n```\n\n"
        "Pictures are preprocessed as in training. The verdict is `ai`, `human` or `unsure`; at an "
        "operating point, such as `--at balanced`, it is `ai` or `human`."
    )


def _promises(proofs: Proofs) -> str:
    return (
        f"- {proofs.of_low_fpr}\n- {proofs.of_decisions}\n\n"
        "Both by exact binomial bounds, near-duplicates counted once. They hold for pictures from "
        "the same sources, not for other generators or kinds of art: calibrate it on pictures of "
        "yours (`realart calibrate`)."
    )


def replace_promises(card: Path, rule: DecisionRule, calibrated_on: CalibrationSet) -> None:
    """Replace what a model card promises after a calibration, and name its pictures.

    Parameters
    ----------
    card
        A file that `render` made.
    rule
        The new decision rule.
    calibrated_on
        The pictures that it was calibrated on.
    """
    head, *sections = card.read_text("utf-8").split(SECTION)
    others = [text for text in sections if not text.startswith((PROMISES, CALIBRATED))]
    calibrated = (
        f"{CALIBRATED}\n\n`{calibrated_on.data}`: {calibrated_on.human} pictures of human art, "
        f"{calibrated_on.ai} of ai. Probabilities and thresholds are those of this calibration; "
        "the results below are of the model as it was trained."
    )
    assert rule.proofs
    promised = f"{PROMISES}\n\n{_promises(rule.proofs)}"
    card.write_text(SECTION.join([head, calibrated, promised, *others]), "utf-8")


def _data(params: Params, report: Mapping[str, Any]) -> str:
    parts = [
        f"{name}: {counts['tp'] + counts['fn']} ai, {counts['tn'] + counts['fp']} human"
        for name, counts in (
            ("training part", report["oof"]["confusion"]),
            ("test part", report["test"]["confusion"]),
        )
    ]
    sources = [
        f"{name} from " * (len(params.sets) > 1)
        + (f"`{data.path}` ({data.source})" if data.path else data.source)
        for name, data in params.sets.items()
    ]
    form = f"{params.clean.long_side} px at most, JPEG {params.clean.quality}"
    return (
        f"{'; '.join(sources)}. {'; '.join(parts)}. Broken files and duplicates were left out, "
        "and groups of near-duplicates were never split between training and test"
        + (
            f"; both classes were re-encoded alike ({form})."
            if params.clean.encoding == "jpeg"
            else "."
        )
    )


def _results(params: Params, report: Mapping[str, Any]) -> str:
    test, oof, baseline = report["test"], report["oof"], report["floor"]
    lines = [
        f"| | test part ({sum(test['confusion'].values())}) | out of fold "
        f"({sum(oof['confusion'].values())}) |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {format_figure(key, test)} | {format_figure(key, oof)} |"
            for key, name in METRIC_NAMES.items()
        ),
        f"| accuracy of the shortcut baseline | {baseline['test']['accuracy']:.3f} | "
        f"{baseline['oof']['accuracy']:.3f} |",
    ]
    points = [
        "| operating point | threshold | recall | false positive rate |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{name}` | {report['verdicts'][name]:.3f} | {at['recall']:.3f} | "
            f"{at['false_positive_rate']:.3f} |"
            for name, at in test["points"].items()
        ),
    ]
    published = f"\n\nPublished of this recipe: {params.recipe.published}." * bool(
        params.recipe.published
    )
    return (
        f"{' '.join(verdict.sentences(report))}\n\n"
        f"The test part was scored once. Out of fold, each picture of the training part was scored "
        f"by a model that was not trained on it. {INTERVALS}.\n\n"
        + "\n".join(lines)
        + _set_table(report)
        + "".join(f"\n\n**Warning: {warning}.**" for warning in one_class_warnings(report))
        + f"\n\nBy the goals of its project: {goals.summary(report, params.goals)}."
        + "\n\nOperating points, with thresholds chosen out of fold, on the test part:\n\n"
        + "\n".join(points)
        + (f"\n\n{note}." if (note := why_below_balanced(report["verdicts"])) else "")
        + published
    )


def set_evaluations(report: Mapping[str, Any]) -> list[str]:
    """Return the names of the evaluations by set in a report: `in-set`, `held out`, both or none.

    `report` is what evaluation.json holds.
    """
    return [name for key, name in SET_EVALUATIONS.items() if key in report]


def set_rows(report: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Format the metrics of each of several sets, and their mean, as rows of a table.

    Parameters
    ----------
    report
        What evaluation.json holds.

    Returns
    -------
    list
        Rows of a name, the number of pictures, and the AUC of each of `set_evaluations`, then the
        accuracy of each; empty for a single set.
    """
    evaluations = [report[key] for key in SET_EVALUATIONS if key in report]
    names = [*evaluations[0]["sets"], "mean"] if evaluations else []
    rows = []
    for name in names:
        metrics = [every if name == "mean" else every["sets"][name] for every in evaluations]
        cells = [format_figure(key, own) for key in ("auc", "accuracy") for own in metrics]
        rows.append((name, f"{metrics[0]['pictures']}", cells))
    return rows


def _set_table(report: Mapping[str, Any]) -> str:
    """Return the table of `set_rows` as Markdown, below its explanation."""
    rows = set_rows(report)
    if not rows:
        return ""
    pairs = product(("AUC", "accuracy"), set_evaluations(report))
    heads = ["", "pictures", *(f"{metric}, {name}" for metric, name in pairs)]
    lines = [
        f"| {' | '.join(heads)} |",
        f"| {' | '.join(['---'] * len(heads))} |",
        *(f"| {' | '.join([name, count, *cells])} |" for name, count, cells in rows),
    ]
    return f"\n\n{BY_SET_NOTE}\n\n" + "\n".join(lines)


def _limits(report: Mapping[str, Any]) -> str:
    sure = report["oof"]["sure"]
    again = report["intervention"]
    return (
        "- It was trained on the generators and kinds of art in its data. How it performs on "
        "others can only be measured: `realart evaluate --data PATH`.\n"
        f"- Out of fold it decides (is not `unsure`) on {sure['share']:.0%} of pictures"
        + (f", with an accuracy of {sure['accuracy']:.1%}" if "accuracy" in sure else "")
        + ".\n"
        f"- Re-encoding shifts the mean score of human art by {again['shift']['human']:+.3f} and "
        f"of ai art by {again['shift']['ai']:+.3f}.\n"
        f"- A picture is `unsure` if it is {novelty.REASON}: farther from them than "
        f"{novelty.QUANTILE:.0%} of them are from each other, across folds; of the test part "
        f"{report['novelty']['test']:.0%}. The reverse does not hold: a picture like them may be "
        "misclassified.\n"
        "- A verdict is not proof. Do not accuse anybody on the strength of one."
    )


def _training(params: Params) -> str:
    recipe = yaml12.dump(params.recipe.model_dump(exclude={"published"}))
    return (
        f"{params.split.folds} folds by group of near-duplicates, seed {params.train.seed}; final "
        f"model: {params.evaluate.final.replace('_', ' ')}.\n\n```yaml\n{recipe}```"
    )


def _all_open(params: Params) -> bool:
    """Return whether the licences of pictures and pretrained weights are all known and open."""
    licences = [data.licence for data in params.sets.values()]
    licences += [encoder.licence for encoder in params.encoders.values()]
    return not params.backbones and all(licence.lower() in OPEN_LICENCES for licence in licences)


def _licence(params: Params) -> str:
    keras = "https://keras.io/api/applications/"
    weights = {
        f"{backbone.name} (see {keras})"
        for backbone in params.backbones
        if backbone.weights != "none"
    }
    weights |= {f"{encoder.file} ({encoder.licence})" for encoder in params.encoders.values()}
    pretrained = "none"
    if weights:
        pretrained = f"{', '.join(sorted(weights))}, each under its own licence"
    licences = [
        f"{name}: " * (len(params.sets) > 1) + data.licence for name, data in params.sets.items()
    ]
    return (
        f"Pictures: {'; '.join(licences)}. Pretrained weights: {pretrained}. realart: Apache-2.0."
    )
