"""The parts of a file are counted as its format has them, and too many are refused at once."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import animation, file, picture

from benchmarks import hostile
from realart.data import decoding, structure
from realart.data.decoding import UnusableFileError

PARTS = {
    hostile.jpeg_segments: 1, hostile.jpeg_junk: 1, hostile.png_chunks: 1, hostile.gif_frames: 2,
    hostile.tiff_pages: 6, hostile.tiff_rationals: 1,
}  # fmt: skip
"""How many parts each of what a maker repeats has."""
STARTS = (b"\xff\xd8", structure.PNG, b"GIF89a", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+")


@pytest.mark.parametrize("make", PARTS, ids=lambda make: make.__name__)
@given(count=st.integers(1, 300))
def test_parts_are_counted(make: Callable[[int], bytes], count: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(structure, "BYTES_A_PART", 10**9)
        for most in (PARTS[make] * count - 1, PARTS[make] * count + 40):
            patched.setattr(structure, "PARTS", most)
            found = structure.excess(make(count))
            assert found == (f"more than {most} parts" if most < PARTS[make] * count else "")


@pytest.mark.parametrize("make", PARTS, ids=lambda make: make.__name__)
def test_too_many_parts_are_refused(make: Callable[[int], bytes]) -> None:
    with pytest.raises(UnusableFileError, match=r"^too large: more than \d{6} parts$"):
        decoding.read(make(300_000))


@pytest.mark.parametrize("count", [99, 100, 101, 150])
def test_scans_are_counted(count: int) -> None:
    data = hostile.jpeg_scans(count - 9)
    assert structure.excess(data) == ("more than 100 scans" if count > 100 else "")
    if count <= 100:
        decoding.read(data)


def test_what_looks_like_scans_elsewhere_is_none() -> None:
    data, scans = file(picture(0), "JPEG"), b"\xff\xda" * 500
    comment = b"\xff\xfe" + (2 + len(scans)).to_bytes(2, "big") + scans
    assert structure.excess(data[:2] + comment + data[2:] + scans) == ""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "MPO"])
def test_whole_files_have_no_excess(kind: str) -> None:
    assert structure.excess(file(picture(0), kind)) == ""


def test_the_frames_of_a_gif_may_have_colours_of_their_own() -> None:
    data = animation("GIF")
    blocks = [data[at : at + 1] for at in structure._gif_blocks(data)]
    assert blocks.count(b",") >= 2
    assert data[-1:] == b";"


def test_a_circle_of_directories_ends() -> None:
    data = hostile.tiff_pages(5)
    circle = data[:-4] + data[4:8]
    assert structure.excess(circle) == ""
    assert len([*structure._tiff_entries(circle)]) == len([*structure._tiff_entries(data)])


def test_an_entry_without_fractions_is_a_part() -> None:
    """Directories may share their entries, so what counts as none could be read without an end."""
    assert len([*structure._tiff_entries(hostile.tiff_rationals(0))]) == 11
    assert len([*structure._tiff_entries(hostile.tiff_rationals(5))]) == 15


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_any_bytes_have_an_answer(start: bytes, data: bytes) -> None:
    assert structure.excess(start + data) in ("", "more than 100 scans")
