"""What a run has made, wherever it is: in the workspace, or in DVC's cache for a commit."""

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
    """Yield a folder that holds these outputs of an experiment, a commit or the workspace.

    Raises
    ------
    RealartError
        There is no such revision, or the outputs are not in DVC's cache.
    """
    if revision == WORKSPACE:
        yield Path()
        return
    with TemporaryDirectory() as folder:
        try:
            files = DVCFileSystem(rev=revision)
            for output in outputs:
                name, place = output.as_posix(), Path(folder, output)
                place.parent.mkdir(parents=True, exist_ok=True)
                files.get(name, str(place), recursive=files.isdir(name))
        except (DvcException, DataIndexDirError, SCMError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise RealartError(
                f"no {outputs[0]} of '{revision}' ({reason}): name an experiment of `dvc exp "
                f"show`, a commit, or {WORKSPACE}"
            ) from error
        yield Path(folder)
