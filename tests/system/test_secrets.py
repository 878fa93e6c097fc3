"""Secrets stay where they were given: nothing that a run writes or says holds one."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from loopback import KaggleServer, running
from project_copy import COLOUR, STAGES, git_project, run, run_stages, set_params
from servers import PASSWORD, USER, mlflow_server

from realart.tracking import outbox
from realart.tracking.store import StoreUnavailableError

pytestmark = pytest.mark.slow

SECRETS = {
    "KAGGLE_API_TOKEN": "marked kaggle token",
    "HF_TOKEN": "marked hugging face token",
    "AWS_ACCESS_KEY_ID": "marked key of the storage",
    "AWS_SECRET_ACCESS_KEY": "marked secret of the storage",
    "GITLAB_TOKEN": "marked gitlab token",
    "MLFLOW_FLASK_SERVER_SECRET_KEY": "marked secret of the server",
}
IN_CONFIG = "marked password of a dvc remote"
IN_GIT = "marked-password-of-the-git-remote"
WRONG = "marked wrong password"
MARKED = [*SECRETS.values(), IN_CONFIG, IN_GIT, WRONG, PASSWORD]


def forms(secret: str) -> Iterator[bytes]:
    """Yield a secret as it may be written: plain, in an address, or in a header."""
    yield secret.encode()
    yield quote(secret).encode()
    for text in (secret, f"{USER}:{secret}"):
        yield base64.b64encode(text.encode())


def holding(folder: Path, given_in: set[Path]) -> list[str]:
    """List the files below a folder that hold a secret, but for those it was given in."""
    return [
        f"{file} holds {secret!r}"
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink() and file not in given_in
        for secret in MARKED
        if any(form in file.read_bytes() for form in forms(secret))
    ]


def give(project: Path) -> set[Path]:
    """Give secrets to DVC and git; return the files that hold them."""
    for command in (
        ["dvc", "remote", "add", "--default", "team", "ssh://somebody@example.org/data"],
        ["dvc", "remote", "modify", "--local", "team", "password", IN_CONFIG],
        ["git", "remote", "add", "origin", f"https://somebody:{IN_GIT}@example.org/art.git"],
    ):
        assert run(project, *command).returncode == 0
    return {project / ".dvc/config.local", project / ".git/config"}


def test_no_secret_is_written_or_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    project = git_project(tmp_path / "user")
    set_params(
        project, {**COLOUR, "datasets.local.source": "kaggle", "datasets.local.path": "owner/art/1"}
    )
    given_in = give(project)
    printed = []
    with running(KaggleServer()) as kaggle:
        kaggle.token = SECRETS["KAGGLE_API_TOKEN"]
        kaggle.datasets["owner/art/1"] = (tmp_path / "user/pictures.zip").read_bytes()
        done = run(project, "python", "-m", "stages.download", **SECRETS, **kaggle.environment())
        assert done.returncode == 0
        printed += [done.stdout, done.stderr]
    rest = tuple(stage for stage in STAGES if stage != "download")
    (tmp_path / "server").mkdir()
    with mlflow_server(tmp_path / "server", f"sqlite:///{tmp_path / 'server/mlflow.db'}") as server:
        for name, value in {**SECRETS, **server.access()}.items():
            monkeypatch.setenv(name, value)
        for password, stages in ((PASSWORD, rest), (WRONG, ("train",))):
            address = server.address.replace("//", f"//{USER}:{quote(password)}@")
            monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
            run_stages(monkeypatch, project, *stages, "report")
            printed += capfd.readouterr()
        with pytest.raises(StoreUnavailableError) as refusal:
            list(outbox.send())
        printed.append(str(refusal.value))
    assert "registered as realart-local, version 1" in printed[2]
    assert "the run is kept, since MLflow at https://127.0.0.1" in printed[4]
    done = run(project, "dvc", "commit", "--force", **SECRETS)
    assert done.returncode == 0
    assert (project / "dvc.lock").exists()
    (tmp_path / "printed").write_text("".join([*printed, done.stdout, done.stderr]))
    assert holding(project, set())  # it finds what is there
    assert holding(tmp_path, given_in) == []
