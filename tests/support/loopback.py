"""Servers on the loopback that speak what the real clients expect, and a way to run the stage.

The clients run unpatched in a process of their own: Kaggle's takes the server for its proxy, that
of Hugging Face for the hub. What a server is to do wrong is an attribute of it.
"""

import base64
import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from realart.core import yaml12

REPOSITORY = Path(__file__).parents[2]
CHUNK = 1 << 16  # sent and counted at once, so that little counts as served that nobody reads
NOTHING_LISTENS = "http://127.0.0.1:9"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a compressed zip archive, as publishers make them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def unzipped(path: Path) -> dict[str, bytes]:
    """Return the files of a zip archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def start(
    folder: Path, dataset: str, entry: dict[str, Any], **environment: str
) -> subprocess.Popen[str]:
    """Start the download stage in `folder`, on the real params.yaml with that entry changed.

    Of several datasets it is that of the first.
    """
    folder.mkdir(exist_ok=True, parents=True)
    params = yaml12.load((REPOSITORY / "params.yaml").read_text(), "params.yaml")
    params["dataset"] = dataset
    params["datasets"][dataset.split("+")[0]].update(entry)
    (folder / "params.yaml").write_text(yaml12.dump(params))
    always = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(
        [sys.executable, "-m", "stages.download"],
        cwd=folder,
        env={**always, "HOME": str(folder / "home"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def download(
    folder: Path, dataset: str, entry: dict[str, Any], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the download stage in `folder`, on the real params.yaml with that entry changed."""
    with start(folder, dataset, entry, **environment) as process:
        try:
            output = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, *output)


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """Return the error of a run that failed as users are meant to see it: in one line."""
    assert (result.returncode, result.stdout) == (2, ""), result
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("realart: ")
    assert len(lines[0]) < 500
    return lines[0]


