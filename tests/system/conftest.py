"""What tests of whole pipelines share."""

import pytest
import reproduced as shared
from reproduced import Reproduced


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Reproduced:
    """Give a project before and after its first `dvc repro`, the same to all workers."""
    return shared.reproduced(tmp_path_factory)
