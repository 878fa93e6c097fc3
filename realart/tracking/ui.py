"""MLflow's pages over the runs of the project's own store."""

import os
import sys

from realart.core.errors import RealartError
from realart.tracking import run_log, store


def serve(host: str, port: int) -> None:
    """Replace this process by MLflow's server at an address of this machine, which is printed.

    Raises
    ------
    RealartError
        The store can't be opened, or is a server with pages of its own.
    """
    if store.address().startswith("http"):
        raise RealartError(
            f"runs go to the server at {store.named()}: open its pages in a browser, or unset "
            "MLFLOW_TRACKING_URI to see the project's own store"
        )
    store.connect()
    with store.used():
        run_log.catch_up()
    print(f"MLflow: http://{host}:{port}", flush=True)
    os.environ["MLFLOW_BACKEND_STORE_URI"] = store.address()  # not for the list of processes
    server = [sys.executable, "-m", "mlflow", "ui", "--host", host, "--port", str(port)]
    os.execv(sys.executable, server)
