"""Outputs of a run, from the workspace or, for a commit, from git and DVC's cache."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dvc.api import DVCFileSystem
from dvc.exceptions import DvcException
from dvc.scm import SCMError
from dvc_data.index import DataIndexDirError

from realart.core.errors import RealartError
from realart.core.project import workspace

WORKSPACE = "workspace"
_NAMES = f"name an experiment of `dvc exp show`, a commit, or {WORKSPACE}"


@contextmanager
def outputs_of(revision: str, *outputs: Path) -> Iterator[Path]:
    """Yield a folder that holds outputs of a revision; it is removed when the block ends.

    Parameters
    ----------
    revision
        An experiment, a commit, or `WORKSPACE`, whose folder is yielded as it is: that of the
        project that the current directory is in.
    outputs
        Paths of files or folders, relative to the project's folder.

    Raises
    ------
    RealartError
        There is no such revision, or DVC's cache lacks an output.
    """
    if not revision:  # DVC takes it for the workspace
        raise RealartError(f"the name of a run is empty: {_NAMES}")
    if revision == WORKSPACE:
        yield Path(os.path.relpath(workspace()))
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
            raise RealartError(f"no {outputs[0]} of '{revision}' ({reason}): {_NAMES}") from error
        yield Path(folder)
