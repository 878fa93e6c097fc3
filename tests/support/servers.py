"""A team's servers on loopback: MLflow's, which knows its users, on PostgreSQL."""

import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from loopback import free_port
from networks import clean_environment
from small_disk import Disk

USER, PASSWORD = "admin", "correct horse battery"
OF_DATABASE = "password of the database"
USERS = """[mlflow]
default_permission = EDIT
database_uri = sqlite:///{}/users.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""
"""As docs/team.md has it: each request would otherwise take a tenth of a second of hashing."""
CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 "
    "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
)
SECONDS = 120


@dataclass
class Server:
    """MLflow's tracking server over TLS, with artifacts; it may be killed and started again.

    On a disk of its own, `folder` is where that sees it.
    """

    folder: Path
    database: str
    port: int
    disk: Disk | None = None
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def access(self) -> dict[str, str]:
        """Return the environment of somebody who uses it."""
        return {
            "MLFLOW_TRACKING_URI": self.address,
            "MLFLOW_TRACKING_USERNAME": USER,
            "MLFLOW_TRACKING_PASSWORD": PASSWORD,
            "MLFLOW_TRACKING_SERVER_CERT_PATH": str(self._outside / "cert.pem"),
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "--app-name": "basic-auth",
            "--artifacts-destination": str(self.folder / "artifacts"),
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--workers": "1",
            "--uvicorn-opts": "--ssl-keyfile key.pem --ssl-certfile cert.pem",
        }
        self._make_files()
        secrets = {
            "MLFLOW_BACKEND_STORE_URI": self.database,
            "MLFLOW_AUTH_CONFIG_PATH": str(self.folder / "users.ini"),
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "secret of the server",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # eight processes, of no use to us
        }
        words = [word for option in options.items() for word in option]
        command = [sys.executable, "-m", "mlflow", "server", *words]
        with (self._outside / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.disk.entering("", *command) if self.disk else command,
                cwd=None if self.disk else self.folder,
                env=clean_environment(HOME=str(self.folder), **secrets),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + SECONDS
        while not self._answers():
            assert self.process
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill it with all its processes."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def _outside(self) -> Path:
        return self.disk.outside if self.disk else self.folder

    def _make_files(self) -> None:
        (self._outside / "users.ini").write_text(USERS.format(self.folder))
        if not (self._outside / "cert.pem").exists():
            subprocess.run(CERTIFICATE.split(), cwd=self._outside, check=True, capture_output=True)

    def _answers(self) -> bool:
        anybody = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5, context=anybody):
                return True
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def mlflow_server(folder: Path, database: str, disk: Disk | None = None) -> Iterator[Server]:
    """Run a server that keeps its runs in a database, and artifacts and users in `folder`."""
    server = Server(folder, database, free_port(), disk)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL, which keeps its data in an empty folder; yield the address of a database.

    The test is skipped where it is not installed.
    """
    programs, port = _programs(), free_port()
    as_owner = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    (folder / "password").write_text(OF_DATABASE)
    data = ["-D", str(folder / "data")]
    subprocess.run(
        [*as_owner, programs / "initdb", *data, "--username=mlflow", "--auth=scram-sha-256",
         f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--no-sync"],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    own = ["-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*as_owner, programs / "postgres", *data, *own], stderr=log)
    try:
        until = time.monotonic() + SECONDS
        while "ready to accept" not in (folder / "log").read_text():
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        yield f"postgresql+psycopg://mlflow:{quote(OF_DATABASE)}@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a new folder that other users may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path())]
    for place in places:
        if (place / "initdb").exists():
            return place
    pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
