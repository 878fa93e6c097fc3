"""MLflow's pages over the project's runs, for this machine only."""

import os
import sys

from realart import record, store


def serve(port: int) -> None:
    """Replace this process by MLflow's server on loopback; the address is printed.

    Raises
    ------
    RealartError
        The store can't be opened.
    """
    store.connect()
    record.catch_up()
    print(f"MLflow: http://127.0.0.1:{port}", flush=True)
    server = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store.address()]
    os.execv(sys.executable, [*server, "--host", "127.0.0.1", "--port", str(port)])
