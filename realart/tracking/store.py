"""The MLflow store: where it is, what it is asked through, and how it says that it can't be used.

Without `MLFLOW_TRACKING_URI`, runs go to an SQLite store in the project's main folder, whichever
copy of the project a run was started in.
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # at each run's end
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # three files a run
logging.getLogger("mlflow").setLevel(logging.WARNING)  # how it makes tables is no news

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.store.db.db_types import DATABASE_ENGINES
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from realart.core.errors import FULL, RealartError
from realart.core.outputs import fresh_file
from realart.core.project import private, root

ADDRESS = "MLFLOW_TRACKING_URI"
HANGING = 30
"""Seconds after which a server that does not answer is given up."""

os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", f"{HANGING}")


class StoreUnavailableError(RealartError):
    """The store can't be reached or opened, is full, or does not let us in."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"MLflow at {named()} can't be used ({reason}): start it, or unset MLFLOW_TRACKING_URI "
            "to use the project's own store; one that is damaged can be moved away"
        )


def address() -> str:
    """Return the tracking URI: `MLFLOW_TRACKING_URI`, or the project's own store."""
    return os.environ.get(ADDRESS) or f"sqlite:///{_own()}"


def named() -> str:
    """Return the address as it may be shown: without user, password and options."""
    scheme, there, rest = address().partition("://")
    if not there or scheme.startswith("sqlite"):
        return address()
    user, _, place = rest.rpartition("@")
    if "?" in user:  # in a password, or before one: who knows where it ends?
        return f"{scheme}://..."
    return f"{scheme}://{place.partition('?')[0]}"


def connect() -> MlflowClient:
    """Return a client of the store, which is created if there is none yet.

    Raises
    ------
    UnusableError
        The store can't be used.
    """
    with used():
        _make_own_store()
        client = MlflowClient(address())
        client.search_experiments(max_results=1)
    return client


@contextmanager
def used() -> Iterator[None]:
    """Turn what a store raises at any call, once it can't be used, into `StoreUnavailableError`."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, RequestException) as error:
        raise StoreUnavailableError(_reason(error)) from error
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise StoreUnavailableError(_reason(error)) from error


def experiment(client: MlflowClient, dataset: str) -> str:
    """Return the id of the experiment that holds all runs on one dataset.

    Raises
    ------
    RealartError
        It was deleted.
    """
    name = f"realart-{dataset}"
    found = client.get_experiment_by_name(name)
    if not found:
        # A server knows where its artifacts lie; for a database, MLflow would take any folder that
        # a process happens to work in.
        kind = re.split(r"[+:]", address())[0]
        artifacts = (root() / "mlruns/artifacts").as_uri() if kind in DATABASE_ENGINES else None
        with unless_made():
            client.create_experiment(name, artifacts)
        found = client.get_experiment_by_name(name)
        assert found
    if found.lifecycle_stage == "deleted":
        raise RealartError(
            f"MLflow's experiment '{name}' was deleted: bring it back with `mlflow experiments "
            f"restore -x {found.experiment_id}`, or remove it for good with `mlflow gc`"
        )
    return str(found.experiment_id)


@contextmanager
def unless_made() -> Iterator[None]:
    """Let the block make what another process or machine may be making at the same time."""
    try:
        yield
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def _reason(error: BaseException) -> str:
    """Return what was at the bottom of an error, in one line."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    lines = str(error).splitlines() or [type(error).__name__]
    said = lines[0].replace(address(), named())
    return re.sub(r"//\S*@", "//", said)


def _own() -> Path:
    return root() / "mlruns/mlflow.db"


def _make_own_store() -> None:
    """Make the project's store beside its place: one that was half made could never be used.

    Two processes that make the same SQLite store at once would break it for good.
    """
    store = _own()
    if address() == f"sqlite:///{store}" and not store.exists():
        private().mkdir(parents=True, exist_ok=True)
        with FileLock(private() / "mlflow.lock"):
            if not store.exists():
                with fresh_file(store) as beside:
                    MlflowClient(f"sqlite:///{beside}").search_experiments(max_results=1)
