"""Outputs of a run, from the workspace or, for a commit, from git and DVC's cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.scm import SCMError
from dvc_data.index import DataIndexDirError

from realart.core.errors import RealartError

WORKSPACE = "workspace"


@contextmanager
def outputs_of(revision: str, *outputs: Path) -> Iterator[Path]:
    """Yield a folder that holds outputs of a revision; it is removed when the block ends.

    Parameters
    ----------
    revision
        An experiment, a commit, or `WORKSPACE`, whose folder is yielded as it is.
    outputs
        Paths of files or folders, relative to the project's folder.

    Raises
    ------
    RealartError
        There is no such revision, or DVC's cache lacks an output.
    """
    if revision == WORKSPACE:
        yield Path()
        return
    with TemporaryDirectory() as folder:
        try:
            files = DVCFileSystem(rev=revision)
            for output in outputs:
                name, target = output.as_posix(), Path(folder, output)
                target.parent.mkdir(parents=True, exist_ok=True)
                files.get(name, str(target), recursive=files.isdir(name))
        except (DvcException, DataIndexDirError, SCMError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise RealartError(
                f"no {outputs[0]} of '{revision}' ({reason}): name an experiment of `dvc exp "
                f"show`, a commit, or {WORKSPACE}"
            ) from error
        yield Path(folder)
