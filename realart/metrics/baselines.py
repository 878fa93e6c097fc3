"""What classifiers reach that do not look at the art: the floor under every figure.

The same folds as the models, scores out of fold, a linear classifier and a boosting of trees.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from realart.metrics import intervals
from realart.metrics.classification import THRESHOLD, Labels, Scores
from realart.metrics.intervals import Estimate, Weights

CLASSIFIERS = ("logistic", "boosting")


@dataclass(frozen=True)
class Baseline:
    """What a classifier reaches out of fold, on features that are not the art.

    Balanced accuracy is at the share of ai in training as its threshold, accuracy at one half.
    """

    auc: Estimate
    balanced_accuracy: Estimate
    accuracy: Estimate


def evaluate(
    classifier: str, features: pd.DataFrame, labels: Labels, folds: pd.DataFrame
) -> Baseline:
    """Score a classifier out of fold.

    Parameters
    ----------
    features
        A row a picture; columns of text are categories.
    labels
        1 for ai, or whatever else is to be guessed; shape (n,).
    folds
        Columns `fold` and `group` of each picture; those of fold -1 are left out.
    """
    fold = folds["fold"].to_numpy()
    scores, shares = out_of_fold(classifier, features, labels, folds)
    return _floor(labels, scores, scores >= shares, folds, fold >= 0)


def out_of_fold(
    classifier: str, features: pd.DataFrame, labels: Labels, folds: pd.DataFrame
) -> tuple[Scores, Scores]:
    """Return scores, and the share of ai in what they were fitted on: NaN in fold -1.

    The parameters are those of `evaluate`.
    """
    fold = folds["fold"].to_numpy()
    scores, shares = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    for number in np.unique(fold[fold >= 0]):
        held_out, rest = fold == number, (fold != number) & (fold >= 0)
        model = _fitted(classifier, features[rest], labels[rest])
        scores[held_out] = model.predict_proba(features[held_out])[:, 1]
        shares[held_out] = labels[rest].mean()
    return scores, shares


def several(features: pd.DataFrame, classes: pd.Series, folds: pd.DataFrame) -> Estimate:
    """Return the mean AUC by which a boosting tells each class from all others, out of fold.

    The parameters are those of `evaluate`; `classes` are names of any number. A fold whose others
    have one class alone can't be told anything, and has equal scores.
    """
    fold, names = folds["fold"].to_numpy(), sorted(classes.unique())
    scores = np.zeros((len(classes), len(names)))
    for number in np.unique(fold[fold >= 0]):
        held_out, rest = fold == number, (fold != number) & (fold >= 0)
        if classes[rest].nunique() == 1:
            continue
        model = _fitted("boosting", features[rest], classes[rest].to_numpy())
        known = np.searchsorted(names, model.classes_)
        scores[np.ix_(held_out, known)] = model.predict_proba(features[held_out])
    used = fold >= 0
    own = [(classes == name).to_numpy()[used].astype(np.int64) for name in names]

    def mean(weights: Weights) -> Weights:
        columns = zip(own, scores[used].T, strict=True)
        return np.mean([intervals.auc(one, column, weights) for one, column in columns], axis=0)

    return intervals.bootstrap(mean, folds.loc[used, "group"])


def recovery(features: pd.DataFrame, target: NDArray[np.float64], folds: pd.DataFrame) -> Estimate:
    """Return the rank correlation of a number with what a boosting says of it out of fold."""
    fold = folds["fold"].to_numpy()
    said = np.empty(len(target))
    for number in np.unique(fold[fold >= 0]):
        held_out, rest = fold == number, (fold != number) & (fold >= 0)
        model = HistGradientBoostingRegressor(random_state=0, early_stopping=False)
        said[held_out] = model.fit(features[rest], target[rest]).predict(features[held_out])
    used = fold >= 0
    ranks = rankdata(target[used]), rankdata(said[used])
    return intervals.bootstrap(partial(intervals.correlation, *ranks), folds.loc[used, "group"])


def evaluate_on_test(
    classifier: str, features: pd.DataFrame, labels: Labels, folds: pd.DataFrame
) -> Baseline:
    """Score a classifier that was fitted on all folds on the pictures of fold -1."""
    tested = folds["fold"].to_numpy() < 0
    model = _fitted(classifier, features[~tested], labels[~tested])
    scores = model.predict_proba(features)[:, 1]
    above_share = scores >= labels[~tested].mean()
    return _floor(labels, scores, above_share, folds, tested)


def _floor(
    labels: Labels,
    scores: Scores,
    above_share: NDArray[np.bool_],
    folds: pd.DataFrame,
    chosen: NDArray[np.bool_],
) -> Baseline:
    labels, scores, above_share = labels[chosen], scores[chosen], above_share[chosen]
    groups = folds.loc[chosen, "group"]
    statistics = (
        partial(intervals.balanced_accuracy, labels, above_share),
        partial(intervals.accuracy, labels, scores >= THRESHOLD),
    )
    return Baseline(
        intervals.of_auc(labels, scores, groups),
        *(intervals.bootstrap(one, groups) for one in statistics),
    )


def _fitted(classifier: str, features: pd.DataFrame, labels: Labels) -> Pipeline:
    texts = [name for name in features if features[name].dtype.kind not in "biuf"]
    numbers = [name for name in features if name not in texts]
    if classifier == "logistic":
        model = make_pipeline(
            make_column_transformer(
                (OneHotEncoder(handle_unknown="ignore"), texts), (StandardScaler(), numbers)
            ),
            LogisticRegression(max_iter=1000),
        )
    else:
        ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        model = make_pipeline(
            make_column_transformer((ordinal, texts), remainder="passthrough"),
            HistGradientBoostingClassifier(
                categorical_features=list(range(len(texts))), random_state=0, early_stopping=False
            ),
        )
    return model.fit(features, labels)