class Server(ThreadingHTTPServer):
    """Counts the bytes it served and remembers the ranges that it was asked for."""

    daemon_threads = True

    def __init__(self, handler: type["Handler"]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, CHUNK)
        self.down = False
        self.cut_at: int | None = None
        self.cuts_only = False
        self.served = 0
        self.ranges: list[str] = []
        self.asked: list[str] = []
        self.agents: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was cut off is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def parse_request(self) -> bool:
        if self.server.down:
            self.close_connection = True
            return False
        return super().parse_request()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, content: Any, status: int = 200, **headers: str) -> None:
        self.answer(
            status, json.dumps(content).encode(), Content_Type="application/json", **headers
        )

    def answer_file(self, content: bytes, etag: str, **headers: str) -> None:
        """Send a file, or the range asked for if it is still the same; break off where told to."""
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range", etag) == etag:
            start = int(asked[1])
            self.server.ranges.append(asked[0])
            headers["Content_Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        self.send_response(206 if start else 200)
        headers = {
            "ETag": etag,
            "Accept_Ranges": "bytes",
            "Content_Length": str(len(body)),
        } | headers
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.server.cut_at is not None:
            body = body[: self.server.cut_at]
            self.server.down = not self.server.cuts_only
            self.close_connection = True
        for start in range(0, len(body), CHUNK):
            self.wfile.write(body[start : start + CHUNK])
            self.server.served += len(body[start : start + CHUNK])


class KaggleServer(Server):
    def __init__(self) -> None:
        super().__init__(KaggleHandler)
        self.token, self.user, self.key = "right-token", "me", "right-key"
        self.datasets: dict[str, bytes] = {}
        self.newest = 7
        self.status: int | None = None

    def environment(self, **credentials: str) -> dict[str, str]:
        proxy = {"HTTP_PROXY": self.address, "http_proxy": self.address}
        return {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", **proxy, **credentials}


class KaggleHandler(Handler):
    server: KaggleServer

    def do_HEAD(self) -> None:
        self.answer(404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = urlsplit(self.path).path.removeprefix("/api/v1/")
        self.server.asked.append(method)
        if method == "security.OAuthService/IntrospectToken":
            if body["token"] != self.server.token:
                return self.answer_json({"code": 403, "message": "no"}, 403)
            return self.answer_json({"active": True, "username": self.server.user})
        if not self._authorized():
            return self.answer_json({"code": 401, "message": "Unauthorized"}, 401)
        if self.server.status:
            return self.answer_json({"code": self.server.status}, self.server.status)
        if method == "datasets.DatasetApiService/GetDataset":
            return self.answer_json({"currentVersionNumber": self.server.newest})
        assert method == "datasets.DatasetApiService/DownloadDataset"
        version = body.get("datasetVersionNumber") or self.server.newest
        name = f"{body['ownerSlug']}/{body['datasetSlug']}/{version}"
        if name not in self.server.datasets:
            return self.answer_json({"code": 404, "message": "not found"}, 404)
        return self.answer(302, Location=f"http://storage.local/{name}?X-Signature=SECRET")

    def do_GET(self) -> None:
        content = self.server.datasets[urlsplit(self.path).path.strip("/")]
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        self.answer_file(content, etag, Last_Modified="Sat, 01 Feb 2025 10:00:00 GMT")

    def _authorized(self) -> bool:
        basic = base64.b64encode(f"{self.server.user}:{self.server.key}".encode()).decode()
        right = {f"Bearer {self.server.token}", f"Basic {basic}"}
        return self.headers.get("Authorization") in right


class HubServer(Server):
    """One dataset or model, of which `main` is the only revision."""

    commit = "0123456789abcdef0123456789abcdef01234567"

    def __init__(self, kind: str = "dataset") -> None:
        super().__init__(HubHandler)
        self.prefix = "/datasets" if kind == "dataset" else ""
        self.repository = "owner/art"
        self.files: dict[str, bytes] = {}
        self.damaged: set[str] = set()
        self.gated = False
        self.fail_at: str | None = None

    def environment(self, **more: str) -> dict[str, str]:
        return {"HF_ENDPOINT": self.address, **more}


class HubHandler(Handler):
    server: HubServer

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.agents.add(self.headers.get("User-Agent", ""))
        self.server.asked.append(f"{self.command} {path}")
        name = f"{self.server.prefix}/{self.server.repository}"
        if path.startswith(f"/api{name}"):
            return self._api(path.removeprefix(f"/api{name}"))
        found = re.fullmatch(rf"{name}/resolve/([^/]+)/(.+)", path)
        if not found:
            return self.answer_json({"error": "no"}, 404, X_Error_Code="RepoNotFound")
        if found[1] not in ("main", self.server.commit):
            return self.answer_json({"error": "no"}, 404, X_Error_Code="RevisionNotFound")
        if found[2] not in self.server.files:
            return self.answer_json({"error": "no"}, 404, X_Error_Code="EntryNotFound")
        return self._file(found[2])

    def _api(self, rest: str) -> None:
        if self.server.gated:
            return self.answer_json({"error": "gated"}, 403, X_Error_Code="GatedRepo")
        if rest in ("", "/revision/main", f"/revision/{self.server.commit}"):
            return self.answer_json(
                {"id": self.server.repository, "sha": self.server.commit, "siblings": []}
            )
        if rest.startswith(f"/tree/{self.server.commit}"):
            return self.answer_json([_entry(*file) for file in self.server.files.items()])
        return self.answer_json({"error": "no"}, 404, X_Error_Code="RevisionNotFound")

    def _file(self, name: str) -> None:
        content = self.server.files[name]
        if self.command == "GET" and name == self.server.fail_at:
            return self.answer(403)
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        if name in self.server.damaged:
            content = content[:-1] + bytes([content[-1] ^ 255])
        return self.answer_file(content, etag, X_Repo_Commit=self.server.commit)


def _entry(path: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    lfs = {"oid": digest, "size": len(content), "pointerSize": 130}
    return {"type": "file", "path": path, "size": len(content), "oid": "0" * 40, "lfs": lfs}


@contextmanager
def running(server: Any) -> Iterator[Any]:
    """Serve in a thread until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
