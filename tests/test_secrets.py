"""Secrets stay where they were given: nothing that a run writes or says holds one."""

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from loopback import KaggleServer, running
from project_copy import environment, git_project, set_params
from servers import PASSWORD, USER, mlflow_server

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


def test_no_secret_is_written_or_said(tmp_path: Path) -> None:
    project = git_project(tmp_path / "user")
    (tmp_path / "server").mkdir()
    colour = {"sees": {"features": ["colour"]}, "head": {"name": "svm", "grid": {"C": [1.0]}}}
    set_params(
        project,
        {
            "datasets.local.source": "kaggle",
            "datasets.local.path": "owner/art/1",
            "model": "colour",
            "recipes.colour": colour,
            "descriptors.colour": {"families": ["colour"]},
        },
    )
    given = {"remote": "team", "url": "ssh://somebody@example.org/data"}
    for command in (
        ["dvc", "remote", "add", "--default", given["remote"], given["url"]],
        ["dvc", "remote", "modify", "--local", given["remote"], "password", IN_CONFIG],
        ["git", "remote", "add", "origin", f"https://somebody:{IN_GIT}@example.org/art.git"],
    ):
        subprocess.run(
            command, cwd=project, env=environment(project), check=True, capture_output=True
        )
    database = f"sqlite:///{tmp_path / 'server/mlflow.db'}"
    with (
        running(KaggleServer()) as kaggle,
        mlflow_server(tmp_path / "server", database) as server,
    ):
        kaggle.token = SECRETS["KAGGLE_API_TOKEN"]
        kaggle.datasets["owner/art/1"] = (tmp_path / "user/pictures.zip").read_bytes()
        said = []
        for password, stages in ((PASSWORD, []), (WRONG, ["--force", "--single-item", "report"])):
            address = server.address.replace("//", f"//{USER}:{quote(password)}@")
            done = subprocess.run(
                ["dvc", "repro", *stages],
                cwd=project,
                env=environment(
                    project,
                    NO_PROXY="127.0.0.1",
                    **SECRETS,
                    **kaggle.environment(),
                    **{**server.access(), "MLFLOW_TRACKING_URI": address},
                ),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            said += [done.stdout, done.stderr]
    assert "registered as realart-local, version 1" in said[0]
    assert "the run is kept, since MLflow at http://127.0.0.1" in said[2]
    (tmp_path / "said").write_text("".join(said))
    given_in = {project / ".dvc/config.local", project / ".git/config"}
    assert holding(project, set())  # it finds what is there
    assert holding(tmp_path, given_in) == []
