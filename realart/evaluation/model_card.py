"""A model card: what a model is, was made from and is worth, written from the run's own figures."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from realart.core import yaml12
from realart.metrics import goals
from realart.metrics.thresholds import figure, one_sided
from realart.params import Params

FIGURE_NAMES = {
    "accuracy": "accuracy",
    "recall": "recall",
    "precision": "precision",
    "false_positive_rate": "human art called ai",
    "auc": "AUC",
    "average_precision": "average precision",
}
"""Figures that have intervals, and what readers call them."""
HEADED = {"test": "test", "oof": "train, out of fold", "unseen": "train, sets held out (mean)"}
"""Figures of metrics.json in the header, and what they are of."""
KINDS = {"in_set": "in-set", "unseen": "held out"}
"""Figures of metrics.json that are of each of several sets."""
OPEN = ("apache-2.0", "cc-by-4.0", "cc0-1.0", "mit")
"""Licences by the names that the Hugging Face Hub has for them."""


EXPLAINED = (
    "By set, out of fold. In-set, the model knew other pictures of the set; held out, it was "
    "trained on the other sets alone, which is what to expect of pictures from elsewhere. Each set "
    "counts the same in the mean."
)


def card(params: Params, report: Mapping[str, Any], findings: str) -> str:
    """Return the card as Markdown with the header of the Hugging Face Hub.

    The header is that of https://huggingface.co/docs/hub/model-cards.

    Parameters
    ----------
    report
        What metrics.json holds.
    findings
        What the audit says of the pictures, as a Markdown list.
    """
    sections = {
        "": _what(params),
        "How to use it": _use(),
        "Data": _data(params, report),
        "Results": _results(params, report),
        "What the label can be guessed from": findings.strip(),
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
    licences = {one.licence.lower() for one in params.sets.values()}
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
                dataset_name=", ".join(one.path or name for name, one in params.sets.items()),
                dataset_split=part,
                metric_type=kind,
                metric_value=round(report[key][name], 4),
            )
            for key, part in HEADED.items()
            if key in report
            for name, kind in types.items()
        ],
    ).to_yaml()


def _what(params: Params) -> str:
    return (
        "Classifies a picture as made by a person or by a generator, with a calibrated probability "
        f"of ai. The input of the recipe `{params.model}` is {params.recipe.sees}; it was trained "
        f"on `{params.dataset}` by realart, which can make it again from the same pictures."
    )


def _use() -> str:
    return (
        "```sh\nrealart predict --model <this folder> picture.jpg\n```\n\n"
        "Pictures are prepared as in training. The verdict is `ai`, `human` or `unsure`; `--at "
        "low_fpr` gives those of the threshold that called at most 1 % of human art ai out of fold."
    )


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
        + (f"`{one.path}` ({one.source})" if one.path else one.source)
        for name, one in params.sets.items()
    ]
    form = f"{params.clean.long_side} px at most, JPEG {params.clean.quality}"
    return (
        f"{'; '.join(sources)}. {'; '.join(parts)}. Broken files and duplicates were left out, "
        "near-duplicates never parted between training and test"
        + (f", and both classes saved alike ({form})." if params.clean.encoding == "jpeg" else ".")
    )


def _results(params: Params, report: Mapping[str, Any]) -> str:
    test, oof, floor = report["test"], report["oof"], report["floor"]
    lines = [
        f"| | test part ({sum(test['confusion'].values())}) | out of fold "
        f"({sum(oof['confusion'].values())}) |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {figure(key, test)} | {figure(key, oof)} |"
            for key, name in FIGURE_NAMES.items()
        ),
        f"| accuracy without looking at the art | {floor['test']['accuracy']:.3f} | "
        f"{floor['oof']['accuracy']:.3f} |",
    ]
    points = [
        "| operating point | threshold | ai art found | human art called ai |",
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
        "With 95 % intervals. The test part was scored once; out of fold, every picture of the "
        "training part was scored by a model that has not seen it.\n\n"
        + "\n".join(lines)
        + _on_sets(report)
        + "".join(f"\n\n**Beware: {warning}.**" for warning in one_sided(report))
        + f"\n\nBy what its project asks for: {goals.sentence(report, params.goals)}."
        + "\n\nThresholds were chosen out of fold; this is what they do on the test part:\n\n"
        + "\n".join(points)
        + published
    )


def kinds(report: Mapping[str, Any]) -> list[str]:
    """Say in words what figures a report has of each of several sets; none of one set alone."""
    return [said for key, said in KINDS.items() if key in report]


def on_sets(report: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """List the figures of each of several sets, then their mean, to be read.

    A name, how many pictures, and AUC and accuracy of each of `kinds`, AUC first.
    """
    found = [report[key] for key in KINDS if key in report]
    names = [*found[0]["sets"], "mean"] if found else []
    rows = []
    for name in names:
        own = [one if name == "mean" else one["sets"][name] for one in found]
        figures = [figure(key, one) for key in ("auc", "accuracy") for one in own]
        rows.append((name, f"{own[0]['pictures']}", figures))
    return rows


def _on_sets(report: Mapping[str, Any]) -> str:
    """Return the table of `on_sets`, and what it means."""
    rows = on_sets(report)
    if not rows:
        return ""
    pairs = product(("AUC", "accuracy"), kinds(report))
    heads = ["", "pictures", *(f"{key}, {kind}" for key, kind in pairs)]
    lines = [
        f"| {' | '.join(heads)} |",
        f"| {' | '.join(['---'] * len(heads))} |",
        *(f"| {' | '.join([name, count, *figures])} |" for name, count, figures in rows),
    ]
    return f"\n\n{EXPLAINED}\n\n" + "\n".join(lines)


def _limits(report: Mapping[str, Any]) -> str:
    sure = report["oof"]["sure"]
    again = report["intervention"]
    return (
        "- It knows the generators and the kinds of art in its data. What it is worth elsewhere "
        "only pictures from elsewhere can tell: `realart evaluate --data PATH`.\n"
        f"- It is sure of {sure['share']:.0%} of pictures out of fold"
        + (f", and right on {sure['accuracy']:.1%} of those" if "accuracy" in sure else "")
        + ".\n"
        f"- Saving pictures again moves the scores of human art by {again['shift']['human']:+.3f} "
        f"and of ai art by {again['shift']['ai']:+.3f}, on average.\n"
        "- A verdict is no proof. Nobody should be accused by one."
    )


def _training(params: Params) -> str:
    recipe = yaml12.dump(params.recipe.model_dump(exclude={"published"}))
    return (
        f"{params.split.folds} folds by group of near-duplicates, seed {params.train.seed}; final "
        f"is the {params.evaluate.final.replace('_', ' ')}.\n\n```yaml\n{recipe}```"
    )


def _all_open(params: Params) -> bool:
    """Return whether the licences of the pictures and of all given weights are known and open."""
    licences = [data.licence for data in params.sets.values()]
    licences += [encoder.licence for encoder in params.encoders.values()]
    return not params.backbones and all(licence.lower() in OPEN for licence in licences)


def _licence(params: Params) -> str:
    keras = "https://keras.io/api/applications/"
    given = {f"{one.name} (see {keras})" for one in params.backbones if one.weights != "none"}
    given |= {f"{one.file} ({one.licence})" for one in params.encoders.values()}
    weights = "no weights of others"
    if given:
        weights = f"given weights, whose own licence holds: {', '.join(sorted(given))}"
    licences = [
        f"{name}: " * (len(params.sets) > 1) + one.licence for name, one in params.sets.items()
    ]
    return f"Pictures: {'; '.join(licences)}. It stands on {weights}. realart: Apache-2.0."
