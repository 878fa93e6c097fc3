"""Different pictures that share most of their area, and frames of slow scenes.

The former are frames, skies, pages and screenshots; of the latter, each frame is nearly the next.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

LONG_SIDE = 512
TEXT = (
    "the of and to in a is that for it as was with be by on not he this are or his from at which "
    "but have an had they you were their one all we can her has there been if more when will would "
    "who so no painting canvas oil study museum light colour figure landscape portrait paper"
)

Kind = Callable[[Image.Image, np.random.Generator], Image.Image]
"""Makes an original of a kind from a picture, which it may ignore, and random numbers."""


def matted(share: float, colour: str) -> Kind:
    """Lay the picture, `share` of each side, on the middle of a plain mat."""

    def make(picture: Image.Image, _: np.random.Generator) -> Image.Image:
        mat = Image.new("RGB", (410, LONG_SIDE), colour)
        inside = (round(mat.width * share), round(mat.height * share))
        picture = ImageOps.fit(picture, inside, Image.Resampling.LANCZOS)
        mat.paste(picture, ((mat.width - inside[0]) // 2, (mat.height - inside[1]) // 2))
        return mat

    return make


def letterboxed(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    """Show the picture across a phone's black screen of 9:19.5."""
    screen = Image.new("RGB", (236, LONG_SIDE), "black")
    picture = ImageOps.contain(picture, screen.size, Image.Resampling.LANCZOS)
    screen.paste(picture, ((236 - picture.width) // 2, (LONG_SIDE - picture.height) // 2))
    return screen


def polaroid(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Print the square middle of the picture on instant film, whose paper has grain."""
    paper = rng.normal(238, 3, (500, 420, 1)).clip(0, 255).astype(np.uint8).repeat(3, 2)
    film = Image.fromarray(paper)
    film.paste(ImageOps.fit(picture, (370, 370), Image.Resampling.LANCZOS), (25, 30))
    return film


def scanned(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Scan the picture on a bed whose lid is grey, a little uneven, and darker at one side."""
    shade = np.linspace(205, 190, 480)[None, :, None] + rng.normal(0, 2, (LONG_SIDE, 480, 1))
    bed = Image.fromarray(shade.clip(0, 255).astype(np.uint8).repeat(3, 2))
    picture = ImageOps.fit(picture, (300, 340), Image.Resampling.LANCZOS)
    bed.paste(picture, (int(rng.integers(80, 100)), int(rng.integers(70, 100))))
    return bed


def screenshot(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    """Show the picture in a gallery's window, with bars and buttons that are always the same."""
    window = Image.new("RGB", (LONG_SIDE, 320), (32, 34, 40))
    draw = ImageDraw.Draw(window)
    draw.rectangle((0, 0, LONG_SIDE, 28), (58, 62, 72))
    for number in range(6):
        draw.rounded_rectangle((8 + 60 * number, 6, 56 + 60 * number, 22), 5, (110, 118, 135))
        draw.ellipse((476, 60 + 40 * number, 500, 84 + 40 * number), (230, 160, 60))
    draw.text((16, 296), "Gallery - next - previous - share", (220, 220, 220), font_size=14)
    picture = ImageOps.fit(picture, (400, 240), Image.Resampling.LANCZOS)
    window.paste(picture, (40, 42))
    return window


def card(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    """Print the picture on a playing card: an ornate frame takes half of the area."""
    front = Image.new("RGB", (360, LONG_SIDE), (196, 160, 92))
    draw = ImageDraw.Draw(front)
    for step in range(0, 60, 6):
        box = (step, step, 359 - step, 511 - step)
        draw.rounded_rectangle(box, 20, outline=(90 + 2 * step, 50 + step, 20), width=3)
    draw.rectangle((40, 400, 320, 480), (238, 228, 200), (80, 50, 20))
    for line in range(4):
        draw.text((50, 408 + 16 * line), "When it enters, draw two cards.", "black", font_size=12)
    front.paste(ImageOps.fit(picture, (270, 320), Image.Resampling.LANCZOS), (45, 60))
    return front


def sky(_: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Paint a clear sky from dark to light, with a sun somewhere."""
    top, bottom = rng.uniform((20, 60, 140), (90, 130, 220)), rng.uniform((180, 160, 120), 255, 3)
    ramp = np.linspace(0, 1, 384)[:, None, None]
    pixels = np.broadcast_to((1 - ramp) * top + ramp * bottom, (384, LONG_SIDE, 3))
    image = Image.fromarray(pixels.astype(np.uint8))
    (x, y), radius = rng.uniform((40, 40), (470, 340)), rng.uniform(12, 34)
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), (255, 244, 210))
    return image.filter(ImageFilter.GaussianBlur(1))


def page(_: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Set a page of running text in paragraphs."""
    paper = Image.new("RGB", (362, LONG_SIDE), "white")
    draw, y = ImageDraw.Draw(paper), 40
    while y < 465:
        for _line in range(int(rng.integers(2, 8))):
            text = " ".join(rng.choice(TEXT.split(), 14))
            while draw.textlength(text, font_size=10) > 282:
                text = text.rpartition(" ")[0]
            draw.text((40, y), text, "black", font_size=10)
            y += 13
            if y >= 465:
                break
        else:
            draw.rectangle((40 + int(rng.integers(60, 250)), y - 13, 330, y), "white")
            y += 7
    return paper


KINDS: dict[str, Kind] = {
    "white mat, .4 of each side": matted(0.4, "white"),
    "white mat, .5 of each side": matted(0.5, "white"),
    "black mat, .5 of each side": matted(0.5, "black"),
    "phone letterbox": letterboxed,
    "Polaroid": polaroid,
    "scan with margins": scanned,
    "screenshot of a gallery": screenshot,
    "playing card": card,
    "sky with a sun": sky,
    "page of text": page,
}


def pan(first: Image.Image, _: Image.Image, share: float) -> Image.Image:
    """Show a window of the first picture, .6 of each side, that moves along its long side."""
    width, height = (round(0.6 * side) for side in first.size)
    along = (share, 0.5) if first.width > first.height else (0.5, share)
    left = round(along[0] * (first.width - width))
    top = round(along[1] * (first.height - height))
    return first.crop((left, top, left + width, top + height))


def blend(first: Image.Image, second: Image.Image, share: float) -> Image.Image:
    """Fade from the first picture into the second, both of the first one's shape."""
    return Image.blend(first, ImageOps.fit(second, first.size, Image.Resampling.LANCZOS), share)


SCENES: dict[str, Callable[[Image.Image, Image.Image, float], Image.Image]] = {
    "slow pan": pan,
    "slow blend": blend,
}
"""Frame of a scene of two pictures, at a share (0 to 1) of its time."""
