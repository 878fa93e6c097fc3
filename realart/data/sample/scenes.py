"""Random scenes of the sample pictures, shared by both classes.

A scene is a stack of flat shapes with a colour gradient and a stroke direction. It is independent
of the label: `painting` and `generating` render the same kinds of scene.
"""

import math
from collections.abc import Callable

import numpy as np

from realart.data.sample.motifs import bottle, face, fruit, house, sky, table, tree
from realart.data.sample.sketch import PALETTES, Colour, Shape, Sketch


def hills(s: Sketch) -> None:
    """Draw rolling hills under a sky, with trees and now and then a house."""
    sky(s, 0.75)
    count = int(s.rng.integers(3, 6))
    for k in range(count):
        depth = k / (count - 1)
        index = 2 + round(2 * depth)
        y = 0.45 + 0.42 * depth + s.uniform(-0.04, 0.04)
        s.ridge(y, 0.12, s.tint(index, 14), s.tint(index, -14), flow=s.uniform(-0.4, 0.4))
        if k == 1 and s.rng.random() < 0.6:
            house(s, s.uniform(0.1, 0.8), y + 0.07, s.uniform(0.08, 0.15))
        for _ in range(int(s.rng.integers(0, 4))):
            tree(s, s.uniform(0.05, 0.95), y + 0.1, (0.08 + 0.2 * depth) * s.uniform(0.7, 1.4))


def mountains(s: Sketch) -> None:
    """Draw peaks behind a lake that mirrors them."""
    sky(s, 0.7)
    shore = s.uniform(0.55, 0.7)
    for k in range(3):
        s.ridge(
            shore - 0.12 + 0.05 * k,
            0.3 - 0.08 * k,
            s.tint((6, 2, 3)[k], 4),
            s.tint(2 + k),
            True,
            s.uniform(0.7, 1.1),
        )
    s.box(0, shore, 1, 1.0, s.tint(1, -12), s.tint(0, -25), 0.0, 0.05, 26)
    for _ in range(int(s.rng.integers(5, 14))):
        x, y = s.uniform(0, 1), s.uniform(shore + 0.02, 0.98)
        s.blob(x, y, s.uniform(0.06, 0.3), 0.008 + 0.02 * (y - shore), s.any_tint(10), flow=0.0)
    if s.rng.random() < 0.5:
        tree(s, s.uniform(0.05, 0.95), 1.0, s.uniform(0.35, 0.6))


def sea(s: Sketch) -> None:
    """Draw waves to a horizon, and sails."""
    line = s.uniform(0.3, 0.62)
    sky(s, line)
    s.box(0, line, 1, 1, s.tint(2), s.tint(int(s.rng.choice([0, 4]))), 0.0, 0.12, 26)
    for _ in range(int(s.rng.integers(14, 34))):
        y = line + (1 - line) * s.uniform(0.02, 1) ** 1.3
        thick_style = 0.004 + 0.03 * (y - line)
        s.blob(
            s.uniform(0, 1),
            y,
            s.uniform(0.05, 0.3),
            thick_style,
            s.tint(int(s.rng.choice([0, 1, 2, 6]))),
            flow=0.0,
        )
    for _ in range(int(s.rng.integers(0, 4))):
        x, y, size = s.uniform(0.1, 0.9), s.uniform(line + 0.02, 0.85), s.uniform(0.06, 0.2)
        s.add(
            [(x, y), (x, y - size * 1.5), (x + size * 0.8 * s.wide, y)], s.tint(6), s.tint(5), 1.4
        )
        s.add(
            [
                (x - size * 0.6, y),
                (x + size * 0.9, y),
                (x + size * 0.6, y + size * 0.3),
                (x - size * 0.4, y + size * 0.3),
            ],
            s.tint(7, 10),
            s.tint(7),
        )


def still_life(s: Sketch) -> None:
    """Draw bottles and fruit on a table."""
    edge = table(s)
    for _ in range(int(s.rng.integers(1, 4))):
        bottle(s, s.uniform(0.15, 0.85), edge + s.uniform(0.06, 0.16), s.uniform(0.35, 0.62))
    for _ in range(int(s.rng.integers(3, 8))):
        fruit(s, s.uniform(0.1, 0.9), edge + s.uniform(0.1, 0.28), s.uniform(0.06, 0.12))


