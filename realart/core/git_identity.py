"""Who makes git's commits: DVC keeps each experiment as one."""

import os

from realart.core.errors import RealartError
from realart.core.project import git, root


def require() -> None:
    """Check that git knows who runs an experiment; outside of `dvc exp run` nothing is checked.

    Without a name, DVC (3.67) runs the first experiment of a clean repository, and then refuses
    every other one as an unexpected error.

    Raises
    ------
    RealartError
        Name or e-mail address are unknown.
    """
    if "DVC_EXP_NAME" in os.environ and not (_is_known("name") and _is_known("email")):
        raise RealartError(
            "git knows no name and e-mail address for you, and DVC keeps experiments as commits: "
            "run `git config --global user.name 'Your Name'` and `git config --global user.email "
            "you@example.org`, then the experiment again"
        )


def _is_known(field: str) -> bool:
    """Return whether git's settings or the environment have a name or an email, as for libgit2."""
    variables = [f"GIT_{role}_{field.upper()}" for role in ("AUTHOR", "COMMITTER")]
    if all(os.environ.get(variable) for variable in variables):
        return True
    return bool(git(root(), "config", f"user.{field}").strip())
