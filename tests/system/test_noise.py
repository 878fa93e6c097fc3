"""What the stages print on standard error: nothing, as long as nothing is wrong."""

import pytest
from project_copy import STAGES
from reproduced import Reproduced

pytestmark = pytest.mark.slow


def test_the_stages_of_a_classifier_are_quiet(reproduced: Reproduced) -> None:
    """All of them: DVC has printed what they did. Of a network, `test_end_to_end` looks at them."""
    assert reproduced.stderr == ""
    for stage in (*STAGES, "report"):
        _, _, printed = reproduced.output.partition(f"> python -m stages.{stage}\n")
        assert printed.startswith((f"{stage}:", "fold 0", "labels of ")), printed[:200]
