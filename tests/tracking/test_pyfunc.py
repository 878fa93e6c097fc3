"""Values of the input column are decoded to files, or refused with a reason."""

import base64
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.models.utils import _enforce_schema

from realart.tracking import pyfunc


@given(
    st.binary(),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes]),
    st.booleans(),
    st.sampled_from(["", "data:image/png;base64,", "DATA:image/svg+xml;charset=utf-8;BASE64,"]),
)
def test_every_form_of_base64_is_decoded(
    data: bytes, encode: Any, padded: bool, prefix: str
) -> None:
    text = encode(data).decode()
    text = text if padded else text.strip().rstrip("=")
    assert pyfunc.decode_file(prefix + text) == data
    assert pyfunc.decode_file(np.str_(prefix + text)) == data


def test_a_data_uri_with_escapes_is_decoded() -> None:
    assert pyfunc.decode_file("data:;base64,%2B%2F8%3D") == b"\xfb\xff"


@given(st.binary())
def test_bytes_are_the_file(data: bytes) -> None:
    for value in (data, bytearray(data), memoryview(data), np.bytes_(data)):
        assert pyfunc.decode_file(value) == bytes(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null"), (float("nan"), "null"), (pd.NA, "null"), ("None", "null"), ("nan", "null"),
        (5, "no file, but of type int"), ({"b64": "QQ=="}, "no file, but of type dict"),
        (["QQ=="], "no file, but of type list"), (np.zeros(3), "no file, but of type ndarray"),
        ("QQ==QQ==", "not base64"), ("Q", "not base64"), ("é" * 999, "not base64"),
        ("C:\\a.png", "not base64"), ("https://a.b/c.png", "not base64"),
        ("data:image/png,QQ==", "not base64"), ("{'b64': 'QQ=='}", "not base64"),
    ],
)  # fmt: skip
def test_a_refused_value_has_a_reason(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        pyfunc.decode_file(value)
    assert len(str(raised.value)) < 200


def test_python_clients_send_bytes_or_text() -> None:
    schema = pyfunc.SIGNATURE.inputs
    for value in (b"\xff\0", "/wA="):
        for table in (pd.DataFrame({"picture": [value]}), {"picture": value}):
            (column,) = _enforce_schema(table, schema)["picture"]
            assert pyfunc.decode_file(column) == b"\xff\0"


def test_a_dict_of_texts_has_a_row_for_each() -> None:
    """Of which MLflow makes one row with a list."""
    table = _enforce_schema({"picture": ["Q", "https://a.b"]}, pyfunc.SIGNATURE.inputs)
    answers = pyfunc.PictureModel().predict(None, table)
    assert [error[:10] for error in answers["error"]] == ["not base64"] * 2
