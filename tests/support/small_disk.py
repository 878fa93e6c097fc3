"""A disk that is really full: a file system in memory that only a namespace of its own sees."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WAYS = (("unshare", "--map-root-user", "--mount"), ("unshare", "--mount"))
"""As anybody, where user namespaces are allowed, or as root."""


@dataclass(frozen=True)
class Disk:
    """A mounted disk: `inside` is its path for commands given to `entering`, `outside` for us."""

    process: int
    inside: Path
    own_users: bool

    @property
    def outside(self) -> Path:
        return Path(f"/proc/{self.process}/root{self.inside}")

    def entering(self, folder: str, *command: str) -> list[str]:
        """Return `command` as one that runs in `folder` of the disk."""
        users = ["--user", "--preserve-credentials"] if self.own_users else []
        enter = ["nsenter", f"--target={self.process}", "--mount", *users, "--"]
        return [*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(self.inside / folder), *command]

    def leave(self, room: int) -> None:
        """Fill the disk until this many bytes are left."""
        free = os.statvfs(self.outside)
        with (self.outside / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free.f_bavail * free.f_frsize - room)

    def empty(self) -> None:
        """Take away what `leave` put there."""
        (self.outside / "ballast").unlink()


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Disk | None]:
    """Mount a disk of `size` bytes at `folder`; None where this machine does not allow it."""
    folder.mkdir()
    script = 'mount -t tmpfs -o size="$0" none "$1" && echo mounted && exec cat'
    for way in WAYS:
        command = [*way, "sh", "-c", script, str(size), str(folder)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as holder:
            assert holder.stdout
            assert holder.stdin
            if holder.stdout.readline() == b"mounted\n":
                yield Disk(holder.pid, folder, own_users=way == WAYS[0])
                return
    yield None
