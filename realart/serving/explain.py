"""Explanations of a decision: a picture, its ELA map, and a heat map of what moved the score."""

import io
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from realart.data import decoding
from realart.data.decoding import UnusableFileError
from realart.features import ela, preprocessing
from realart.metrics.plots import AI, HUMAN
from realart.models.trained_model import NOT_FINITE, TrainedModel
from realart.params import Ela, NetworkRecipe, PixelInput
from realart.serving import occlusion
from realart.serving.predict import predict_decoded

ELA = Ela(quality=75, scale="max", long_side=512)
"""Params of the ELA map that is drawn where the model itself has no ELA input."""
DPI = 110
MAX_WIDTH, MAX_HEIGHT, MIN_WIDTH = 4.2, 4.2, 3.0
"""Inches: the largest panel, and the least width that a panel's title needs."""
GAP, ABOVE, BELOW, KEY_WIDTH = 0.15, 0.75, 0.7, 1.6
"""Inches: between panels, above and below them, and the width of the key."""
FULL_COLOUR = 0.5
"""Change of log-odds by occlusion that has the full colour if no part changes them more."""
OPACITY = 0.8
"""Of the full colour."""
KEY = LinearSegmentedColormap.from_list(
    "key",
    [
        (0, (*to_rgb(HUMAN), OPACITY)),
        (0.5, (*to_rgb(HUMAN), 0)),
        (0.5, (*to_rgb(AI), 0)),
        (1, (*to_rgb(AI), OPACITY)),
    ],
)


@dataclass(frozen=True)
class Explanation:
    """A decision on a picture, and which parts of the picture moved the score.

    Attributes
    ----------
    image, ela
        The picture in canonical form and its ELA map: RGB, of the same size.
    heat
        float32, shape (height, width) of `image`: from -1 (towards human) to 1 (towards ai). The
        strongest place is at 1 or -1, unless occlusion changes the log-odds by less than
        `FULL_COLOUR` everywhere.
    method
        How `heat` was computed, in a few words.
    probability_ai
        Calibrated probability of ai, 0 to 1.
    verdict, reason
        As those of `realart.serving.predict.Prediction` without an operating point.
    """

    image: Image.Image
    ela: Image.Image
    heat: NDArray[np.float32]
    method: str
    probability_ai: float
    verdict: str
    reason: str = ""


def explain(data: bytes, model: TrainedModel) -> Explanation:
    """Explain the decision on a picture file.

    By Grad-CAM if the model is of networks with feature maps, otherwise by occlusion.

    Parameters
    ----------
    data
        The bytes of a file in any format that training reads.
    model
        As loaded from models/final.

    Raises
    ------
    UnusableFileError
        The file can't be decoded, training would reject it, or the model's score of it or of a part
        is not a number.
    RealartError
        Keras's files of a network are missing or damaged.

    Examples
    --------
    ::

        explanation = explain(Path("picture.jpg").read_bytes(), TrainedModel(Path("models/final")))
        draw(explanation).save("explained.png")
    """
    clean = model.input.clean
    decoded, _ = decoding.decode_within_limits(data, clean.max_pixels, clean.min_side)
    image = preprocessing.canonical_of(data, decoded, clean)
    prediction = predict_decoded(decoded, image, model)
    if prediction.probability_ai is None:
        raise UnusableFileError(prediction.error)
    heat, method = _gradcam(image, model), "Grad-CAM"
    least_scale = 0.0
    if heat is None:
        heat, least_scale = occlusion.heat(image, model), FULL_COLOUR
        method = f"occlusion: parts change the log-odds by at most {np.abs(heat).max():.2g}"
    if not np.isfinite(heat).all():
        raise UnusableFileError(NOT_FINITE)
    return Explanation(
        image=image,
        ela=ela.stored_map(image, model.input.ela or ELA),
        heat=heat / (max(least_scale, np.abs(heat).max()) or 1),
        method=method,
        probability_ai=prediction.probability_ai,
        verdict=prediction.verdict,
        reason=prediction.reason,
    )


def draw(explanation: Explanation) -> Image.Image:
    """Draw the picture, its ELA map and its heat map side by side, with a key; RGB."""
    aspect = explanation.image.height / explanation.image.width
    width = min(MAX_WIDTH, MAX_HEIGHT / aspect)
    cell = max(width, MIN_WIDTH)
    figure = Figure((3 * cell + 4 * GAP, ABOVE + width * aspect + BELOW), DPI)
    grey = explanation.image.convert("L").convert("RGB")
    panels = {
        "Input of the model": explanation.image,
        "Error level analysis (ELA)": explanation.ela,
        "What moved the score": grey,
    }
    for number, (title, image) in enumerate(panels.items()):
        left = GAP + number * (cell + GAP) + (cell - width) / 2
        axis = figure.add_axes(_within(figure, left, BELOW, width, width * aspect))
        axis.imshow(image, extent=(0, 1, 0, 1), aspect="auto")
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    axis.imshow(explanation.heat, KEY, Normalize(-1, 1), extent=(0, 1, 0, 1), aspect="auto")
    _draw_key(figure, left + width / 2, explanation.method)
    decision = (
        f"Decision: {explanation.verdict}, probability of ai {explanation.probability_ai:.3f}"
    )
    height = figure.get_figheight()
    figure.suptitle(decision, y=1 - 0.12 / height, fontsize=13, fontweight="bold")
    figure.text(0.5, 1 - 0.42 / height, explanation.reason, fontsize=9, ha="center", va="center")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _draw_key(figure: Figure, middle: float, method: str) -> None:
    """Draw the key of colours below the last panel."""
    key = figure.add_axes(_within(figure, middle - KEY_WIDTH / 2, 0.4, KEY_WIDTH, 0.15))
    key.imshow(np.linspace(-1, 1, 256)[None], KEY, Normalize(-1, 1), aspect="auto")
    key.axis("off")
    for x, side, text, colour in (
        (-0.05, "right", "towards human", HUMAN),
        (1.05, "left", "towards ai", AI),
    ):
        key.text(x, 0.45, text, ha=side, va="center", c=colour, transform=key.transAxes)
    key.text(0.5, -0.7, method, ha="center", va="top", fontsize=8, transform=key.transAxes)


def _within(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Convert a rectangle from inches to shares of a figure."""
    across, up = figure.get_size_inches()
    return left / across, bottom / up, width / across, height / up


def _gradcam(image: Image.Image, model: TrainedModel) -> NDArray[np.float32] | None:
    """Compute the mean Grad-CAM of a model's networks, shape (height, width) of a picture.

    None if the model has no networks on pixels, or these have no feature maps.
    """
    sees = model.recipe.sees
    if not isinstance(model.recipe, NetworkRecipe) or not isinstance(sees, PixelInput):
        return None
    from realart.serving import gradcam  # Keras takes seconds to import

    (square,) = preprocessing.from_canonical(image, model.input)
    heats = [gradcam.heat(network, square) for network in model.networks]
    maps = [heat for heat in heats if heat is not None]
    return _project(np.mean(maps, axis=0), image.size, sees.shape) if maps else None


def _project(heat: NDArray[np.float32], size: tuple[int, int], shape: str) -> NDArray[np.float32]:
    """Project the heat map of a square onto the picture that `pictures.square` made it from."""
    side = {"squash": size, "crop": (min(size),) * 2, "pad": (max(size),) * 2}[shape]
    canvas = Image.new("F", size)
    place = ((size[0] - side[0]) // 2, (size[1] - side[1]) // 2)
    canvas.paste(Image.fromarray(heat).resize(side, Image.Resampling.BILINEAR), place)
    return np.asarray(canvas)
