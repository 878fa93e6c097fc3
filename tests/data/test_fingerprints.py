"""Fingerprints: equal on every machine, in every orientation, for every view."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import fingerprint, picture, plain
from PIL import Image

from realart.data import fingerprints
from realart.data.fingerprints import MIRROR, VIEWS, Orientation, orient_hashes, orient_thumbnails
from realart.data.near_duplicates import ORIENTATIONS

SEEDS = st.integers(0, 10**6)


def test_hashes_are_the_same_numbers_on_every_machine() -> None:
    x, y = np.meshgrid(np.arange(64), np.arange(48))
    computed = fingerprint(np.dstack([x * 4, y * 5, (x * y) % 256]).astype(np.uint8))
    assert computed.hashes.tolist() == [
        3442842559739982,
        65004594657286,
        3443117437644878,
        47343957702958,
        56209039030486,
        3328662937526,
        3442842559739982,
        56208971921622,
        3443117437646926,
        47343957702958,
    ]
    assert int(MIRROR) == 11725233174763952680


@given(SEEDS, st.sampled_from(ORIENTATIONS))
def test_oriented_hashes_are_those_of_oriented_pictures(
    seed: int, orientation: Orientation
) -> None:
    pixels = picture(seed, 64, 64)
    first, second = (
        fingerprint(pixels),
        fingerprint(orient_thumbnails(pixels[None], orientation)[0]),
    )
    for view in (0, 1):
        apart = orient_hashes(first.hashes[[view]], orientation)[0] ^ second.hashes[view]
        # Pillow shrinks across before down and rounds between, and what is nearly 0 has no sign.
        assert int(apart).bit_count() <= 5
    assert int(MIRROR).bit_count() > 24


@given(SEEDS)
def test_the_hash_of_a_view_is_near_that_of_the_crop(seed: int) -> None:
    pixels = picture(seed, 96, 96)
    whole = fingerprint(pixels)
    for (rows, columns), hashed in zip(VIEWS, whole.hashes, strict=True):
        part = pixels[rows.start * 3 : rows.stop * 3, columns.start * 3 : columns.stop * 3]
        assert int(hashed ^ fingerprint(part).hashes[0]).bit_count() <= 8


def test_a_few_things_on_plain_ground_are_sparse() -> None:
    pixels = plain((255, 255, 255))
    pixels[10:16, 20:50] = 0
    assert fingerprint(pixels).sparse
    assert not fingerprint(picture(0)).sparse


def test_exact_is_a_digest_of_the_stored_file() -> None:
    image = Image.fromarray(picture(0))
    first, second = (fingerprints.fingerprint(image, data) for data in (b"first", b"second"))
    assert first.exact != second.exact
    assert first.exact == fingerprints.fingerprint(Image.fromarray(picture(1)), b"first").exact
