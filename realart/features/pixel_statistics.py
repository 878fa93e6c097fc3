"""Simple statistics of pixels: mean colour, a thumbnail, texture, traces of the shape.

The audit scores them, as shortcuts that a network may learn instead of the content.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from realart.data.pictures import Pixels, square

Vector = NDArray[np.float32]

THUMBNAIL = 8
BLOCK = 8
SQUARE = 128
SHAPES = ("squash", "crop", "pad")


def measure(image: Image.Image) -> dict[str, Vector]:
    """Compute the statistics of an RGB picture that do not depend on a square, by name."""
    pixels = np.asarray(image)
    missing = [(0, max(0, 2 * BLOCK - side)) for side in pixels.shape[:2]]
    large = np.pad(pixels, [*missing, (0, 0)], "wrap")  # a strip may be thinner than a block
    return {
        "mean_colour": mean_colour(pixels),
        "thumbnail": thumbnail(image),
        "texture": np.concatenate([block_energies(large), grid(large)]),
    }


def measure_squares(image: Image.Image) -> dict[str, Vector]:
    """Compute `square_statistics` of an RGB picture, as `square_<shape>` for each of `SHAPES`."""
    return {f"square_{shape}": square_statistics(image, shape) for shape in SHAPES}


def mean_colour(pixels: Pixels) -> Vector:
    """Compute the mean of each channel: shape (3,), 0 to 255."""
    sums = cv2.sumElems(pixels)[:3]  # exact, and ten times as fast as NumPy's mean
    return (np.array(sums) / (pixels.shape[0] * pixels.shape[1])).astype(np.float32)


def thumbnail(image: Image.Image) -> Vector:
    """Reduce the picture to 8x8 RGB pixels: shape (192,), 0 to 255."""
    small = image.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return np.asarray(small, np.float32).ravel()


def block_energies(pixels: Pixels) -> Vector:
    """Compute the logarithm of the mean absolute 8x8 DCT coefficients of luma: shape (64,).

    Blocks are those of JPEG. Quantisation leaves its mark there, in the high frequencies most
    (Fan and de Queiroz, "Identification of Bitmap Compression History", 2003).
    """
    return np.log1p(np.abs(block_coefficients(pixels)).mean((0, 1))).ravel().astype(np.float32)


def block_coefficients(pixels: Pixels) -> NDArray[np.float32]:
    """Compute the DCT of the 8x8 blocks of luma: shape (h // 8, w // 8, 8, 8)."""
    # Doubles, then rounded: BLAS adds in another order with another number of threads.
    grey = luma(pixels).astype(np.float64)
    height, width = (side // BLOCK * BLOCK for side in grey.shape)
    rows, columns = height // BLOCK, width // BLOCK
    blocks = grey[:height, :width].reshape(rows, BLOCK, columns, BLOCK).transpose(0, 2, 1, 3)
    coefficients = (blocks.reshape(-1, BLOCK * BLOCK) @ _DCT).astype(np.float32)
    return coefficients.reshape(rows, columns, BLOCK, BLOCK)


def grid(pixels: Pixels) -> Vector:
    """Compute the mean step at each offset from the JPEG grid: shape (16,), mean 1 each axis.

    Blocks of a JPEG show as steps at one offset of eight, wherever the picture was cut.
    """
    grey = luma(pixels).astype(np.float32)
    profiles = []
    for axis in (0, 1):
        steps = np.abs(np.diff(grey, axis=axis)).mean(1 - axis)
        means = np.array([steps[offset::BLOCK].mean() for offset in range(BLOCK)])
        profiles.append(means / max(float(means.mean()), 1e-6))
    return np.concatenate(profiles).astype(np.float32)


def square_statistics(image: Image.Image, shape: str) -> Vector:
    """Compute traces of a picture's own shape in the square that a network gets: shape (6,).

    Detail along and across (squashing stretches it), their ratio, the overall detail (a larger
    picture is shrunk more), and how far a flat border reaches in (padding).
    """
    grey = luma(square(image, SQUARE, shape)).astype(np.float32)
    across, down = (float(np.abs(np.diff(grey, axis=axis)).mean()) for axis in (1, 0))
    flat = [int((grey.std(axis) < 1e-6).sum()) for axis in (0, 1)]
    details = np.log([across + 0.1, down + 0.1])
    return np.array([*details, details[0] - details[1], details.sum(), *flat], np.float32)


def luma(pixels: Pixels) -> Pixels:
    """Compute the luma of RGB pixels: uint8, shape (h, w)."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _dct_matrix() -> NDArray[np.float32]:
    """Return the orthonormal DCT-II (Ahmed, Natarajan, Rao, 1974) of 8x8 samples: shape (64, 64).

    Of both axes at once, a column for each coefficient.
    """
    k, i = np.arange(BLOCK)[:, None], np.arange(BLOCK)[None, :]
    matrix = np.cos((2 * i + 1) * k * np.pi / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    matrix[0] /= np.sqrt(2)
    return np.kron(matrix, matrix).T.astype(np.float32)


_DCT = _dct_matrix()
