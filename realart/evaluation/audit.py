"""Audit a data set for shortcuts before any model is trained.

`realart.evaluation.shortcuts` looks at headers, stored pictures and copies; where there are several
sets, `realart.evaluation.set_shortcuts` looks at these.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from realart.core import paths, tables
from realart.core.parallel import map_parallel
from realart.data import archive, contact_sheets
from realart.evaluation import remedies, set_shortcuts, shortcuts
from realart.evaluation.predictability import LEVELS, describe_baseline
from realart.features import measurements
from realart.metrics import plots
from realart.metrics.intervals import Estimate
from realart.params import Balance, Params
from realart.training import folds

PAIRS_SHOWN = 5
"""Near-duplicate pairs of each kind that are drawn."""


@dataclass(frozen=True)
class AuditResult:
    """Result of an audit.

    Attributes
    ----------
    figures
        The content of metrics/audit.json.
    table
        What `shortcuts.evaluate_candidates` returns: all shortcut baselines, the
        highest AUC first.
    baseline
        The row of `table` with the highest AUC among features that a model's input offers.
    baseline_scores
        Columns `tables.PREDICTIONS`: out-of-fold scores of that baseline.
    sets
        Columns `set_shortcuts.COLUMNS`; empty for one set alone.
    pairs
        Near-duplicates by kind, as `shortcuts.pairs_by_kind` returns them.
    findings
        The result in words, a sentence each.
    """

    figures: dict[str, Any]
    table: pd.DataFrame
    baseline: pd.Series
    baseline_scores: pd.DataFrame
    sets: pd.DataFrame
    pairs: Mapping[str, pd.DataFrame]
    findings: list[str]

    def write(self, archives: Mapping[str, Path], folder: Path, images: Path) -> None:
        """Write tables and findings into `folder`, plots and pairs into the folder `images`.

        Parameters
        ----------
        archives
            The published zip archive of each set, from which pairs are drawn.
        folder
            That exists.
        """
        self.table.to_csv(folder / "floors.csv", index=False)
        tables.write(self.baseline_scores, folder / paths.BASELINE_SCORES.name, tables.PREDICTIONS)
        plots.draw_baselines(self.table, images / "baselines.png")
        if len(self.sets):
            tables.write(self.sets, folder / "sets.csv", set_shortcuts.COLUMNS)
        _draw_pairs(self.pairs, archives, images / "pairs.jpg")
        items = "".join(f"- {sentence}\n" for sentence in self.findings)
        (folder / paths.FINDINGS.name).write_text(items, "utf-8")


def audit(
    params: Params, rows: pd.DataFrame, published: pd.DataFrame, related: pd.DataFrame
) -> AuditResult:
    """Audit the data set below data/; of a large one at most `params.audit.pictures` pictures.

    Parameters
    ----------
    rows, published, related
        Columns `tables.ROWS`, `tables.PICTURES` and `tables.RELATED`: all rows, headers of the
        published files, and near-duplicate pairs.
    """
    rows = sample_groups(rows, params.audit.pictures)
    files = [paths.DATA / file for file in rows["file"]]
    stored, statistics = measurements.stack(
        list(map_parallel(measurements.measure_file, files, "audit"))
    )
    fit, own = rows["fit"].to_numpy(), (rows["operation"] == "").to_numpy()
    copies = shortcuts.copy_detection_aucs(
        rows[fit].reset_index(drop=True), {name: values[fit] for name, values in statistics.items()}
    )
    originals, stored = rows[own].reset_index(drop=True), stored[own].reset_index(drop=True)
    statistics = {name: values[own] for name, values in statistics.items()}
    headers = tables.by_id(published).loc[originals["row"]].reset_index(drop=True)
    candidates = shortcuts.list_candidates(headers, stored, statistics)
    labels = tables.is_ai(originals["label"])
    table = shortcuts.evaluate_candidates(candidates, labels, originals)
    pairs = shortcuts.pairs_by_kind(related, params.clean.duplicate)
    aspects = shortcuts.aspect_correlations(stored, statistics, originals)
    findings = summarise(table, aspects, pairs, copies)
    baseline = shortcuts.best_row(table, shortcuts.AVAILABLE)
    figures: dict[str, Any] = {
        "pictures": len(originals),
        "auc": {
            f"{scope}": shortcuts.best_row(table, [str(scope)])["auc"]
            for scope in table["scope"].unique()
        },
        "floor": {
            "by": f"{baseline['name']} ({baseline['scope']}), {baseline['classifier']}",
            "oof": baseline.drop(["scope", "name", "classifier"]).to_dict(),
            "test": shortcuts.flatten(
                shortcuts.evaluate_on_test(baseline, candidates, labels, originals)
            ),
        },
        "pairs": {kind: len(of_kind) for kind, of_kind in pairs.items()},
        "aspect": {shape: asdict(correlation) for shape, correlation in aspects.items()},
        "copies": {label: asdict(auc) for label, auc in copies.items()},
    }
    sets = pd.DataFrame(columns=list(set_shortcuts.COLUMNS))
    if rows["set"].nunique() > 1:
        sets = set_shortcuts.predict_sets(candidates, originals)
        figures["sets"] = set_shortcuts.label_from_set(*_training_rows(rows, params.balance))
        figures["floor"]["unseen"] = set_shortcuts.baseline_on_held_out_sets(
            baseline, candidates, labels, originals
        )
        findings += set_shortcuts.findings(sets, figures["sets"])
    scores = shortcuts.out_of_fold_scores(baseline, candidates, labels, originals)
    return AuditResult(figures, table, baseline, scores, sets, pairs, findings)


def summarise(
    table: pd.DataFrame,
    aspects: Mapping[str, Estimate],
    pairs: Mapping[str, pd.DataFrame],
    copies: Mapping[str, Estimate],
) -> list[str]:
    """Summarise the audit in words, a sentence each.

    Parameters
    ----------
    table
        What `shortcuts.evaluate_candidates` returns.
    aspects, pairs, copies
        What these functions of `shortcuts` return: `aspect_correlations`, `pairs_by_kind` and
        `copy_detection_aucs`.
    """
    published = shortcuts.best_row(table, [shortcuts.PUBLISHED])
    texture = shortcuts.best_row(table, [shortcuts.TEXTURE])["auc"]
    sentences = [
        f"Files as published: {describe_baseline(published)}.",
        f"Model input: {describe_baseline(shortcuts.best_row(table, shortcuts.AVAILABLE))}.",
        _about_aspect(aspects),
        f"Texture alone predicts the label with AUC {texture:.2f}: {shortcuts.TRACES}.",
        f"Pairs: {', '.join(f'{len(rows)} {kind}' for kind, rows in pairs.items())}.",
        *(_about_copies(label, auc) for label, auc in copies.items()),
    ]
    return [*sentences, *remedies.remedies(table)]


def _about_aspect(aspects: Mapping[str, Estimate]) -> str:
    """Describe how well each shape of the model input hides the aspect ratio, as a sentence."""
    if not aspects:
        return "All pictures have one aspect ratio, so that it tells nothing."
    # NaN: the predictions are all the same.
    values = {shape: found.value for shape, found in aspects.items()}
    known = {shape: 0.0 if math.isnan(value) else value for shape, value in values.items()}
    correlations = ", ".join(f"{shape} {value:.2f}" for shape, value in known.items())
    best = min(known, key=lambda shape: abs(known[shape]))
    return (
        "Rank correlation of a picture's aspect ratio with a prediction of it from the square "
        f"model input: {correlations}. So `shape: {best}` hides it best, which matters where width "
        "and height predict the label."
    )


def _about_copies(label: str, auc: Estimate) -> str:
    """Describe how separable augmented copies are from originals, as a sentence."""
    remedy = "; `balance.method=class_weight` makes no copies" * (auc.low > LEVELS["hardly"])
    return f"Augmented copies of {label} art are separable from originals with AUC {auc}{remedy}."


def sample_groups(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Keep whole groups, sorted by name, of at most `limit` pictures together, and their copies."""
    sizes = rows[rows["operation"] == ""].groupby("group").size().sort_index()
    chosen = sizes.index[sizes.cumsum() <= limit]
    return rows[rows["group"].isin(chosen)].reset_index(drop=True)


