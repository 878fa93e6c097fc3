"""Classifiers score as scikit-learn's do, and are fitted on nothing but their rows."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.svm import SVC

from realart.core.errors import RealartError
from realart.metrics import calibration
from realart.models import classifiers, standardisation
from realart.models.classifiers import FittedClassifier, TrainingRows, svm
from realart.params import ClassifierParams

GRIDS: dict[str, dict[str, list[float]]] = {
    "svm": {"C": [1.0, 5.0], "gamma": [0.5, 1.0]},
    "logistic": {"C": [0.1, 10.0]},
    "boosting": {"max_iter": [20], "max_leaf_nodes": [4], "learning_rate": [0.1, 0.2]},
}
WIDTHS = [3, 9]


def rows(count: int = 120, seed: int = 0) -> TrainingRows:
    """Draw vectors of two descriptors; a feature of each depends on the class."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, count)
    vectors = generator.normal(size=(count, 12)) * np.logspace(-2, 2, 12) + 5
    vectors[:, 1] += labels * vectors[:, 1].std()
    vectors[:, 7] += (2 * labels - 1) * np.abs(vectors[:, 7] - 5)
    return TrainingRows(
        vectors=vectors.astype(np.float32),
        labels=labels,
        weights=generator.uniform(0.5, 2, count).astype(np.float32),
        groups=np.arange(count) // 2,
        published=np.arange(count) % 5 > 0,
    )


def scaled(vectors: np.ndarray, train: TrainingRows) -> np.ndarray:
    """Standardise as documented, computed independently."""
    mean, spread = train.vectors.mean(0), train.vectors.std(0)
    standard = np.clip(
        (vectors - mean) / spread, -standardisation.MAX_DEVIATION, standardisation.MAX_DEVIATION
    )
    standard[:, :3] /= np.sqrt(2 * 3)
    standard[:, 3:] /= np.sqrt(2 * 9)
    return standard


def scikit_learn_model(name: str, record: dict[str, float]) -> object:
    chosen = {key: record[key] for key in GRIDS[name]}
    if name == "svm":
        return SVC(**chosen)
    if name == "logistic":
        return LogisticRegression(**chosen, max_iter=10_000, tol=1e-8)
    return HistGradientBoostingClassifier(**chosen, early_stopping=False, random_state=0)


@pytest.mark.parametrize("name", list(GRIDS))
def test_decisions_are_those_of_scikit_learn(name: str) -> None:
    train, new = rows(), rows(50, seed=1)
    fitted, record = classifiers.fit(
        ClassifierParams(name=name, grid=GRIDS[name]), train, WIDTHS, 0
    )
    model = scikit_learn_model(name, record)
    model.fit(scaled(train.vectors, train), train.labels, train.weights)  # type: ignore[attr-defined]
    decisions = model.decision_function(scaled(new.vectors, train))  # type: ignore[attr-defined]
    slope, offset = fitted.arrays["calibration"]
    expected = expit(slope * decisions + offset)
    np.testing.assert_allclose(fitted.scores(new.vectors), expected, atol=2e-3)
    assert slope > 0
    assert roc_auc_score(new.labels, fitted.scores(new.vectors)) > 0.75


@pytest.mark.parametrize("name", list(GRIDS))
def test_a_classifier_is_saved_without_pickle(name: str, tmp_path: Path) -> None:
    train = rows()
    for file in ("first.npz", "second.npz"):
        fitted, _ = classifiers.fit(ClassifierParams(name=name, grid=GRIDS[name]), train, WIDTHS, 0)
        fitted.save(tmp_path / file)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    loaded = FittedClassifier.load(tmp_path / "first.npz")
    np.testing.assert_array_equal(loaded.scores(train.vectors), fitted.scores(train.vectors))


def test_the_hyperparameters_with_the_lowest_inner_loss_are_chosen() -> None:
    """The inner losses are those of grids with a single value each."""
    train = rows()
    losses = {
        c: classifiers.fit(ClassifierParams(name="svm", grid={"C": [c]}), train, WIDTHS, 0)[1][
            "val_loss"
        ]
        for c in (0.001, 1.0, 1000.0)
    }
    _, record = classifiers.fit(
        ClassifierParams(name="svm", grid={"C": [*losses]}), train, WIDTHS, 0
    )
    assert record["C"] == min(losses, key=lambda c: losses[c])
    assert record["val_loss"] == min(losses.values())


def test_copies_are_fitted_on_but_not_scored() -> None:
    """Copies with wrong labels change the classifier; inner metrics are of published rows."""
    train = rows()
    wrong = train.labels.copy()
    wrong[~train.published] ^= 1
    noisy = TrainingRows(train.vectors, wrong, train.weights, train.groups, train.published)
    params = ClassifierParams(name="logistic", grid={"C": [1.0]})
    clean_classifier, clean_record = classifiers.fit(params, train, WIDTHS, 0)
    noisy_classifier, noisy_record = classifiers.fit(params, noisy, WIDTHS, 0)
    scores = clean_classifier.scores(train.vectors), noisy_classifier.scores(train.vectors)
    assert not np.allclose(*scores)
    assert noisy_record["val_accuracy"] > 0.6
    assert noisy_record["accuracy"] < clean_record["accuracy"]


