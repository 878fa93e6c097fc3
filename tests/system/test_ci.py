"""What continuous integration does besides the tests: it compares two commits, and says so."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import pytest
from networks import clean_environment
from project_copy import ROOT, run

pytestmark = pytest.mark.slow

PIPELINE = """
stages:
  judge:
    cmd: python judge.py
    deps: [judge.py]
    outs: [metrics/scores.csv]
    metrics: [metrics/metrics.json: {cache: false}]
"""
JUDGE = """
import json
from pathlib import Path

right = [number >= WRONG for number in range(40)]
lines = ["row,part,label,group,score"]
for number, good in enumerate(right):
    label = ("human", "ai")[number % 2]
    lines.append(f"{number},oof,{label},{number},{float(good == (label == 'ai'))}")
Path("metrics").mkdir(exist_ok=True)
Path("metrics/scores.csv").write_text("\\n".join(lines))
Path("metrics/metrics.json").write_text(json.dumps({"oof": {"accuracy": sum(right) / 40}}))
"""
"""A pipeline of one stage, whose code says how many of forty verdicts are wrong."""
MARK = "<!-- realart compare -->"
"""How our note on a merge request begins."""


def git(project: Path, *command: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    done = ["git", *identity, *command]
    return subprocess.run(done, cwd=project, check=True, capture_output=True, text=True).stdout


def commit(project: Path, wrong: int) -> str:
    """Commit code that makes so many mistakes; return the commit's short name."""
    (project / "judge.py").write_text(f"WRONG = {wrong}\n{JUDGE}")
    git(project, "add", "--all")
    git(project, "commit", "-qm", f"{wrong} wrong")
    return git(project, "rev-parse", "--short", "HEAD").strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a repository with the script and a pipeline, that has no commit yet."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / ".dvc", project / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
    (project / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/compare", project / ".ci")
    (project / "dvc.yaml").write_text(PIPELINE)
    git(project, "init", "-q", "-b", "main")
    return project


def test_a_branch_is_compared_with_where_it_left_its_base(project: Path) -> None:
    fork = commit(project, wrong=20)
    git(project, "checkout", "-qb", "better")
    head = commit(project, wrong=10)
    git(project, "checkout", "-q", "main")
    commit(project, wrong=39)
    git(project, "checkout", "-q", "better")
    (project / "judge.py").write_text("not committed, so not run")
    first, done = (run(project, ".ci/compare", "main") for _ in range(2))
    assert (first.returncode, done.returncode) == (0, 0), first.stderr + done.stderr
    assert first.stdout == done.stdout
    heading, *lines = done.stdout.splitlines()
    assert heading == f"## A is `base-{fork}`, B is `head-{head}`"
    (compared,) = (line for line in lines if line.startswith("| out of fold"))
    assert "| 40 | 0.500, 0.750 | 0, 10 | 0.002 |" in compared
    assert compared.endswith("| accuracy: B is better; AUC: B is better |")
    (changed,) = (line for line in lines if line.startswith("| metrics/metrics.json"))
    cells = [cell.strip() for cell in changed.split("|")[2:-1]]
    assert cells == ["oof.accuracy", "0.5", "0.75", "0.25"]
    assert git(project, "status", "--porcelain") == " M judge.py\n"
    assert len(git(project, "worktree", "list").splitlines()) == 1


def test_a_base_that_does_not_exist_is_named(project: Path) -> None:
    commit(project, wrong=20)
    done = run(project, ".ci/compare", "mian")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "mian" in done.stderr
    assert done.stderr.count("\n") == 1


class GitLab(ThreadingHTTPServer):
    """Keeps notes of one merge request, as GitLab's API does, two on a page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.notes = {1: "Looks good", 2: f"I quote {MARK}", 3: "Thanks"}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    server: GitLab
    NOTES = "/projects/7/merge_requests/5/notes"

    def do_GET(self) -> None:
        notes = [{"id": number, "body": body} for number, body in self.server.notes.items()]
        page = int(dict(parse_qsl(urlsplit(self.path).query)).get("page", 1))
        following = f"{self.server.url}{self.NOTES}?per_page=100&page={page + 1}"
        self._answer(notes[2 * page - 2 : 2 * page], following if notes[2 * page :] else None)

    def do_POST(self) -> None:
        assert self.path == self.NOTES
        self._keep(max(self.server.notes) + 1)

    def do_PUT(self) -> None:
        folder, _, number = self.path.rpartition("/")
        assert folder == self.NOTES
        self._keep(int(number))

    def _keep(self, number: int) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["PRIVATE-TOKEN"] == "secret":
            self.server.notes[number] = sent["body"]
        self._answer({"id": number})

    def _answer(self, content: object, following: str | None = None) -> None:
        self.send_response(200 if self.headers["PRIVATE-TOKEN"] == "secret" else 401)
        if following:
            self.send_header("Link", f'<{following}>; rel="next"')
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def write_note(
    gitlab: GitLab, text: str, token: str = "secret"
) -> "subprocess.CompletedProcess[str]":
    given = {
        "CI_API_V4_URL": gitlab.url,
        "CI_MERGE_REQUEST_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "5",
        "GITLAB_TOKEN": token,
    }
    return subprocess.run(
        [sys.executable, ROOT / ".ci/note.py"], env=clean_environment(**given), input=text,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_a_merge_request_has_one_note_which_is_written_anew(gitlab: GitLab) -> None:
    before = dict(gitlab.notes)
    for text in ("| first |\n", "| zażółć |\n"):
        done = write_note(gitlab, text)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert gitlab.notes == before | {4: f"{MARK}\n{text}"}


def test_a_token_that_may_not_write_is_one_line(gitlab: GitLab) -> None:
    before = dict(gitlab.notes)
    done = write_note(gitlab, "| first |", token="wrong")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("realart: GitLab answered 401 Unauthorized to GET ")
    assert "GITLAB_TOKEN" in line
    assert gitlab.notes == before
