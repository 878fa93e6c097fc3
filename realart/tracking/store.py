"""The MLflow store: where it is, how to connect to it, and what its errors become.

Without `MLFLOW_TRACKING_URI`, runs go to an SQLite store in the project's main folder, whichever
copy of the project a run was started in.
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # at each run's end
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # where there is no git
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # three files a run
logging.getLogger("mlflow").setLevel(logging.WARNING)  # how it makes tables is no news
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # what it raises, with traces

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.store.db.utils import create_sqlalchemy_engine
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from realart.core import addresses
from realart.core.errors import ADVICE, FULL, RealartError
from realart.core.outputs import fresh_file
from realart.core.project import private, root
from realart.tracking import pages

URI_VARIABLE = "MLFLOW_TRACKING_URI"
CONNECT_SECONDS = 10
"""Within which a server or database must answer first, or it can't be used."""
REQUEST_SECONDS = 30
"""Timeout of a request to a server."""

os.environ.setdefault("PGCONNECT_TIMEOUT", f"{CONNECT_SECONDS}")  # PostgreSQL waits for minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", f"{REQUEST_SECONDS}")


class StoreUnavailableError(RealartError):
    """The store can't be reached or opened, is full, or denies access.

    Its message and its `reason` never hold a password.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"MLflow at {redacted_uri()} can't be used ({reason}): start it, or unset "
            f"{URI_VARIABLE} to use the project's own store; one that is damaged can be moved away"
        )


def tracking_uri() -> str:
    """Return `MLFLOW_TRACKING_URI`, or the URI of the project's own store if that is not set."""
    return os.environ.get(URI_VARIABLE) or _sqlite_uri(_own_database())


def redacted_uri() -> str:
    """Return the tracking URI without user, password and options, to be shown in messages."""
    return addresses.redact(tracking_uri())


def connect() -> MlflowClient:
    """Return a client of the store; the project's own store is created if there is none yet.

    Raises
    ------
    StoreUnavailableError
        The store can't be used.
    """
    with translated_errors():
        _create_own_database()
        _require_answer(tracking_uri())
        client = MlflowClient(tracking_uri())
        client.search_experiments(max_results=1)
    return client


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the errors that MLflow raises when its store can't be used into one.

    Raises
    ------
    StoreUnavailableError
        The block raised an error of MLflow, of its database or of a request, needs a driver that
        is not installed, or met a disk that is full or can't be written.
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError, RequestException, ModuleNotFoundError) as error:
        raise StoreUnavailableError(_root_cause(error)) from error
    except OSError as error:
        if error.errno not in FULL | ADVICE:
            raise
        raise StoreUnavailableError(_root_cause(error)) from error


def experiment_id(client: MlflowClient, dataset: str) -> str:
    """Return the id of the experiment that holds all runs on one dataset; create it if absent.

    Raises
    ------
    RealartError
        The experiment was deleted.
    """
    name = f"realart-{dataset}"
    experiment = client.get_experiment_by_name(name)
    if not experiment:
        # A server knows where its artifacts lie; for a database, MLflow would take any folder that
        # a process happens to work in.
        in_database = _scheme(tracking_uri()) in DATABASE_ENGINES
        artifacts = (root() / "mlruns/artifacts").as_uri() if in_database else None
        with ignored_if_exists():
            client.create_experiment(name, artifacts)
        experiment = client.get_experiment_by_name(name)
        assert experiment
    if experiment.lifecycle_stage == "deleted":
        raise RealartError(
            f"MLflow's experiment '{name}' was deleted: bring it back with `mlflow experiments "
            f"restore -x {experiment.experiment_id}`, or remove it for good with `mlflow gc`"
        )
    for tag, value in pages.missing_tags(experiment.tags).items():
        client.set_experiment_tag(experiment.experiment_id, tag, value)
    return str(experiment.experiment_id)


@contextmanager
def ignored_if_exists() -> Iterator[None]:
    """Let the block create what another process or machine may create at the same time."""
    try:
        yield
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise


def _require_answer(uri: str) -> None:
    """Ask a server or database for any answer, once: MLflow asks nine times more, for minutes."""
    scheme = _scheme(uri)
    if scheme in DATABASE_ENGINES and scheme != "sqlite":  # whose folder MLflow creates
        engine = create_sqlalchemy_engine(uri)
        engine.connect().close()
        engine.dispose()
    elif scheme.startswith("http"):
        credentials = get_default_host_creds(uri)
        http_request(credentials, "/health", "GET", max_retries=0, timeout=CONNECT_SECONDS)


def _scheme(uri: str) -> str:
    """Return the first word of a URI: of a database, its engine without the driver."""
    return re.split(r"[+:]", uri)[0]


def _root_cause(error: BaseException) -> str:
    """Return the message of the first error of a chain: one line, without user and password."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    lines = str(error).splitlines() or [type(error).__name__]
    return addresses.redact_in(lines[0], tracking_uri())


def _own_database() -> Path:
    return root() / "mlruns/mlflow.db"


def _sqlite_uri(path: Path) -> str:
    """Return the URI of an SQLite file, in which SQLAlchemy reads `?` and `%41` unless quoted.

    With the driver's name in it, MLflow does not create the folder of a quoted path.
    """
    quoted = quote(str(path))
    return f"sqlite:///{path}" if quoted == str(path) else f"sqlite+pysqlite:///{quoted}"


def _create_own_database() -> None:
    """Create the project's store beside its place: one that was half made could never be used.

    Two processes that create the same SQLite store at once would break it for good.
    """
    database = _own_database()
    if tracking_uri() == _sqlite_uri(database) and not database.exists():
        private().mkdir(parents=True, exist_ok=True)
        with FileLock(private() / "mlflow.lock"):
            if not database.exists():
                with fresh_file(database) as beside:
                    MlflowClient(_sqlite_uri(beside)).search_experiments(max_results=1)
