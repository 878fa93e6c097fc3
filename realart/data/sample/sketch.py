"""Palettes, flat shapes, and a sketch that stacks shapes to a scene."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]

# Sky high, sky low, far, middle, near, accent, light, dark.
PALETTES: tuple[tuple[str, ...], ...] = (
    ("4a7fb5", "f2d9a8", "8aa6b0", "6f8f5a", "3f5f3a", "c8553d", "fbf0d0", "2b2a33"),
    ("2b3a67", "f29e6d", "7a5c86", "4b4e6d", "2a2d43", "f2c14e", "ffe8c2", "1b1a28"),
    ("9cc4d9", "f4efe0", "a9c0a6", "b5a75b", "7a7d3f", "d9822b", "fffbea", "4a3b2a"),
    ("1d3557", "457b9d", "5b8ea6", "2f6f73", "16404d", "e63946", "f1faee", "0b1d2e"),
    ("d8a47f", "f7e1c5", "b98b73", "8c5a48", "5c3a35", "3c7a89", "fff3df", "2e1f1d"),
    ("6d597a", "eaac8b", "b56576", "6b705c", "3f4238", "e9c46a", "fde8d7", "2d2433"),
    ("87a8a4", "e6e2c8", "a3b18a", "588157", "344e41", "bc4749", "f8f4e3", "23302a"),
    ("31486b", "9fb8c8", "6a7f92", "56657a", "2f3b4c", "e0a458", "eef3f5", "161c26"),
    ("e8b04a", "f9e7a8", "d98e32", "a65f2a", "6b3d24", "2f6690", "fff6d6", "33221a"),
    ("7fb7be", "d3f3ee", "71a099", "c2956b", "7d5a44", "dd6e42", "fbfaf0", "2c3e44"),
    ("a05c7b", "f5cac3", "84a59d", "5f7f78", "3a4f55", "f28482", "fff1ec", "2a2335"),
    ("515b5e", "c9c5b1", "8b8f86", "70685a", "46413a", "b08d57", "ece7d8", "201f1d"),
)


@dataclass(frozen=True)
class Shape:
    """A polygon: `outline` of x, y in [0, 1], float64 (n, 2), and colours at its top and bottom.

    `flow` is the direction of strokes in radians, `swirl` its variation (0 to 1), `grain` the
    variation of the colour inside (0 to 60).
    """

    outline: npt.NDArray[np.float64]
    top: Colour
    bottom: Colour
    flow: float = 0.0
    swirl: float = 0.1
    grain: int = 16


@dataclass
class Sketch:
    """A stack of shapes, from back to front; `tall` and `wide` compensate for the aspect."""

    rng: np.random.Generator
    colours: tuple[Colour, ...]
    wide: float
    tall: float
    shapes: list[Shape] = field(default_factory=list)

    def uniform(self, low: float, high: float) -> float:
        """Draw a number from the uniform distribution between `low` and `high`."""
        return low + (high - low) * float(self.rng.random())

    def tint(self, index: int, shift: int = 0) -> Colour:
        """Return palette colour `index`, lightened by `shift` and jittered."""
        jitter = self.rng.integers(-12, 13, 3) + shift
        red, green, blue = (
            min(255, max(0, c + int(j))) for c, j in zip(self.colours[index], jitter, strict=True)
        )
        return red, green, blue

    def any_tint(self, shift: int = 0) -> Colour:
        """Return a random colour of the palette, lightened by `shift` and jittered."""
        return self.tint(int(self.rng.integers(0, 8)), shift)

    def add(
        self,
        points: list[tuple[float, float]],
        top: Colour,
        bottom: Colour | None = None,
        flow: float = 0.0,
        swirl: float = 0.1,
        grain: int = 16,
    ) -> None:
        """Add a polygon on top."""
        outline = np.array(points, np.float64)
        self.shapes.append(Shape(outline, top, bottom or top, flow, swirl, grain))

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        top: Colour,
        bottom: Colour | None = None,
        flow: float = 0.0,
        swirl: float = 0.1,
        grain: int = 16,
    ) -> None:
        """Add an upright rectangle on top."""
        self.add([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], top, bottom, flow, swirl, grain)

    def blob(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        top: Colour,
        bottom: Colour | None = None,
        rough: float = 0.0,
        flow: float = 0.8,
        turn: float = 0.0,
    ) -> None:
        """Add an ellipse on top, radii in units of the short side, its edge `rough` (0 to 1)."""
        angles = [2 * math.pi * k / 28 for k in range(28)]
        radii = [1 + rough * self.uniform(-1, 1) for _ in angles]
        offsets = [
            (rx * r * math.cos(a), ry * r * math.sin(a)) for a, r in zip(angles, radii, strict=True)
        ]
        cos, sin = math.cos(turn), math.sin(turn)
        points = [
            (x + (dx * cos - dy * sin) * self.wide, y + (dx * sin + dy * cos) * self.tall)
            for dx, dy in offsets
        ]
        self.add(points, top, bottom, flow, 0.35, 18)

    def ridge(
        self,
        y: float,
        height: float,
        top: Colour,
        bottom: Colour,
        sharp: bool = False,
        flow: float = 0.1,
    ) -> None:
        """Add land on top: all below a wavy (or jagged) line about `y`."""
        waves = [(self.uniform(0.5, 1.6) * 2**k, self.uniform(0, 6.3), 0.6**k) for k in range(3)]
        line = []
        for k in range(41):
            rise = sum(a * math.sin(f * 6.0 * k / 40 + p) for f, p, a in waves) / 2
            jag = self.uniform(-0.5, 0.5) if sharp else 0.0
            line.append((k / 40, y + height * (abs(rise) * -1.5 + jag * 0.4 if sharp else rise)))
        self.add([(0.0, 1.1), *line, (1.0, 1.1)], top, bottom, flow, 0.15, 22)