def _training_rows(
    rows: pd.DataFrame, balance: Balance
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    """Return the rows of the training part and their sample weights in training."""
    train = rows[rows["part"] == "train"].reset_index(drop=True)
    fit = np.flatnonzero(train["fit"])
    labels = tables.is_ai(train["label"])
    return train, folds.weights(labels, fit, balance, train["set"].to_numpy())


def _draw_pairs(
    pairs: Mapping[str, pd.DataFrame], archives: Mapping[str, Path], path: Path
) -> None:
    """Draw the pairs of lowest correlation of each kind side by side, as published."""
    sheet: dict[str, list[Path]] = {}
    with TemporaryDirectory() as folder:
        for kind, of_kind in pairs.items():
            lowest = of_kind.sort_values("correlation", kind="stable").head(PAIRS_SHOWN)
            files = [Path(folder, f"{kind} {number}") for number in range(2 * len(lowest))]
            columns = ["set_a", "a", "bytes_a", "set_b", "b", "bytes_b"]
            members = lowest[columns].to_numpy().reshape(-1, 3)
            for file, (name, path_inside, size) in zip(files, members, strict=True):
                file.write_bytes(archive.read(archives[name], path_inside, size))
            sheet |= {f"{kind}: {len(of_kind)} pairs": files} if files else {}
        contact_sheets.draw_sheet(sheet or {"no pairs": []}, path, per_row=2 * PAIRS_SHOWN)
