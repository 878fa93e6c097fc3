"""Borders are found where they are plain and straight, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import picture, plain
from PIL import Image, ImageDraw

from realart.data import borders
from realart.data.pictures import Pixels

SEEDS = st.integers(0, 10**6)
COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
WIDTH, HEIGHT = 200, 260


def content(pixels: Pixels) -> tuple[int, ...]:
    return tuple(round(side) for side in borders.content_box(Image.fromarray(pixels)))


def laid_on(ground: Pixels, pixels: Pixels, left: int, top: int) -> Pixels:
    laid = ground.copy()
    laid[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return laid


@given(SEEDS, st.sampled_from([0, 255]), st.tuples(*[st.integers(8, 60)] * 4))
def test_a_plain_border_is_cut_to_its_edge(
    seed: int, level: int, depths: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = depths
    inside = picture(seed, WIDTH - left - right, HEIGHT - top - bottom) // 2 + 64
    mat = plain((level, level, level), WIDTH, HEIGHT)
    found = content(laid_on(mat, inside, left, top))
    assert found == pytest.approx((left, top, WIDTH - right, HEIGHT - bottom), abs=2)


@given(SEEDS)
def test_grain_and_an_uneven_light_are_still_a_border(seed: int) -> None:
    rng = np.random.default_rng(seed)
    light = np.linspace(245, 235, WIDTH)[None, :, None] + rng.normal(0, 2, (HEIGHT, WIDTH, 1))
    paper = light.clip(0, 255).astype(np.uint8).repeat(3, 2)
    inside = picture(seed, 120, 160) // 2 + 32
    assert content(laid_on(paper, inside, 40, 50)) == pytest.approx((40, 50, 160, 210), abs=2)


@given(SEEDS)
def test_a_border_within_a_border_is_cut_too(seed: int) -> None:
    framed = laid_on(plain((20, 20, 20), 160, 200), picture(seed, 120, 160) // 2 + 80, 20, 20)
    found = content(laid_on(plain((250, 250, 250), WIDTH, HEIGHT), framed, 20, 30))
    assert found == pytest.approx((40, 50, 160, 210), abs=2)


@given(SEEDS)
def test_a_picture_without_a_border_is_all_content(seed: int) -> None:
    assert content(picture(seed, WIDTH, HEIGHT)) == (0, 0, WIDTH, HEIGHT)


@given(COLOURS, COLOURS)
def test_a_gradient_has_no_border(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    share = np.linspace(0, 1, HEIGHT)[:, None, None]
    ramp = (1 - share) * np.array(one) + share * np.array(other)
    pixels = np.broadcast_to(ramp, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    assert content(pixels) == (0, 0, WIDTH, HEIGHT)


@pytest.mark.parametrize("what", ["disc", "text"])
def test_what_lies_on_plain_ground_is_not_cut_out(what: str) -> None:
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    if what == "disc":
        draw.ellipse((50, 70, 150, 170), "red")
    for line in range(12 if what == "text" else 0):
        draw.text((30, 40 + 14 * line), "a page of running text, in lines", "black")
    assert content(np.asarray(image)) == (0, 0, WIDTH, HEIGHT)