def flowers(s: Sketch) -> None:
    """Draw flowers in a vase."""
    edge = table(s)
    x, foot = s.uniform(0.4, 0.6), edge + 0.2
    bottle(s, x, foot, s.uniform(0.4, 0.5))
    for _ in range(int(s.rng.integers(8, 18))):
        s.blob(
            x + s.uniform(-0.3, 0.3) * s.wide,
            s.uniform(0.18, 0.5),
            s.uniform(0.06, 0.13),
            0.025,
            s.tint(4, 18),
            s.tint(3),
            0.1,
            s.uniform(0, 3),
            s.uniform(0, 3),
        )
    for _ in range(int(s.rng.integers(5, 12))):
        cx, cy = x + s.uniform(-0.34, 0.34) * s.wide, s.uniform(0.1, 0.45)
        size, index = s.uniform(0.04, 0.09), int(s.rng.choice([1, 5, 5, 6]))
        for k in range(6):
            a = k * math.pi / 3
            s.blob(
                cx + size * math.cos(a) * s.wide,
                cy + size * math.sin(a) * s.tall,
                size,
                size * 0.55,
                s.tint(index, 10),
                s.tint(index, -16),
                0.05,
                a,
                a,
            )
        s.blob(cx, cy, size * 0.45, size * 0.45, s.tint(7, 40))


SKINS: tuple[Colour, ...] = ((232, 190, 160), (150, 98, 70), (205, 150, 118))
HAIRS: tuple[Colour, ...] = (
    (44, 34, 32),
    (92, 60, 40),
    (150, 104, 56),
    (170, 80, 44),
    (60, 56, 58),
)


def portrait(s: Sketch) -> None:
    """Draw a head and shoulders."""
    wall = int(s.rng.choice([0, 2, 3, 7]))
    s.box(0, 0, 1, 1, s.tint(wall, 8), s.tint(wall, -18), s.uniform(0, 3), s.uniform(0.2, 0.9), 30)
    x, y, r = s.uniform(0.4, 0.6), s.uniform(0.36, 0.44), s.uniform(0.17, 0.22)
    skin = SKINS[int(s.rng.integers(0, len(SKINS)))]
    hair = HAIRS[int(s.rng.integers(0, len(HAIRS)))]
    coat = int(s.rng.choice([0, 3, 4, 5]))
    lit: Colour = (min(255, skin[0] + 18), skin[1] + 14, skin[2] + 8)
    shade: Colour = (skin[0] - 50, skin[1] - 50, skin[2] - 42)
    shine: Colour = (hair[0] + 30, hair[1] + 26, hair[2] + 20)
    dx, dy = r * s.wide, r * s.tall
    s.blob(x, y - 0.1 * dy, r * 1.25, r * s.uniform(1.4, 1.9), shine, hair, 0.05, 1.4)
    s.blob(x, 1.08, r * 2.5, r * 2.6, s.tint(coat, 14), s.tint(coat, -20), 0.03, 1.1)
    s.box(x - 0.4 * dx, y + 0.7 * dy, x + 0.4 * dx, y + 2.0 * dy, shade, skin, 1.5)
    s.blob(x, y, r * 0.95, r * 1.3, lit, skin, 0.0, 1.3)
    s.blob(x + 0.5 * dx, y + 0.15 * dy, r * 0.4, r * 1.0, skin, shade, 0.0, 1.5)
    face(s, x, y, r, shade, hair)
    s.blob(x, y - 1.05 * dy, r * 1.05, r * 0.5, shine, hair, 0.06, 0.3)


