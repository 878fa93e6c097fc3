"""MLflow's pages over the runs of the project's own store."""

import os
import sys

from realart.core.errors import RealartError
from realart.tracking import evaluation_runs, store


def serve(host: str, port: int) -> None:
    """Replace this process by MLflow's server at an address of this machine, which is printed.

    Raises
    ------
    RealartError
        The store can't be opened, or is a server with pages of its own.
    """
    if store.tracking_uri().startswith("http"):
        raise RealartError(
            f"runs go to the server at {store.redacted_uri()}: open its pages in a browser, or "
            f"unset {store.URI_VARIABLE} to see the project's own store"
        )
    store.connect()
    with store.translated_errors():
        evaluation_runs.catch_up()
    print(f"MLflow: http://{host}:{port}", flush=True)
    # In the environment, since an argument with a password would show in the list of processes.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = store.tracking_uri()
    # A page over runs needs none of MLflow's job runners, eight processes of 250 MB.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    server = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port)]
    os.execv(sys.executable, server)
