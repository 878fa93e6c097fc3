"""Headers have the settings of the encoder, and features every field."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import file, picture
from PIL import Image, ImageCms

from realart.data import headers
from realart.data.headers import Header

PIXELS = picture(1)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def header(kind: str, **options: Any) -> Header:
    return headers.read(Image.open(io.BytesIO(file(PIXELS, kind, **options))))


@given(st.integers(5, 100), st.sampled_from([0, 1, 2]), st.booleans())
def test_a_jpeg_header_has_the_encoder_settings(
    quality: int, subsampling: int, progressive: bool
) -> None:
    found = header("JPEG", quality=quality, subsampling=subsampling, progressive=progressive)
    assert (found.quality, found.progressive) == (quality, progressive)
    assert found.subsampling == headers.SUBSAMPLING[subsampling]
    assert 64 <= found.luma_table < 64 * 255
    assert (found.width, found.height, found.format, found.mode) == (96, 80, "JPEG", "RGB")


def test_other_formats_have_no_tables() -> None:
    assert header("PNG") == Header("PNG", "RGB", 96, 80)
    grey = headers.read(Image.open(io.BytesIO(file(Image.fromarray(PIXELS).convert("L"), "JPEG"))))
    assert (grey.chroma_table, grey.subsampling) == (0, "other")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_and_profile_are_flagged(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "made by"
    assert header(kind, exif=exif).exif
    assert header(kind, icc_profile=SRGB).icc
    assert (header(kind).exif, header(kind).icc) == (False, False)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 10**7), st.integers(2, 5))
def test_features_are_ratios(width: int, height: int, size: int, factor: int) -> None:
    row = {**vars(Header("JPEG", "RGB", width, height)), "bytes": size}
    larger = row | {"width": width * factor, "height": height * factor}
    table = headers.features(pd.DataFrame([row, larger]))
    assert set(table) == {column for columns in headers.FIELDS.values() for column in columns}
    np.testing.assert_allclose(table["aspect"], np.log2(width / height), atol=1e-9)
    np.testing.assert_allclose(table["pixels"].diff().iloc[1], 2 * np.log2(factor))
    np.testing.assert_allclose(
        table["bits_per_pixel"][0], np.log2(8 * size / (width * height)), atol=1e-9
    )
