"""Heads score as scikit-learn's own classifiers do, and learn from nothing but their rows."""

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
from realart.models import classifiers
from realart.models.classifiers import FittedClassifier, TrainingRows, svm
from realart.params import ClassifierParams

GRIDS: dict[str, dict[str, list[float]]] = {
    "svm": {"C": [1.0, 5.0], "gamma": [0.5, 1.0]},
    "logistic": {"C": [0.1, 10.0]},
    "boosting": {"max_iter": [20], "max_leaf_nodes": [4], "learning_rate": [0.1, 0.2]},
}
WIDTHS = [3, 9]


def rows(count: int = 120, seed: int = 0) -> TrainingRows:
    """Make vectors of two descriptors; one number of each class is larger on average."""
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


def scaled(vectors: np.ndarray, learnt: TrainingRows) -> np.ndarray:
    """Standardise as documented, by another way."""
    mean, spread = learnt.vectors.mean(0), learnt.vectors.std(0)
    standard = np.clip(
        (vectors - mean) / spread, -classifiers.MAX_DEVIATION, classifiers.MAX_DEVIATION
    )
    standard[:, :3] /= np.sqrt(2 * 3)
    standard[:, 3:] /= np.sqrt(2 * 9)
    return standard


def scikit(name: str, record: dict[str, float]) -> object:
    chosen = {key: record[key] for key in GRIDS[name]}
    if name == "svm":
        return SVC(**chosen)
    if name == "logistic":
        return LogisticRegression(**chosen, max_iter=10_000, tol=1e-8)
    return HistGradientBoostingClassifier(**chosen, early_stopping=False, random_state=0)


@pytest.mark.parametrize("name", list(GRIDS))
def test_decisions_are_those_of_scikit_learn(name: str) -> None:
    learnt, new = rows(), rows(50, seed=1)
    fitted, record = classifiers.fit(
        ClassifierParams(name=name, grid=GRIDS[name]), learnt, WIDTHS, 0
    )
    model = scikit(name, record)
    model.fit(scaled(learnt.vectors, learnt), learnt.labels, learnt.weights)  # type: ignore[attr-defined]
    decisions = model.decision_function(scaled(new.vectors, learnt))  # type: ignore[attr-defined]
    slope, offset = fitted.arrays["calibration"]
    expected = expit(slope * decisions + offset)
    np.testing.assert_allclose(fitted.scores(new.vectors), expected, atol=2e-3)
    assert slope > 0
    assert roc_auc_score(new.labels, fitted.scores(new.vectors)) > 0.75


@pytest.mark.parametrize("name", list(GRIDS))
def test_a_head_outlives_a_file_without_pickle(name: str, tmp_path: Path) -> None:
    learnt = rows()
    for file in ("one.npz", "same.npz"):
        fitted, _ = classifiers.fit(
            ClassifierParams(name=name, grid=GRIDS[name]), learnt, WIDTHS, 0
        )
        fitted.save(tmp_path / file)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "same.npz").read_bytes()
    loaded = FittedClassifier.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(loaded.scores(learnt.vectors), fitted.scores(learnt.vectors))


def test_the_hyperparameters_with_the_lowest_inner_loss_are_chosen() -> None:
    """Each alone shows its inner loss; together the best of them wins."""
    learnt = rows()
    alone = {
        c: classifiers.fit(ClassifierParams(name="svm", grid={"C": [c]}), learnt, WIDTHS, 0)[1][
            "val_loss"
        ]
        for c in (0.001, 1.0, 1000.0)
    }
    _, record = classifiers.fit(
        ClassifierParams(name="svm", grid={"C": [*alone]}), learnt, WIDTHS, 0
    )
    assert record["C"] == min(alone, key=lambda c: alone[c])
    assert record["val_loss"] == min(alone.values())


