"""Headers, pictures and copies -> metrics/audit.json, metrics/audit: what a model could go by."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from realart import (
    archive,
    audit,
    contact,
    errors,
    findings,
    folds,
    params,
    pictures,
    plots,
    raw,
    set_shortcuts,
    tables,
    traces,
)
from realart.audit import Question
from realart.headers import Header
from realart.outputs import fresh_directory, write_json
from realart.parallel import each
from realart.params import Balance
from realart.traces import Vector

DATA = Path("data")
REPORT = Path("metrics/audit.json")
FOLDER = Path("metrics/audit")
PAIRS_SHOWN = 5


def main() -> None:
    knobs = params.load()
    rows = drawn(tables.read(DATA / "balanced/rows.csv", tables.ROWS), knobs.audit.pictures)
    stored, measured = measure(rows)
    fit, own = rows["fit"].to_numpy(), (rows["operation"] == "").to_numpy()
    copies = audit.probe(rows[fit].reset_index(drop=True), {k: v[fit] for k, v in measured.items()})
    originals, stored = rows[own].reset_index(drop=True), stored[own].reset_index(drop=True)
    measured = {name: values[own] for name, values in measured.items()}
    published = tables.read(DATA / "clean/pictures.csv", tables.PICTURES).set_index("id")
    asked = audit.questions(
        published.loc[originals["row"]].reset_index(drop=True),
        stored,
        measured,
    )
    labels = tables.is_ai(originals["label"])
    table = audit.answer(asked, labels, originals)
    related = tables.read(DATA / "clean/related.csv", tables.RELATED)
    pairs = audit.kinds(related, knobs.clean.duplicate)
    aspects = audit.recovered(stored, measured, originals)
    said = findings.sentences(table, aspects, pairs, copies)
    of_sets, sets = by_set(rows, originals, asked, knobs.balance)
    said += set_shortcuts.sentences(of_sets, sets) if sets else []
    floor = audit.best(table, audit.AVAILABLE)
    report: dict[str, Any] = {
        "pictures": len(originals),
        "auc": {
            f"{scope}": audit.best(table, [str(scope)])["auc"] for scope in table["scope"].unique()
        },
        "floor": {
            "by": f"{floor['name']} ({floor['scope']}), {floor['classifier']}",
            "oof": floor.drop(["scope", "name", "classifier"]).to_dict(),
            "test": audit.figures(audit.on_test(floor, asked, labels, originals)),
        },
        "pairs": {kind: len(found) for kind, found in pairs.items()},
        "aspect": {shape: asdict(how_well) for shape, how_well in aspects.items()},
        "copies": {label: asdict(auc) for label, auc in copies.items()},
    }
    if sets:
        report["sets"] = sets
        report["floor"]["unseen"] = set_shortcuts.unseen_floor(floor, asked, labels, originals)
    with fresh_directory(FOLDER) as folder:
        table.to_csv(folder / "floors.csv", index=False)
        by_floor = audit.scored(floor, asked, labels, originals)
        tables.write(by_floor, folder / "floor.csv", tables.JUDGED)
        plots.draw_floors(table, folder / "floors.png")
        if sets:
            tables.write(of_sets, folder / "sets.csv", set_shortcuts.COLUMNS)
        draw_pairs(pairs, raw.archives(raw.RAW), folder / "pairs.jpg")
        (folder / "findings.md").write_text("".join(f"- {one}\n" for one in said), "utf-8")
    write_json(report, REPORT)
    print("\n".join(["audit:", *said]))
    if knobs.audit.stop_above is not None:
        audit.check(floor, knobs.audit.stop_above)


def by_set(
    rows: pd.DataFrame, originals: pd.DataFrame, asked: Sequence[Question], balance: Balance
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Say from what sets can be told, and whether they name the label: nothing of one set alone."""
    if rows["set"].nunique() == 1:
        return pd.DataFrame(columns=list(set_shortcuts.COLUMNS)), {}
    train = rows[rows["part"] == "train"].reset_index(drop=True)
    fit = np.flatnonzero(train["fit"])
    counted = folds.weights(tables.is_ai(train["label"]), fit, balance, train["set"].to_numpy())
    return set_shortcuts.which(asked, originals), set_shortcuts.names_label(train, counted)


def drawn(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Draw whole groups, by their names, until there are `limit` pictures; copies come along."""
    pictures_of = rows[rows["operation"] == ""].groupby("group").size().sort_index()
    chosen = pictures_of.index[pictures_of.cumsum() <= limit]
    return rows[rows["group"].isin(chosen)].reset_index(drop=True)


def measure(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Vector]]:
    """Return the header of the stored file of every row, and what its pixels measure, stacked."""
    found = list(each(measure_file, [DATA / file for file in rows["file"]], "audit"))
    headers = pd.DataFrame([asdict(header) | {"bytes": size} for header, size, _ in found])
    names = found[0][2]
    return headers, {name: np.stack([one[name] for _, _, one in found]) for name in names}


def measure_file(file: Path) -> tuple[Header, int, dict[str, Vector]]:
    """Measure one stored file."""
    data = file.read_bytes()
    image, header = pictures.decode(data, max_pixels=sys.maxsize)
    return header, len(data), traces.measure(image)


def draw_pairs(pairs: Mapping[str, pd.DataFrame], archives: Mapping[str, Path], path: Path) -> None:
    """Draw the least alike pairs of each kind side by side, as published."""
    sheet: dict[str, list[Path]] = {}
    with TemporaryDirectory() as folder:
        for kind, found in pairs.items():
            worst = found.sort_values("correlation", kind="stable").head(PAIRS_SHOWN)
            files = [Path(folder, f"{kind} {number}") for number in range(2 * len(worst))]
            columns = ["set_a", "a", "bytes_a", "set_b", "b", "bytes_b"]
            of_pairs = worst[columns].to_numpy().reshape(-1, 3)
            for file, (of, name, size) in zip(files, of_pairs, strict=True):
                file.write_bytes(archive.read(archives[of], name, size))
            sheet |= {f"{kind}: {len(found)} pairs": files} if files else {}
        contact.sheet(sheet or {"no pairs": []}, path, per_row=2 * PAIRS_SHOWN)


if __name__ == "__main__":
    errors.run(main)
