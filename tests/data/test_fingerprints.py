"""Fingerprints: the same everywhere, blind to mirrors where they should be, of every view."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import fingerprint, picture, plain
from PIL import Image

from realart.data import fingerprints
from realart.data.fingerprints import MIRROR, VIEWS, Turn, turned, turned_hashes
from realart.data.near_duplicates import TURNS

SEEDS = st.integers(0, 10**6)


def test_hashes_are_the_same_numbers_on_every_machine() -> None:
    x, y = np.meshgrid(np.arange(64), np.arange(48))
    taken = fingerprint(np.dstack([x * 4, y * 5, (x * y) % 256]).astype(np.uint8))
    assert taken.hashes.tolist() == [
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


@given(SEEDS, st.sampled_from(TURNS))
def test_the_hash_of_a_turned_picture_is_known(seed: int, turn: Turn) -> None:
    pixels = picture(seed, 64, 64)
    one, other = fingerprint(pixels), fingerprint(turned(pixels[None], turn)[0])
    for view in (0, 1):
        apart = turned_hashes(one.hashes[[view]], turn)[0] ^ other.hashes[view]
        # Pillow shrinks across before down and rounds between, and what is nearly 0 has no sign.
        assert int(apart).bit_count() <= 5
    assert int(MIRROR).bit_count() > 24


@given(SEEDS)
def test_the_hash_of_a_view_is_near_that_of_the_part_it_shows(seed: int) -> None:
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


def test_exact_names_the_stored_file() -> None:
    image = Image.fromarray(picture(0))
    one, other = fingerprints.fingerprint(image, b"one"), fingerprints.fingerprint(image, b"other")
    assert one.exact != other.exact
    assert one.exact == fingerprints.fingerprint(Image.fromarray(picture(1)), b"one").exact