def test_groups_are_not_divided_between_inner_folds() -> None:
    """Each row stands ten times in its group: divided, held-out rows would have been fitted on."""
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(40, 12)).repeat(10, 0).astype(np.float32)
    labels = generator.integers(0, 2, 40).repeat(10)
    noise = TrainingRows(
        vectors, labels, np.ones(400, np.float32), np.arange(400) // 10, np.ones(400, np.bool_)
    )
    fitted, record = classifiers.fit(
        ClassifierParams(name="svm", grid={"C": [100.0]}), noise, WIDTHS, 0
    )
    assert roc_auc_score(labels, fitted.scores(vectors)) == 1
    assert record["val_accuracy"] < 0.7


def test_probabilities_are_calibrated() -> None:
    """On new rows the loss is close to that of the best sigmoid of the same decisions."""
    fitted, _ = classifiers.fit(
        ClassifierParams(name="svm", grid={"C": [1000.0]}), rows(400), WIDTHS, 0
    )
    new = rows(2000, seed=2)
    scores = fitted.scores(new.vectors)
    logits = np.log(scores / (1 - scores))[:, None]
    best = LogisticRegression(C=1e6).fit(logits, new.labels).predict_proba(logits)[:, 1]
    assert log_loss(new.labels, scores) < log_loss(new.labels, best) + 0.03


def test_too_many_rows_for_an_svm_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm, "MAX_ROWS", 100)
    with pytest.raises(RealartError, match=r"all pairs of 120 rows.*head\.name to logistic"):
        classifiers.fit(ClassifierParams(name="svm", grid={"C": [1.0]}), rows(), WIDTHS, 0)


def test_a_constant_feature_is_left_out() -> None:
    train = rows(3000)
    train.vectors[:, 4] = 5.3  # whose float32 sums are not exact
    fitted, _ = classifiers.fit(
        ClassifierParams(name="logistic", grid={"C": [1.0]}), train, WIDTHS, 0
    )
    other = train.vectors.copy()
    other[:, 4] = 5.4
    np.testing.assert_array_equal(fitted.scores(other), fitted.scores(train.vectors))


@pytest.mark.parametrize("name", ["svm", "logistic"])
def test_classes_of_equal_weight_are_predicted_equally_often(name: str) -> None:
    """Probabilities are calibrated to the weights of the classes, as those of networks are."""
    train = rows(800)
    rare = (train.labels == 0) | (np.arange(800) % 8 == 0)
    unbalanced = {
        key: value[rare]
        for key, value in vars(train).items()
        if key not in ("weights", "published")
    }
    counts = np.bincount(unbalanced["labels"])
    recalls = []
    for weights in (np.ones(rare.sum()), (counts.sum() / counts)[unbalanced["labels"]]):
        weighted = TrainingRows(
            **unbalanced, weights=weights.astype(np.float32), published=np.ones_like(rare[rare])
        )
        fitted, _ = classifiers.fit(
            ClassifierParams(name=name, grid={"C": [1.0]}), weighted, WIDTHS, 0
        )
        new = rows(1000, seed=3)
        recalls.append((fitted.scores(new.vectors)[new.labels == 1] >= 0.5).mean())
    assert recalls[0] < 0.6 < recalls[1]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_uninformative_decision_values_become_the_share_of_ai(share: float) -> None:
    """Whichever sign their correlation with the labels has by chance."""
    generator = np.random.default_rng(0)
    for _ in range(8):
        labels = (generator.random(300) < share).astype(np.int64)
        values = generator.normal(-1, 0.01, 300)
        slope, offset = calibration.platt(labels, values, np.ones(300))
        assert slope > 0
        assert expit(slope * values + offset).mean() == pytest.approx(labels.mean(), abs=0.02)


@pytest.mark.parametrize(
    ("count", "grid", "message"),
    [
        (120, {"C": [-1.0]}, "scikit-learn refuses {'C': -1.0}: The 'C' parameter"),
        (8, {"C": [1.0]}, "chosen on 5 inner folds, but a class has only"),
    ],
)
def test_a_refusal_is_one_line(count: int, grid: dict[str, list[float]], message: str) -> None:
    with pytest.raises(RealartError) as caught:
        classifiers.fit(ClassifierParams(name="svm", grid=grid), rows(count), WIDTHS, 0)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_outliers_are_clipped() -> None:
    train = rows()
    fitted, _ = classifiers.fit(
        ClassifierParams(name="logistic", grid={"C": [1.0]}), train, WIDTHS, 0
    )
    far = train.vectors[:2].copy()
    far[:, 0] = (1e6, 1e12)
    scores = fitted.scores(far)
    expected = train.vectors[:2].copy()
    expected[:, 0] = train.vectors[:, 0].mean() + 10 * train.vectors[:, 0].std()
    np.testing.assert_allclose(scores, fitted.scores(expected), rtol=1e-4)


def test_a_classifier_that_diverges_names_its_hyperparameters() -> None:
    """As boosting by steps whose sum is infinite."""
    params = ClassifierParams(name="boosting", grid={"learning_rate": [1.7e308]})
    with pytest.raises(RealartError, match=r"with {'learning_rate': 1\.7e\+308} are not finite"):
        classifiers.fit(params, rows(), WIDTHS, 0)