def test_copies_teach_but_do_not_judge() -> None:
    """Copies under the wrong label change what is fitted; inner figures are of published rows."""
    learnt = rows()
    wrong = learnt.labels.copy()
    wrong[~learnt.published] ^= 1
    spoiled = TrainingRows(learnt.vectors, wrong, learnt.weights, learnt.groups, learnt.published)
    head = ClassifierParams(name="logistic", grid={"C": [1.0]})
    (clean, record), (other, spoilt) = (
        classifiers.fit(head, one, WIDTHS, 0) for one in (learnt, spoiled)
    )
    assert not np.allclose(clean.scores(learnt.vectors), other.scores(learnt.vectors))
    assert spoilt["val_accuracy"] > 0.6
    assert spoilt["accuracy"] < record["accuracy"]


def test_groups_are_not_divided_between_inner_folds() -> None:
    """Rows that come ten times would be learnt by heart, if others of their group were held out."""
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
    with pytest.raises(RealartError, match=r"each of 120 rows .*head\.name to logistic"):
        classifiers.fit(ClassifierParams(name="svm", grid={"C": [1.0]}), rows(), WIDTHS, 0)


def test_a_number_without_spread_says_nothing() -> None:
    learnt = rows(3000)
    learnt.vectors[:, 4] = 5.3  # whose float32 sums are not exact
    fitted, _ = classifiers.fit(
        ClassifierParams(name="logistic", grid={"C": [1.0]}), learnt, WIDTHS, 0
    )
    other = learnt.vectors.copy()
    other[:, 4] = 5.4
    np.testing.assert_array_equal(fitted.scores(other), fitted.scores(learnt.vectors))


@pytest.mark.parametrize("name", ["svm", "logistic"])
def test_classes_that_weigh_the_same_are_called_as_often(name: str) -> None:
    """Probabilities are calibrated to what the classes weigh, as those of networks are."""
    learnt = rows(800)
    rare = (learnt.labels == 0) | (np.arange(800) % 8 == 0)
    kept = {
        key: value[rare]
        for key, value in vars(learnt).items()
        if key not in ("weights", "published")
    }
    counts = np.bincount(kept["labels"])
    called = []
    for weights in (np.ones(rare.sum()), (counts.sum() / counts)[kept["labels"]]):
        some = TrainingRows(
            **kept, weights=weights.astype(np.float32), published=np.ones_like(rare[rare])
        )
        fitted, _ = classifiers.fit(ClassifierParams(name=name, grid={"C": [1.0]}), some, WIDTHS, 0)
        new = rows(1000, seed=3)
        called.append((fitted.scores(new.vectors)[new.labels == 1] >= 0.5).mean())
    assert called[0] < 0.6 < called[1]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_head_that_knows_nothing_says_the_share(share: float) -> None:
    """Whichever way chance turned its decisions."""
    generator = np.random.default_rng(0)
    for _ in range(8):
        labels = (generator.random(300) < share).astype(np.int64)
        said = generator.normal(-1, 0.01, 300)
        slope, offset = calibration.platt(labels, said, np.ones(300))
        assert slope > 0
        assert expit(slope * said + offset).mean() == pytest.approx(labels.mean(), abs=0.02)


@pytest.mark.parametrize(
    ("count", "grid", "said"),
    [
        (120, {"C": [-1.0]}, "scikit-learn refuses the head with {'C': -1.0}: The 'C' parameter"),
        (8, {"C": [1.0]}, "chosen on 5 inner folds, but of a class there are only"),
    ],
)
def test_what_scikit_learn_refuses_is_one_line(
    count: int, grid: dict[str, list[float]], said: str
) -> None:
    with pytest.raises(RealartError) as caught:
        classifiers.fit(ClassifierParams(name="svm", grid=grid), rows(count), WIDTHS, 0)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_number_far_off_does_not_decide() -> None:
    learnt = rows()
    fitted, _ = classifiers.fit(
        ClassifierParams(name="logistic", grid={"C": [1.0]}), learnt, WIDTHS, 0
    )
    far = learnt.vectors[:2].copy()
    far[:, 0] = (1e6, 1e12)
    one, other = fitted.scores(far)
    expected = learnt.vectors[:2].copy()
    expected[:, 0] = learnt.vectors[:, 0].mean() + 10 * learnt.vectors[:, 0].std()
    np.testing.assert_allclose([one, other], fitted.scores(expected), rtol=1e-4)
