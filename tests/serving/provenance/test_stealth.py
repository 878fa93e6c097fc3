"""Texts in the lowest bits of pixels are read as generators write them, at little cost."""

import gzip
import io
import json
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import file, picture
from PIL import Image

from realart.serving.provenance import evidence, stealth

SETTINGS = "a castle\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Seed: 1"
NOVELAI = json.dumps(
    {
        "Description": "a castle",
        "Software": "NovelAI",
        "Comment": json.dumps({"steps": 28, "sampler": "k_euler", "uc": "fog"}),
    }
)
WHERE = {"png": "alpha", "rgb": "red, green and blue"}


def hide(
    text: str,
    kind: str = "png",
    compressed: bool = True,
    columns: bool = True,
    size: int | None = None,
    side: int = 80,
) -> Image.Image:
    """Hide a text in a picture, bit by bit, as the loops of generators do."""
    signature = f"stealth_{kind}{'comp' if compressed else 'info'}".encode()
    payload = gzip.compress(text.encode()) if compressed else text.encode()
    length = 8 * len(payload) if size is None else size
    message = signature + length.to_bytes(4, "big") + payload
    bits = [byte >> 7 - place & 1 for byte in message for place in range(8)]
    pixels = np.dstack([picture(0, side + 16, side), np.full((side, side + 16), 255, np.uint8)])
    height, width = pixels.shape[:2]
    channels = (3,) if kind == "png" else (0, 1, 2)
    places = [(row, column) for column in range(width) for row in range(height)]
    if not columns:
        places = [(row, column) for row in range(height) for column in range(width)]
    for at, bit in enumerate(bits):
        row, column = places[at // len(channels)]
        channel = channels[at % len(channels)]
        pixels[row, column, channel] = pixels[row, column, channel] & 0xFE | bit
    return Image.fromarray(pixels if kind == "png" else pixels[..., :3])


@pytest.mark.parametrize("columns", [True, False], ids=["columns", "rows"])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", WHERE)
@pytest.mark.parametrize(
    ("text", "program"), [(SETTINGS, "Stable Diffusion web UIs"), (NOVELAI, "NovelAI")]
)
def test_programs_are_named(
    text: str, program: str, kind: str, compressed: bool, columns: bool
) -> None:
    found = evidence(file(hide(text, kind, compressed, columns)))
    assert found == [f"text hidden in the lowest bits of {WHERE[kind]}: written by {program}"]


@pytest.mark.parametrize("kind", WHERE)
def test_lossless_webp(kind: str) -> None:
    image = hide(SETTINGS, kind).convert("RGBA")
    image.putpixel((95, 79), (1, 2, 3, 4))  # else it is written without alpha
    found = evidence(file(image, "WEBP", lossless=True, exact=True))
    assert found[0].startswith(f"text hidden in the lowest bits of {WHERE[kind]}: written by ")
    assert evidence(file(image, "WEBP", quality=95)) == []


def test_texts_of_unknown_programs_are_quoted() -> None:
    title = "text hidden in the lowest bits of alpha"
    assert evidence(file(hide("a castle"))) == [f"{title} 'a castle'"]
    assert evidence(file(hide('{"Software": "Dreamer"}'))) == [f"{title} 'Dreamer'"]
    assert evidence(file(hide("[" * 100_00, compressed=True))) == [f"{title} '{'[' * 79}…'"]


def test_an_interlaced_png() -> None:
    """Pillow can't write one: the rows of the seven passes are encoded here."""
    image = hide(SETTINGS)
    pixels, rows = np.asarray(image), b""
    for top, left, down, right in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):  # fmt: skip
        rows += b"".join(b"\0" + line.tobytes() for line in pixels[top::down, left::right])
    header = (96).to_bytes(4, "big") + (80).to_bytes(4, "big") + bytes((8, 6, 0, 0, 1))
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        len(c).to_bytes(4, "big") + k + c + zlib.crc32(k + c).to_bytes(4, "big") for k, c in chunks
    )
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    assert evidence(data) == evidence(file(image)) != []


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P", "L", "LA", "1", "I;16"])
def test_pictures_without_a_hidden_text(mode: str) -> None:
    image = Image.fromarray(picture(1))
    image = image.convert(mode) if mode != "I;16" else Image.new("I;16", (20, 20))
    assert evidence(file(image)) == []


def test_only_the_first_rows_of_pictures_without_a_text_are_decoded() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4096, 1024, 4), np.uint8)
    pixels[:16, 0] &= 0xFE
    data = file(Image.fromarray(pixels), compress_level=0)
    tracemalloc.start()
    assert evidence(data) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("size", [0, 7, 8, 10**6, 2**32 - 1])
def test_a_wrong_length_raises_nothing(size: int) -> None:
    for compressed in (True, False):
        assert len(evidence(file(hide(SETTINGS, compressed=compressed, size=size)))) <= 1


def test_a_hidden_decompression_bomb_is_not_unpacked() -> None:
    image = hide("\0" * 50_000_000, side=800)
    tracemalloc.start()
    evidence(file(image))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12 * stealth.MAX_LENGTH


@given(st.sampled_from([*WHERE]), st.integers(1, 24), st.integers(1, 24), st.integers(0, 2**32))
def test_tiny_pictures(kind: str, width: int, height: int, seed: int) -> None:
    """Pictures smaller than the signature, some of which start like it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)
    hidden = np.asarray(hide(SETTINGS, kind, compressed=False).convert("RGBA"))
    pixels[:, : width // 2] = hidden[:height, : width // 2]
    image = Image.fromarray(pixels if kind == "png" else pixels[..., :3])
    assert all(isinstance(sentence, str) for sentence in evidence(file(image)))
