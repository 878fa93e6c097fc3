"""data/balanced, data/features -> models/folds: for each fold its model, history and scores.

The model is a classifier, or the weights of a network; where a backbone is frozen, those of its
trainable part.
"""

import shutil

from realart.core import errors, paths
from realart.core.hashing import short_digest
from realart.params import load_params
from realart.tracking import background_logger, training_runs
from realart.training import cross_validation, recipe_kinds


def main() -> None:
    params = load_params()
    figures = {}
    with recipe_kinds.fold_trainer(params, paths.ROWS, paths.FEATURES) as trainer:
        key = cross_validation.resume_key(params, trainer, paths.ROWS, paths.FEATURES)
        with cross_validation.checkpoint_folder(key) as folder:
            run_id = cross_validation.training_id(folder)
            record = training_runs.training_record(params, short_digest([paths.ROWS]), key, run_id)
            with background_logger.log_pipeline(record) as logger:
                results = cross_validation.train(params, trainer, folder, logger.begin_fold)
                for fold, result in results:
                    logger.end_fold(fold, result)
                    figures[fold] = result.figures
                    print(cross_validation.fold_line(params, fold, result))
                cross_validation.publish(params, folder, paths.FOLDS)
                logger.outcome = training_runs.outcome_fingerprint(paths.FOLDS)
            shutil.rmtree(folder)
    print(cross_validation.summary(params, [figures[fold] for fold in params.all_folds]))


if __name__ == "__main__":
    errors.run(main)
