"""Evaluations in a real SQLite store: each in the run of its training, or in one of its own."""

import pytest
from mlflow import MlflowClient
from tracked_training import (
    FOLDS,
    RESULTS,
    all_runs,
    assert_complete,
    log_evaluation,
    log_training,
)

from realart.params import Params
from realart.tracking import evaluation_runs, training_runs

pytestmark = pytest.mark.slow


def test_an_evaluation_belongs_to_the_run_that_was_trained(
    client: MlflowClient, params: Params
) -> None:
    parent = log_training(client, params, "mine", "outcome")
    log_training(client, params, "another", "other outcome")
    assert log_evaluation(client, params, "outcome") == parent
    run = client.get_run(parent)
    assert run.data.metrics["test/accuracy"] == 0.5
    assert not any(name.startswith("test/confusion") for name in run.data.metrics)
    assert len(all_runs(client, params)) == 2 * (1 + FOLDS)


def test_each_further_evaluation_is_a_complete_run_of_its_own(
    client: MlflowClient, params: Params
) -> None:
    parents = [log_training(client, params, "mine", "outcome")]
    for _ in range(3):
        parents.append(log_evaluation(client, params, "outcome"))
    assert parents[0] == parents[1]
    assert len(set(parents)) == 3
    for parent in set(parents):
        assert_complete(client, params, parent)
        assert client.get_run(parent).data.metrics["test/accuracy"] == 0.5


def test_an_evaluation_by_other_params_is_a_run_of_its_own(
    client: MlflowClient, params: Params
) -> None:
    """As of an experiment whose training DVC restored from its cache."""
    parent = log_training(client, params, "mine", "outcome")
    evaluate = params.evaluate.model_copy(update={"reencode": 50})
    other = log_evaluation(client, params.model_copy(update={"evaluate": evaluate}), "outcome")
    assert other != parent
    assert client.get_run(other).data.params["evaluate.reencode"] == "50"
    assert_complete(client, params, other)
    assert log_evaluation(client, params, "outcome") == parent


def test_an_evaluation_that_is_logged_again_stays_where_it_is(
    client: MlflowClient, params: Params
) -> None:
    """As of one that is kept, by a `realart send` that was killed before it took it away."""
    parent = log_training(client, params, "mine", "outcome")
    for _ in range(2):
        assert log_evaluation(client, params, "outcome", "kept") == parent
    other = log_evaluation(client, params, "outcome", "kept later")
    assert other != parent
    assert log_evaluation(client, params, "outcome", "kept later") == other
    assert len(all_runs(client, params)) == 2 * (1 + FOLDS)


def test_an_evaluation_that_failed_is_logged_in_its_run(
    client: MlflowClient, params: Params
) -> None:
    record = training_runs.training_record(params, "data", id="one")
    with (
        pytest.raises(OSError, match="disk full"),
        evaluation_runs.evaluation_run(client, record, "outcome", RESULTS) as first,
    ):
        raise OSError("disk full")
    assert log_evaluation(client, params, "outcome") == first
    assert_complete(client, params, first)
