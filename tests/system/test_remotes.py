"""What a team shares: results by a remote of DVC's, over S3 or SSH, and experiments by git, too.

Both servers are real: moto's, which checks the signature of every request, and OpenSSH's.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from loopback import free_port
from mlflow import MlflowClient
from project_copy import STAGES, environment, run, run_stages, set_params
from reproduced import Reproduced

from realart.tracking import evaluation_runs

pytestmark = pytest.mark.slow

EARLIER = {"balance.method": "class_weight"}
"""What the experiment `weights` had set, and which stages that changes."""
CHANGED = (*STAGES[STAGES.index("balance") :], "report")
ENDING = 10.0
"""Seconds until a server has ended."""


@dataclass(frozen=True)
class Access:
    """What a clone is let in by: options of the remote in .dvc/config.local, and environment."""

    local: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Remote:
    """A remote as .dvc/config has it, and who may and who may not use it."""

    name: str
    url: str
    settings: dict[str, str]
    first: Access
    second: Access
    stranger: Access
    refusal: str
    secret: str


@dataclass
class Clone:
    """A clone of the project, with the access of whoever works in it, and all that DVC printed."""

    folder: Path
    remote: Remote
    access: Access
    output: str = ""

    def dvc(self, *command: str, fails: bool = False) -> str:
        """Run a command of DVC's that fails or does not; return what it printed."""
        done = run(self.folder, "dvc", *command, **self.access.environment)
        output = done.stdout + done.stderr
        self.output += output
        assert bool(done.returncode) == fails, output
        return output


