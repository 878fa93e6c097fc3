"""Compare two runs on the cases: labelled pictures that no model may misclassify."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress

from realart.core import paths, revisions
from realart.core.errors import RealartError

CaseResults = Mapping[str, Mapping[str, float]]
"""What `cases.evaluate` returns."""


def load(name: str) -> CaseResults:
    """Load the cases of a run: an experiment, a commit, or the workspace.

    There are none in what has no evaluation.json: a folder that `realart evaluate` wrote, or a run
    of an earlier release.
    """
    with (
        suppress(RealartError, FileNotFoundError),
        revisions.outputs_of(name, paths.EVALUATION) as folder,
    ):
        cases: CaseResults = json.loads((folder / paths.EVALUATION).read_text("utf-8"))["cases"]
        return cases
    return {}


def compare(a: CaseResults, b: CaseResults) -> Iterator[str]:
    """Yield a line for each case of A or B: its probability of ai, and whether that is right.

    >>> list(compare({}, {"ai/one.png": {"score": 0.25, "right": 0.0}}))
    ['case ai/one.png: none and 0.250 (wrong)']
    """
    for path in sorted({*a, *b}):
        yield f"case {path}: {_format(a.get(path))} and {_format(b.get(path))}"


def _format(case: Mapping[str, float] | None) -> str:
    return f"{case['score']:.3f} ({'right' if case['right'] else 'wrong'})" if case else "none"
