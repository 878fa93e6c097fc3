"""The canonical form, and a network's square."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from making import PARAMS, distance, file, picture, plain
from PIL import Image

from realart.data import decoding, pictures
from realart.data.headers import Header
from realart.data.pictures import Pixels
from realart.params import Clean

PIXELS = picture(1)
IMAGE = Image.fromarray(PIXELS)
LOSSLESS = [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
LOSSY = [("JPEG", {"quality": 90}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("AVIF", {})]
ORIGINAL = PARAMS.clean.model_copy(update={"encoding": "original"})
SIDES = st.integers(1, 90)
SHAPES = st.sampled_from(["squash", "crop", "pad"])


def decode(data: bytes) -> Pixels:
    return np.asarray(decoding.decode(data, max_pixels=10**8)[0])


def test_the_canonical_form_is_independent_of_the_format() -> None:
    forms = {
        pictures.canonical(decoding.read(file(PIXELS, kind, **o)), PARAMS.clean)
        for kind, o in LOSSLESS
    }
    assert len(forms) == 1
    (form,) = forms
    header = decoding.decode(form, 10**8)[1]
    assert header == Header("JPEG", "RGB", 67, 56, PARAMS.clean.quality, 736, 1110, "4:2:0")
    shrunk = pictures.limit_size(Image.fromarray(PIXELS), 67)
    assert distance(decode(form), np.asarray(shrunk)) < 8


@given(SIDES, SIDES, st.integers(32, 80))
def test_a_canonical_picture_is_bounded_and_keeps_its_shape(
    width: int, height: int, long_side: int
) -> None:
    bounded = pictures.limit_size(Image.fromarray(picture(0, width, height)), long_side)
    new_width, new_height = bounded.size
    if max(width, height) <= long_side:
        assert np.array_equal(bounded, picture(0, width, height))
    else:
        assert max(new_width, new_height) == long_side
        scale = long_side / max(width, height)
        assert abs(new_width - width * scale) < 1
        assert abs(new_height - height * scale) < 1


def test_quality_and_long_side_are_those_of_the_params() -> None:
    def form(**update: int) -> bytes:
        image = Image.fromarray(picture(0, 300, 200))
        return pictures.canonical(image, PARAMS.clean.model_copy(update=update))

    sizes = [len(form(quality=quality)) for quality in (50, 75, 90, 95)]
    assert all(a < b for a, b in pairwise(sizes))
    assert decoding.read(form(long_side=150)).size == (150, 100)


@pytest.mark.parametrize("long_side", [96, 200, 512, 513, 700, 3000])
def test_a_canonical_picture_is_shrunk_by_the_factor(long_side: int) -> None:
    form = pictures.canonical(Image.fromarray(picture(0, long_side, 90)), PARAMS.clean)
    expected = min(PARAMS.clean.long_side, round(PARAMS.clean.shrink * long_side))
    assert decoding.read(form).width == expected
    whole = PARAMS.clean.model_copy(update={"shrink": 1.0})
    assert decoding.read(pictures.canonical(IMAGE, whole)).size == (96, 80)


@pytest.mark.parametrize(("kind", "options"), LOSSY + LOSSLESS)
def test_original_encoding_keeps_published_pixels(kind: str, options: dict[str, bool]) -> None:
    data = file(PIXELS, kind, **options)
    image = decoding.read(data)
    assert pictures.stored(data, image, ORIGINAL) == data
    assert pictures.stored(data, image, PARAMS.clean) == pictures.canonical(image, PARAMS.clean)


@pytest.mark.parametrize(("clean", "kind"), [(PARAMS.clean, "JPEG"), (ORIGINAL, "PNG")])
def test_encode_matches_its_suffix(clean: Clean, kind: str) -> None:
    data = pictures.encode(IMAGE, clean)
    assert decoding.decode(data, 10**8)[1].format == kind
    assert pictures.suffix(clean) == {"JPEG": ".jpg", "PNG": ".png"}[kind]
    assert np.array_equal(decode(data), PIXELS) == (kind == "PNG")


# A network's square


@given(SIDES, SIDES, st.integers(16, 64), SHAPES)
def test_a_square_has_the_size_asked_for(width: int, height: int, size: int, shape: str) -> None:
    resized = pictures.square(Image.fromarray(picture(0, width, height)), size, shape)
    assert resized.shape == (size, size, 3)
    assert resized.dtype == np.uint8


@given(SIDES, st.integers(16, 64))
def test_all_shapes_of_a_square_are_the_same(side: int, size: int) -> None:
    squashed, cropped, padded = (
        pictures.square(Image.fromarray(picture(0, side, side)), size, shape)
        for shape in ("squash", "crop", "pad")
    )
    assert np.array_equal(cropped, squashed)
    assert np.array_equal(padded, squashed)


def test_crop_shows_the_centre_and_squash_shows_all() -> None:
    thirds = np.hstack([plain(c, 60, 60) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))])
    for image in (Image.fromarray(thirds), Image.fromarray(thirds.transpose(1, 0, 2).copy())):
        assert distance(pictures.square(image, 30, "crop"), plain((0, 255, 0), 30, 30)) < 1
        corners = pictures.square(image, 30, "squash")[[0, -1], [0, -1]]
        assert corners.tolist() == [[255, 0, 0], [0, 0, 255]]


@given(SIDES, SIDES, st.integers(16, 64))
def test_pad_keeps_the_shape_between_grey_bars(width: int, height: int, size: int) -> None:
    assume(min(width, height) * size >= max(width, height))
    resized = pictures.square(Image.fromarray(plain((255, 0, 0), width, height)), size, "pad")
    inside = (resized == (255, 0, 0)).all(2)
    assert (resized[~inside] == 128).all()
    sides = inside.any(0).sum(), inside.any(1).sum()
    assert max(sides) == size
    assert abs(sides[0] * height - sides[1] * width) <= max(width, height)
