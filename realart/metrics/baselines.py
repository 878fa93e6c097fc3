"""Baselines: simple classifiers on features that may be shortcuts, such as file headers.

They are scored out of fold on the folds of the models: logistic regression and gradient boosting.
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
class BaselineMetrics:
    """Metrics of a baseline, with 95 % intervals.

    Attributes
    ----------
    auc
        Area under the ROC curve.
    balanced_accuracy
        At the share of positives in its training rows as the threshold.
    accuracy
        At a threshold of 0.5.
    """

    auc: Estimate
    balanced_accuracy: Estimate
    accuracy: Estimate


def cross_validate(
    classifier: str, features: pd.DataFrame, labels: Labels, folds: pd.DataFrame
) -> BaselineMetrics:
    """Fit a classifier on all folds but one, in turn, and compute metrics of its held-out scores.

    Parameters
    ----------
    classifier
        One of `CLASSIFIERS`.
    features
        A row for each of n pictures; text columns are categories.
    labels
        1 for ai, or for any other positive class; shape (n,).
    folds
        Columns `fold` and `group`, n rows; rows of fold -1 are left out.

    Examples
    --------
    The format gives the label away:

    >>> labels = np.arange(80) % 2
    >>> features = pd.DataFrame({"format": np.where(labels, "PNG", "JPEG")})
    >>> folds = pd.DataFrame({"fold": np.arange(80) // 2 % 4, "group": np.arange(80)})
    >>> cross_validate("logistic", features, labels, folds).auc.value
    1.0
    """
    fold = folds["fold"].to_numpy()
    scores, shares = out_of_fold(classifier, features, labels, folds)
    return _metrics(labels, scores, scores >= shares, folds, fold >= 0)


def out_of_fold(
    classifier: str, features: pd.DataFrame, labels: Labels, folds: pd.DataFrame
) -> tuple[Scores, Scores]:
    """Fit a classifier on all folds but one, in turn, and score the fold that was held out.

    Parameters
    ----------
    classifier, features, labels, folds
        As `cross_validate` takes them.

    Returns
    -------
    scores, shares
        Probability of the positive class, and its share in the rows that the classifier was fitted
        on; shape (n,), NaN in fold -1.
    """
    fold = folds["fold"].to_numpy()
    scores, shares = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    for number in np.unique(fold[fold >= 0]):
        held_out, rest = fold == number, (fold != number) & (fold >= 0)
        model = _fit(classifier, features[rest], labels[rest])
        scores[held_out] = model.predict_proba(features[held_out])[:, 1]
        shares[held_out] = labels[rest].mean()
    return scores, shares


def one_vs_rest_auc(features: pd.DataFrame, classes: pd.Series, folds: pd.DataFrame) -> Estimate:
    """Compute the mean one-against-rest AUC of gradient boosting over classes, out of fold.

    Where the other folds have a single class there is nothing to fit: the scores are equal.

    Parameters
    ----------
    features
        A row for each of n pictures; text columns are categories.
    classes
        Name of the class of each picture, of any number of classes; length n.
    folds
        Columns `fold` and `group`, n rows; rows of fold -1 are left out.
    """
    fold, names = folds["fold"].to_numpy(), sorted(classes.unique())
    scores = np.zeros((len(classes), len(names)))
    for number in np.unique(fold[fold >= 0]):
        held_out, rest = fold == number, (fold != number) & (fold >= 0)
        if classes[rest].nunique() == 1:
            continue
        model = _fit("boosting", features[rest], classes[rest].to_numpy())
        fitted = np.searchsorted(names, model.classes_)
        scores[np.ix_(held_out, fitted)] = model.predict_proba(features[held_out])
    used = fold >= 0
    is_class = [(classes == name).to_numpy()[used].astype(np.int64) for name in names]

    def mean(weights: Weights) -> Weights:
        pairs = zip(is_class, scores[used].T, strict=True)
        return np.mean([intervals.auc(*pair, weights) for pair in pairs], axis=0)

    return intervals.bootstrap(mean, folds.loc[used, "group"])


def rank_correlation(
    features: pd.DataFrame, target: NDArray[np.float64], folds: pd.DataFrame
) -> Estimate:
    """Compute Spearman's correlation of a target with its out-of-fold predictions by boosting.

    Parameters
    ----------
    features
        Numbers, a row for each of n pictures.
    target
        What is predicted; shape (n,).
    folds
        Columns `fold` and `group`, n rows; rows of fold -1 are left out.
    """
    fold = folds["fold"].to_numpy()
    predictions = np.empty(len(target))
    for number in np.unique(fold[fold >= 0]):
        held_out, rest = fold == number, (fold != number) & (fold >= 0)
        model = HistGradientBoostingRegressor(random_state=0, early_stopping=False)
        model.fit(features[rest], target[rest])
        predictions[held_out] = model.predict(features[held_out])
    used = fold >= 0
    ranks = rankdata(target[used]), rankdata(predictions[used])
    return intervals.bootstrap(partial(intervals.correlation, *ranks), folds.loc[used, "group"])


def evaluate_on_test(
    classifier: str, features: pd.DataFrame, labels: Labels, folds: pd.DataFrame
) -> BaselineMetrics:
    """Fit a classifier on the rows of all folds, and compute its metrics on the rows of fold -1.

    Parameters
    ----------
    classifier, features, labels, folds
        As `cross_validate` takes them.
    """
    test = folds["fold"].to_numpy() < 0
    model = _fit(classifier, features[~test], labels[~test])
    scores = model.predict_proba(features)[:, 1]
    above_share = scores >= labels[~test].mean()
    return _metrics(labels, scores, above_share, folds, test)


def _metrics(
    labels: Labels,
    scores: Scores,
    above_share: NDArray[np.bool_],
    folds: pd.DataFrame,
    mask: NDArray[np.bool_],
) -> BaselineMetrics:
    """Compute metrics of the rows in `mask`, balanced accuracy by the decisions `above_share`."""
    labels, scores, above_share = labels[mask], scores[mask], above_share[mask]
    groups = folds.loc[mask, "group"]
    balanced_accuracy = partial(intervals.balanced_accuracy, labels, above_share)
    accuracy = partial(intervals.accuracy, labels, scores >= THRESHOLD)
    return BaselineMetrics(
        auc=intervals.of_auc(labels, scores, groups),
        balanced_accuracy=intervals.bootstrap(balanced_accuracy, groups),
        accuracy=intervals.bootstrap(accuracy, groups),
    )


def _fit(classifier: str, features: pd.DataFrame, labels: Labels) -> Pipeline:
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
