"""A file that its decoder can't read within limits gets an error, and all others their answers."""

import pandas as pd
import pytest
from making import file, picture
from test_occlusion import cell_model

from benchmarks import hostile
from realart.core.isolation import Limits
from realart.data import limits
from realart.data.decoding import UnusableFileError
from realart.models.trained_model import TrainedModel
from realart.serving import demo, explain, predict, provenance
from realart.tracking.pyfunc import PICTURE, PictureModel

pytestmark = pytest.mark.slow

GOOD = file(picture(0))
ERRORS = {
    "time": (
        hostile.bmp_lines(8_000_000),
        "too large: its decoder took more than 1 s of processor",
    ),
    "memory": (hostile.exif_rationals(1_000_000), "too large: its decoder ran out of memory"),
    "parts": (hostile.png_chunks(300_000), "too large: more than "),
    "pages": (hostile.tiff_pages(101), "unsupported: more than 100 pages"),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return cell_model(tmp_path_factory.mktemp("model"), 3)


@pytest.mark.parametrize("which", ERRORS)
def test_only_its_own_answer_is_an_error(
    which: str, model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, message = ERRORS[which]
    lower = Limits(1 if which == "time" else 20, 64 << 20)
    monkeypatch.setattr(limits, "bounds", lambda _: lower)
    first, found, last = predict.predict([GOOD, data, GOOD], model)
    assert (first.error, last) == ("", first)
    assert found.error.startswith(message)

    with pytest.raises(UnusableFileError) as caught:
        explain.explain(data, model)
    assert str(caught.value) == found.error

    html, drawing = demo.classify(data, model)
    assert f"<p>This file can't be classified: {found.error}</p>" in html
    assert drawing is None

    served = PictureModel()
    served.model = model
    answers = served.predict(None, pd.DataFrame({PICTURE: [GOOD, data, GOOD]}))  # type: ignore[arg-type]
    assert [*answers["error"]] == ["", found.error, ""]


def test_evidence_that_takes_too_long_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    data = hostile.exif_rationals(200_000)
    assert provenance.evidence_within_limits(data) == provenance.evidence(data)
    monkeypatch.setattr(limits, "bounds", lambda _: Limits(1, 16 << 20))
    assert provenance.evidence_within_limits(hostile.exif_rationals(2_000_000)) == []