def fields(s: Sketch) -> None:
    """Draw an abstract picture: bands and blocks of colour, discs and bars."""
    s.box(0, 0, 1, 1, s.any_tint(), s.any_tint(), s.uniform(0, 3), s.uniform(0, 0.8), 26)
    for _ in range(int(s.rng.integers(2, 5))):
        y, x = s.uniform(0.02, 0.8), s.uniform(0.0, 0.15)
        s.box(
            x,
            y,
            1 - x,
            y + s.uniform(0.1, 0.4),
            s.any_tint(),
            s.any_tint(),
            s.uniform(0, 3),
            0.2,
            30,
        )
    for _ in range(int(s.rng.integers(2, 9))):
        x, y, r = s.uniform(0.1, 0.9), s.uniform(0.1, 0.9), s.uniform(0.04, 0.24)
        s.blob(
            x,
            y,
            r,
            r * s.uniform(0.4, 1),
            s.any_tint(12),
            s.any_tint(-12),
            s.uniform(0, 0.2),
            s.uniform(0, 3),
            s.uniform(0, 3),
        )
    for _ in range(int(s.rng.integers(0, 5))):
        x, y, dx = s.uniform(0, 1), s.uniform(0, 1), s.uniform(-0.6, 0.6)
        s.add([(x, y), (x + dx, y + 0.3), (x + dx + 0.02, y + 0.33), (x + 0.02, y)], s.tint(7))


def forest(s: Sketch) -> None:
    """Draw trunks and leaves with light between them."""
    s.box(0, 0, 1, 1, s.tint(1), s.tint(3), 1.5, s.uniform(0.2, 0.6), 34)
    s.ridge(s.uniform(0.68, 0.82), 0.06, s.tint(3), s.tint(4, -12))
    for k in range(int(s.rng.integers(5, 12))):
        x, w, foot = s.uniform(0, 1), (0.008 + 0.004 * k) * s.wide, 0.72 + 0.02 * k
        lean = s.uniform(-0.05, 0.05)
        s.add(
            [(x - w, foot), (x + w, foot), (x + lean + w * 0.6, -0.05), (x + lean - w, -0.05)],
            s.tint(7, 30 - 3 * k),
            s.tint(7, 8),
            1.5,
        )
    for _ in range(int(s.rng.integers(14, 30))):
        index = int(s.rng.choice([2, 3, 4, 5]))
        s.blob(
            s.uniform(0, 1),
            s.uniform(0, 0.45),
            s.uniform(0.04, 0.12),
            s.uniform(0.03, 0.09),
            s.tint(index, 22),
            s.tint(index, -8),
            0.2,
            s.uniform(0, 3),
        )


def town(s: Sketch) -> None:
    """Draw a street of gables and lit windows."""
    sky(s, 0.8)
    for row, foot in enumerate((0.72, 0.86)):
        x = -s.uniform(0, 0.1)
        while x < 1:
            wide, top = s.uniform(0.1, 0.2), foot - s.uniform(0.2, 0.5) + 0.1 * row
            index = int(s.rng.choice([1, 2, 3, 4, 6]))
            s.box(x, top, x + wide, 1, s.tint(index, 8), s.tint(index, -20), 1.5, 0.06, 16)
            s.add(
                [(x - 0.01, top), (x + wide / 2, top - s.uniform(0, 0.12)), (x + wide + 0.01, top)],
                s.tint(5),
                s.tint(5, -18),
                0.5,
            )
            lamp = int(s.rng.choice([6, 7]))
            for k in range(int(s.rng.integers(2, 5))):
                for u in (0.18, 0.6):
                    y = top + 0.05 + 0.1 * k
                    s.box(x + wide * u, y, x + wide * (u + 0.2), y + 0.05, s.tint(lamp))
            x += wide
    s.ridge(0.9, 0.01, s.tint(4), s.tint(7, 20), flow=0.0)


KINDS: tuple[Callable[[Sketch], None], ...] = (
    hills, mountains, sea, still_life, flowers, portrait, fields, forest, town,
)  # fmt: skip


def draw_scene(width: int, height: int, rng: np.random.Generator) -> list[Shape]:
    """Draw a random scene for a picture of this size; return its shapes from back to front."""
    palette = PALETTES[int(rng.integers(0, len(PALETTES)))]
    colours = tuple((int(c[:2], 16), int(c[2:4], 16), int(c[4:], 16)) for c in palette)
    short = min(width, height)
    sketch = Sketch(rng, colours, short / width, short / height)
    KINDS[int(rng.integers(0, len(KINDS)))](sketch)
    if rng.random() < 0.5:
        return sketch.shapes
    return [mirrored(shape) for shape in sketch.shapes]


def mirrored(shape: Shape) -> Shape:
    """Return the mirror image of a shape."""
    outline = shape.outline * [-1.0, 1.0] + [1.0, 0.0]
    return Shape(outline, shape.top, shape.bottom, -shape.flow, shape.swirl, shape.grain)
