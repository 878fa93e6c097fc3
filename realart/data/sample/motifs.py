"""Motifs that scenes are composed of: sky, tree, house, table, fruit, bottle, face."""

from realart.data.sample.sketch import Colour, Sketch


def sky(s: Sketch, low: float = 1.0) -> None:
    """Draw a sky down to `low`, with a sun or moon and clouds now and then."""
    swirl = s.uniform(0.05, 0.6)
    s.box(0, 0, 1, low, s.tint(0), s.tint(1), 0.0, swirl, 14)
    if s.rng.random() < 0.75:
        x, y, r = s.uniform(0.12, 0.88), s.uniform(0.08, 0.6) * low, s.uniform(0.05, 0.12)
        s.blob(x, y, r * 1.7, r * 1.7, s.tint(1, 18), rough=0.05)
        s.blob(x, y, r, r, s.tint(int(s.rng.choice([5, 6])), 12))
    for _ in range(int(s.rng.integers(0, 6))):
        x, y = s.uniform(0, 1), s.uniform(0.05, 0.8) * low
        s.blob(
            x, y, s.uniform(0.08, 0.26), s.uniform(0.02, 0.06), s.tint(6), s.tint(1, 8), 0.2, 0.0
        )


def tree(s: Sketch, x: float, y: float, size: float) -> None:
    """Draw a tree that stands on (x, y)."""
    width = size * 0.09 * s.wide
    tip = y - size * 0.8 * s.tall
    s.add(
        [(x - width, y), (x + width, y), (x + width / 2, tip), (x - width / 2, tip)],
        s.tint(7, 14),
        s.tint(7),
        1.5,
    )
    crown = int(s.rng.choice([3, 4, 5]))
    for _ in range(int(s.rng.integers(3, 7))):
        dx, dy = s.uniform(-0.3, 0.3) * size, s.uniform(-0.35, 0.25) * size
        s.blob(
            x + dx * s.wide,
            tip + dy * s.tall,
            size * s.uniform(0.2, 0.36),
            size * s.uniform(0.16, 0.3),
            s.tint(crown, 22),
            s.tint(crown, -14),
            0.15,
            s.uniform(0, 3),
        )


def house(s: Sketch, x: float, y: float, size: float) -> None:
    """Draw a house whose lower left corner is (x, y)."""
    wide, tall = size * s.wide, size * s.uniform(0.6, 1.0) * s.tall
    s.box(x, y - tall, x + wide, y, s.tint(6), s.tint(6, -25), 1.5)
    s.add(
        [(x - wide * 0.1, y - tall), (x + wide / 2, y - tall * 1.6), (x + wide * 1.1, y - tall)],
        s.tint(5),
        s.tint(5, -20),
        0.5,
    )
    for k in (0.18, 0.6):
        s.box(x + wide * k, y - tall * 0.75, x + wide * (k + 0.2), y - tall * 0.4, s.tint(7))


def table(s: Sketch) -> float:
    """Draw a wall and a table; return the height of the table's edge."""
    edge = s.uniform(0.5, 0.68)
    wall = int(s.rng.choice([0, 1, 2, 3, 7]))
    s.box(0, 0, 1, 1, s.tint(wall, 10), s.tint(wall, -14), s.uniform(0, 3), s.uniform(0.1, 0.6), 26)
    cloth = int(s.rng.choice([1, 4, 5, 6]))
    s.ridge(edge, 0.015, s.tint(cloth, 10), s.tint(cloth, -30), flow=s.uniform(-0.3, 0.3))
    return edge


def fruit(s: Sketch, x: float, y: float, size: float) -> None:
    """Draw a round fruit with its shadow and its light."""
    index = int(s.rng.choice([2, 3, 5, 5]))
    s.blob(
        x + 0.3 * size * s.wide,
        y + size * 0.75 * s.tall,
        size * 1.2,
        size * 0.35,
        s.tint(7, 12),
        flow=0.0,
    )
    s.blob(
        x, y, size, size * s.uniform(0.85, 1.1), s.tint(index, 22), s.tint(index, -40), 0.03, 0.9
    )
    s.blob(x - 0.3 * size * s.wide, y - 0.35 * size * s.tall, size * 0.25, size * 0.2, s.tint(6))


def bottle(s: Sketch, x: float, y: float, size: float) -> None:
    """Draw a bottle or jug that stands on (x, y)."""
    index = int(s.rng.choice([0, 2, 4, 5, 7]))
    dx, neck = size * s.uniform(0.18, 0.3) * s.wide, s.uniform(0.25, 0.5)
    top, shoulder = y - size * s.tall, y - size * 0.6 * s.tall
    right = [
        (x + dx, y),
        (x + dx * 1.1, shoulder),
        (x + dx * neck, shoulder - 0.1 * size),
        (x + dx * neck, top),
    ]
    left = [(2 * x - px, py) for px, py in reversed(right)]
    s.add(right + left, s.tint(index, 18), s.tint(index, -24), 1.5)
    s.box(x - dx * 0.6, shoulder, x - dx * 0.4, y - 0.1 * size, s.tint(6), None, 1.5)


def face(s: Sketch, x: float, y: float, r: float, shade: Colour, hair: Colour) -> None:
    """Draw eyes, nose and mouth of a head of radius `r` about (x, y)."""
    dx, dy = r * s.wide, r * s.tall
    for side in (-1, 1):
        eye = x + side * 0.38 * dx
        s.blob(eye, y - 0.12 * dy, r * 0.2, r * 0.11, (240, 232, 220))
        s.blob(eye, y - 0.12 * dy, r * 0.1, r * 0.11, s.tint(7))
        s.blob(eye, y - 0.36 * dy, r * 0.24, r * 0.045, hair, flow=0.0, turn=side * 0.15)
    nose = [(x, y), (x + 0.15 * dx, y + 0.42 * dy), (x - 0.1 * dx, y + 0.42 * dy)]
    s.add(nose, shade, None, 1.5)
    smile = [(-0.36, 0.66), (0.0, 0.72), (0.36, 0.66), (0.2, 0.84), (-0.2, 0.84)]
    s.add([(x + u * dx, y + v * dy) for u, v in smile], (176, 84, 78), (140, 60, 60))
