"""Evaluate all folds, and the final model once on the test part -> metrics/, models/final."""

from realart.core import errors, paths, tables
from realart.core.outputs import fresh_directory, write_json
from realart.data import raw
from realart.evaluation import cases, figures, final_model, headline, model_card, verdict
from realart.models.manifest import CARD
from realart.params import load_params
from realart.training import folds


def main() -> None:
    params = load_params()
    archives = raw.archives(paths.RAW)
    pictures = tables.by_id(tables.read(paths.PICTURES, tables.PICTURES))
    results = [folds.read(paths.FOLDS / f"{fold}") for fold in range(params.split.folds)]

    oof, rule = final_model.calibrate_out_of_fold(
        results, pictures["group"], params.promise, params.dataset
    )
    unseen = None
    if params.held_out_sets:
        held_out = {
            name: folds.read(paths.FOLDS / f"{fold}") for fold, name in params.held_out_sets.items()
        }
        unseen = final_model.score_held_out_sets(held_out, results, pictures["set"])
    detector = final_model.fit_novelty(pictures.loc[oof["row"]], results)
    baseline = tables.read(paths.BASELINE_SCORES, tables.PREDICTIONS)
    gain = verdict.gain(oof.assign(part="oof").join(pictures["group"], on="row"), baseline)
    model = final_model.save_final(params, results, rule, detector, verdict.caution(gain))
    test = final_model.score_test(model, pictures, archives)

    scores = figures.join_scores(pictures, test, oof, unseen)
    decided_cases = cases.evaluate(model, params.goals.cases)
    report = figures.compute_figures(
        params, scores, results, rule, model, archives, decided_cases, gain
    )
    tables.write(scores.combined, paths.SCORES, tables.PREDICTIONS)
    write_json(report, paths.EVALUATION)
    write_json(headline.headline(report), paths.HEADLINE)
    findings = paths.FINDINGS.read_text("utf-8")
    card = model_card.render(params, report, findings, model.caution)
    (paths.FINAL / CARD).write_text(card, "utf-8")
    with fresh_directory(paths.EVALUATION_IMAGES) as images:
        with fresh_directory(paths.TABLES) as folder:
            figures.write_tables(params, scores, report, folder, images)
        with fresh_directory(paths.PLOTS) as folder:
            figures.write_plots(params, scores, report, results, folder, images)
    print(figures.summary(params, report))


if __name__ == "__main__":
    errors.run(main)