@contextmanager
def server(*command: str | Path, port: int, **more: str) -> Iterator[None]:
    """Run a server on loopback until the block ends."""
    with subprocess.Popen(
        command, env={**os.environ, **more}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while not listens(port):
                assert process.poll() is None, f"{command[0]} has ended"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(ENDING)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def s3() -> Iterator[Remote]:
    """Serve a bucket to one user with one key."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # The first three actions need no key: they make the user.
    with server("moto_server", "-H", "127.0.0.1", "-p", str(port), port=port,
                INITIAL_NO_AUTH_ACTION_COUNT="3"):  # fmt: skip
        where = {"endpoint_url": address, "region_name": "us-east-1"}
        iam = boto3.client("iam", aws_access_key_id="-", aws_secret_access_key="-", **where)
        iam.create_user(UserName="team")
        allowed = '{"Version": "2012-10-17", "Statement": '
        allowed += '{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
        iam.put_user_policy(UserName="team", PolicyName="all", PolicyDocument=allowed)
        key = iam.create_access_key(UserName="team")["AccessKey"]
        name, secret = key["AccessKeyId"], key["SecretAccessKey"]
        boto3.client(
            "s3", aws_access_key_id=name, aws_secret_access_key=secret, **where
        ).create_bucket(Bucket="art")
        own = {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": secret}
        yield Remote(
            "s3",
            "s3://art/realart",
            {"endpointurl": address, "verify": "true"},
            first=Access(environment=own),
            second=Access(local={"access_key_id": name, "secret_access_key": secret}),
            stranger=Access(environment=own | {"AWS_SECRET_ACCESS_KEY": secret[::-1]}),
            refusal="Forbidden",
            secret=secret,
        )


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote | None]:
    """Serve SFTP to the user of this process with one key; None where there is no sshd."""
    daemon = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if daemon is None:
        yield None
        return
    folder, port = tmp_path_factory.mktemp("sshd"), free_port()
    for name in ("host", "right", "wrong"):
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", folder / name], check=True)
    settings = [
        f"ListenAddress 127.0.0.1:{port}", f"HostKey {folder}/host", "PidFile none",
        f"AuthorizedKeysFile {folder}/right.pub", "StrictModes no", "UsePAM no",
        "AuthenticationMethods publickey", "Subsystem sftp internal-sftp",
    ]  # fmt: skip
    (folder / "config").write_text("\n".join(settings))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # asked for by a daemon of root, who boots without
    with server(daemon, "-D", "-f", folder / "config", port=port):
        right, wrong = (Access(local={"keyfile": f"{folder / key}"}) for key in ("right", "wrong"))
        yield Remote(
            "ssh",
            f"ssh://127.0.0.1:{port}{folder}/store",
            {"verify": "true"},
            first=right,
            second=right,
            stranger=wrong,
            refusal="Permission denied",
            secret=(folder / "right").read_text().splitlines()[2],
        )


@pytest.fixture(scope="module")
def project(
    s3: Remote, ssh: Remote | None, reproduced: Reproduced, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Make a project that was reproduced and committed, and has an experiment, `weights`.

    Its dataset is gone since, and `origin` is a repository beside it.
    """
    project = reproduced.copy("after", tmp_path_factory.mktemp("team"))
    for remote in (s3, ssh) if ssh else (s3,):
        succeed(project, "dvc", "remote", "add", remote.name, remote.url)
        for name, value in remote.settings.items():
            succeed(project, "dvc", "remote", "modify", remote.name, name, value)
    git(project, "add", "--all")
    git(project, "commit", "-qm", "ran")
    set_params(project, EARLIER)
    with pytest.MonkeyPatch.context() as patched:
        run_stages(patched, project, *CHANGED)  # as `dvc repro` does, but all is imported here
    succeed(project, "dvc", "commit", "--force")
    git(project, "config", "user.name", "somebody")
    git(project, "config", "user.email", "somebody@example.org")
    succeed(project, "dvc", "exp", "save", "--name", "weights")
    git(project, "checkout", "-q", ".")
    succeed(project, "dvc", "checkout")
    (project.parent / "pictures.zip").unlink()
    git(project, "clone", "-q", "--bare", ".", "../origin")
    git(project, "remote", "add", "origin", str(project.parent / "origin"))
    return project


@pytest.fixture(scope="module", params=["s3", "ssh"])
def first(request: pytest.FixtureRequest, project: Path, s3: Remote, ssh: Remote | None) -> Clone:
    """Push what a project has made, and its experiment."""
    remote = s3 if request.param == "s3" else ssh
    if remote is None:
        pytest.skip("no sshd is installed (Debian's package openssh-server)")
    clone = Clone(project, remote, remote.first)
    admit(clone)
    clone.dvc("push", "--run-cache", "--remote", remote.name)
    clone.dvc("exp", "push", "--remote", remote.name, "origin", "weights")
    return clone


@pytest.fixture(scope="module")
def pulled(first: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Pull into a second clone: not to be changed by anybody."""
    clone = second(first, tmp_path_factory.mktemp("pulled"))
    clone.dvc("pull", "--run-cache")
    return clone


def test_a_clone_that_pulled_recomputes_nothing(first: Clone, pulled: Clone) -> None:
    output = pulled.dvc("repro")
    assert "Running stage" not in output
    assert "is cached" not in output
    assert "up to date" in pulled.dvc("status")
    assert everything(pulled.folder) == everything(first.folder)
    assert git(pulled.folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("first", ["s3"], indirect=True)
def test_an_earlier_run_comes_from_the_run_cache(
    first: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No stage runs; the run is logged to MLflow when its pages are opened."""
    clone = second(first, tmp_path)
    set_params(clone.folder, EARLIER)
    output = clone.dvc("repro", "--pull")
    assert running(output) == []
    assert all(f"Stage '{stage}' is cached - skipping run" in output for stage in CHANGED)
    assert not (clone.folder / "mlruns").exists()
    git(clone.folder, "fetch", "-q", "origin", "refs/exps/*:refs/exps/*")
    (weights,) = git(clone.folder, "for-each-ref", "--format=%(refname)", "refs/exps").split()
    for file in ("dvc.lock", "metrics/metrics.json"):
        assert git(clone.folder, "show", f"{weights}:{file}") == (clone.folder / file).read_text()
    monkeypatch.chdir(clone.folder)
    evaluation_runs.catch_up()
    client = MlflowClient(f"sqlite:///{clone.folder}/mlruns/mlflow.db")
    found = client.search_runs(
        [experiment.experiment_id for experiment in client.search_experiments()]
    )
    assert sorted(logged.info.run_name for logged in found) == [
        "colour on local",
        "fold 0",
        "fold 1",
    ]


@pytest.mark.parametrize("first", ["s3"], indirect=True)
def test_an_experiment_comes_whole_but_without_the_run_cache(first: Clone, tmp_path: Path) -> None:
    clone = second(first, tmp_path)
    clone.dvc("exp", "pull", "origin", "weights")
    clone.dvc("exp", "apply", "weights")
    assert "up to date" in clone.dvc("repro")
    set_params(clone.folder, {"balance.method": "augment"})  # as in the first commit
    assert running(clone.dvc("repro", "balance")) == ["check", "balance"]


def test_a_stranger_is_refused_and_nothing_changes(first: Clone, tmp_path: Path) -> None:
    clone = second(first, tmp_path)
    before = everything(clone.folder)
    (clone.folder / ".dvc/config.local").unlink()
    clone.access = first.remote.stranger
    admit(clone)
    output = clone.dvc("pull", "--run-cache", fails=True)
    assert [line for line in output.splitlines() if line.startswith("ERROR")] == [
        line for line in output.splitlines() if first.remote.refusal in line
    ]
    assert everything(clone.folder) == before
    assert git(clone.folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("first", ["ssh"], indirect=True)
def test_what_was_changed_on_the_server_is_not_taken(first: Clone, tmp_path: Path) -> None:
    """By default DVC would take it, and say that all is up to date."""
    clone = second(first, tmp_path)
    name = hashlib.md5((first.folder / "data/split.csv").read_bytes()).hexdigest()
    kept = Path(urlsplit(first.remote.url).path, "files/md5", name[:2], name[2:])
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(b"train", b"test "))
    try:
        output = clone.dvc("pull", "data/split.csv", fails=True)
    finally:
        kept.write_bytes(whole)
    assert "failed to pull data" in output
    assert not (clone.folder / "data/split.csv").exists()


def test_secrets_are_written_nowhere(first: Clone, pulled: Clone) -> None:
    secret = first.remote.secret
    for clone in (first, pulled):
        assert secret not in clone.output
        every = git(clone.folder, "cat-file", "--batch-all-objects", "--batch", "--unordered")
        assert secret not in every
        files = [file for file in clone.folder.rglob("*") if file.is_file()]
        holding = [file for file in files if secret.encode() in file.read_bytes()]
        assert {file.name for file in holding} <= {"config.local"}
    assert "config.local" not in git(first.folder, "ls-files")


def second(first: Clone, folder: Path) -> Clone:
    """Clone what the first has committed, with a key of one's own."""
    git(folder, "clone", "-q", str(first.folder.parent / "origin"), "second")
    clone = Clone(folder / "second", first.remote, first.remote.second)
    admit(clone)
    return clone


def admit(clone: Clone) -> None:
    """Write what lets a clone in, and which remote is its own, into .dvc/config.local."""
    name = clone.remote.name
    local = "".join(f"    {key} = {value}\n" for key, value in clone.access.local.items())
    content = f"[core]\n    remote = {name}\n['remote \"{name}\"']\n{local}"
    (clone.folder / ".dvc/config.local").write_text(content)


def running(output: str) -> list[str]:
    """Return the stages that were run."""
    lines = (line for line in output.splitlines() if line.startswith("Running stage"))
    return [line.split("'")[1] for line in lines]


def everything(project: Path) -> dict[str, bytes]:
    """Return all that the pipeline has made, and what it was made from."""
    names = ("data", "models", "metrics", "params.yaml", "dvc.lock")
    files = [file for name in names for file in [project / name, *(project / name).rglob("*")]]
    return {str(file.relative_to(project)): file.read_bytes() for file in files if file.is_file()}


def git(folder: Path, *command: str) -> str:
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    done = subprocess.run(
        ["git", *identity, *command], cwd=folder, env=environment(folder), capture_output=True,
        check=True,
    )  # fmt: skip
    return done.stdout.decode(errors="replace")


def succeed(project: Path, *command: str) -> None:
    done = run(project, *command)
    assert done.returncode == 0, done.stdout + done.stderr
