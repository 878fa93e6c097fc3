"""What spoke for a verdict, and where: a picture beside its error levels and a heat map."""

import io
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from realart.features import ela, preprocessing
from realart.metrics.plots import AI, HUMAN
from realart.models.trained_model import TrainedModel
from realart.params import Ela, NetworkRecipe, PixelInput
from realart.serving import occlusion

ELA = Ela(quality=75, scale="max", long_side=512)
"""What is shown of a picture where the model sees none."""
DPI = 110
WIDEST, HIGHEST, NARROWEST, GAP, ABOVE, BELOW, KEY_WIDTH = 4.2, 4.2, 3.0, 0.15, 0.75, 0.7, 1.6
"""Inches: of a panel, between panels, above and below them, and of the key."""
FAINT = 0.5
"""Log-odds that have the full colour where no part moves them further."""
STRONG = 0.8
"""How much of the picture the full colour covers."""
KEY = LinearSegmentedColormap.from_list(
    "key",
    [
        (0, (*to_rgb(HUMAN), STRONG)),
        (0.5, (*to_rgb(HUMAN), 0)),
        (0.5, (*to_rgb(AI), 0)),
        (1, (*to_rgb(AI), STRONG)),
    ],
)


@dataclass(frozen=True)
class Explanation:
    """What a model says of a picture, and what spoke for it.

    Attributes
    ----------
    image, ela
        The canonical picture and its ELA map, of the same shape.
    heat
        From -1, for human, to 1, for ai; float32 (h, w), of the size of `image`. What is strongest
        in a picture is at 1 or -1, unless it moves the log-odds by less than `FAINT`.
    method
        How that was found, in a few words.
    probability, verdict
        As `realart predict` gives them.
    """

    image: Image.Image
    ela: Image.Image
    heat: NDArray[np.float32]
    method: str
    probability: float
    verdict: str


def explain(data: bytes, model: TrainedModel) -> Explanation:
    """Explain the verdict on a published file.

    By Grad-CAM where the model is of networks with maps, else by occlusion.

    Raises
    ------
    UnusableError
        The file can't become a picture.
    RealartError
        Keras's own files of a network are missing or damaged.
    """
    image = preprocessing.canonical(data, model.input.clean)
    seen = preprocessing.from_canonical(image, model.input)
    probability = float(model.scores(*preprocessing.stack([seen]))[0])
    heat, method = _by_gradients(seen[0], image.size, model), "Grad-CAM"
    full = 0.0
    if heat is None:
        heat, full = occlusion.heat(image, model), FAINT
        method = f"occlusion: parts move log-odds by {np.abs(heat).max():.2g} at most"
    return Explanation(
        image=image,
        ela=ela.stored_map(image, model.input.ela or ELA),
        heat=heat / (max(full, np.abs(heat).max()) or 1),
        method=method,
        probability=probability,
        verdict=model.verdicts.decide(probability),
    )


def draw(explanation: Explanation) -> Image.Image:
    """Draw the picture, its ELA map and its heat map side by side, with a key of colours."""
    aspect = explanation.image.height / explanation.image.width
    width = min(WIDEST, HIGHEST / aspect)
    room = max(width, NARROWEST)
    figure = Figure((3 * room + 4 * GAP, ABOVE + width * aspect + BELOW), DPI)
    grey = explanation.image.convert("L").convert("RGB")
    panels = {
        "As the model is given it": explanation.image,
        "Error levels (ELA)": explanation.ela,
        "What spoke for ai, what for human": grey,
    }
    for number, (title, image) in enumerate(panels.items()):
        left = GAP + number * (room + GAP) + (room - width) / 2
        axis = figure.add_axes(_within(figure, left, BELOW, width, width * aspect))
        axis.imshow(image, extent=(0, 1, 0, 1), aspect="auto")
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    axis.imshow(explanation.heat, KEY, Normalize(-1, 1), extent=(0, 1, 0, 1), aspect="auto")
    _draw_key(figure, left + width / 2, explanation.method)
    said = f"Verdict: {explanation.verdict}, probability of ai {explanation.probability:.3f}"
    figure.suptitle(said, y=1 - 0.12 / figure.get_figheight(), fontsize=13, fontweight="bold")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _draw_key(figure: Figure, middle: float, method: str) -> None:
    """Draw below the last panel what its colours mean."""
    key = figure.add_axes(_within(figure, middle - KEY_WIDTH / 2, 0.4, KEY_WIDTH, 0.15))
    key.imshow(np.linspace(-1, 1, 256)[None], KEY, Normalize(-1, 1), aspect="auto")
    key.axis("off")
    for x, side, text, colour in (
        (-0.05, "right", "for human", HUMAN),
        (1.05, "left", "for ai", AI),
    ):
        key.text(x, 0.45, text, ha=side, va="center", c=colour, transform=key.transAxes)
    key.text(0.5, -0.7, method, ha="center", va="top", fontsize=8, transform=key.transAxes)


def _within(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """Return a rectangle, in inches, as shares of a figure."""
    across, up = figure.get_size_inches()
    return left / across, bottom / up, width / across, height / up


def _by_gradients(
    square: NDArray[np.uint8], size: tuple[int, int], model: TrainedModel
) -> NDArray[np.float32] | None:
    """Return the mean Grad-CAM of a model's networks, (h, w) of `size`; None of what has none."""
    sees = model.recipe.sees
    if not isinstance(model.recipe, NetworkRecipe) or not isinstance(sees, PixelInput):
        return None
    from realart.serving import gradcam  # Keras takes seconds to import

    heats = [gradcam.heat(network, square) for network in model.networks]
    found = [heat for heat in heats if heat is not None]
    return _placed(np.mean(found, axis=0), size, sees.shape) if found else None


def _placed(heat: NDArray[np.float32], size: tuple[int, int], shape: str) -> NDArray[np.float32]:
    """Lay what was found in a square upon the picture that `pictures.square` made it from."""
    side = {"squash": size, "crop": (min(size),) * 2, "pad": (max(size),) * 2}[shape]
    canvas = Image.new("F", size)
    place = ((size[0] - side[0]) // 2, (size[1] - side[1]) // 2)
    canvas.paste(Image.fromarray(heat).resize(side, Image.Resampling.BILINEAR), place)
    return np.asarray(canvas)
