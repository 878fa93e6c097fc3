"""The params of a recipe: its input, what is trained on it, and how."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Tag, model_validator

from realart.params.groups import Strict, kind_by
from realart.params.networks import Backbone, FineTune, Layer, Optimizer


class PixelInput(Strict):
    """Pixels as the input of a network: the picture or its ELA map, as a square.

    Attributes
    ----------
    input
        The picture or its ELA map.
    size
        Side of the square in pixels.
    shape
        How a picture becomes a square: resized without its aspect ratio, cropped, or padded.
    backbone
        The network below the recipe's layers, null for none.
    augment
        Layers below the backbone that change each picture anew in every epoch. With some, the
        frozen part of the backbone is run in every epoch, too.
    """

    features: ClassVar[list[str]] = []
    has_network: ClassVar[bool] = False

    input: Literal["rgb", "ela"]
    size: Annotated[int, Field(ge=16)]
    shape: Literal["squash", "crop", "pad"]
    backbone: Backbone | None = None
    augment: list[Layer] = []

    @property
    def of_ela(self) -> bool:
        """Whether the input is an ELA map."""
        return self.input == "ela"

    @property
    def title(self) -> str:
        """The input in tables."""
        return self.input

    def __str__(self) -> str:
        return f"{'error level maps' if self.of_ela else 'pictures'}, {self.size} px"


class VectorInput(Strict):
    """Feature vectors as the input: those of the descriptors named in `features`, concatenated."""

    features: Annotated[list[str], Field(min_length=1)]

    backbone: ClassVar[None] = None
    size: ClassVar[str] = ""
    of_ela: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """The input in tables."""
        return " + ".join(self.features)

    def __str__(self) -> str:
        return f"feature vectors ({', '.join(self.features)})"


class NetworkRecipe(Strict):
    """A recipe for a network of Keras: its input, its layers, and how it is trained.

    Attributes
    ----------
    sees
        The input.
    layers
        On top of the backbone, if there is one, and below the output.
    outputs
        1 for a sigmoid, 2 for a softmax over (human, ai).
    epochs, batch_size
        Of the first phase: most epochs, and pictures a step.
    patience, monitor
        Early stopping: epochs without a better value of `monitor` on the validation slice.
    fine_tune
        A second phase, null for none.
    published
        The publisher's figures, for `realart recipes`.
    """

    sees: Annotated[
        Annotated[PixelInput, Tag("<square>")] | Annotated[VectorInput, Tag("<vectors>")],
        kind_by({"features": "<vectors>"}, "<square>"),
    ]
    layers: list[Layer]
    outputs: Literal[1, 2]
    optimizer: Optimizer
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)]
    monitor: Literal["accuracy", "loss"]
    fine_tune: FineTune | None = None
    published: str = ""

    uses_keras: ClassVar[bool] = True
    tuned: ClassVar[list[str]] = []

    @property
    def backbone(self) -> Backbone | None:
        """The network below the layers, None if there is none."""
        return self.sees.backbone

    @property
    def trained_by(self) -> str:
        """The optimizer and its learning rate, for tables."""
        return f"{self.optimizer.name} {self.optimizer.learning_rate:g}"

    @property
    def total_epochs(self) -> int:
        """The most epochs that a fold is trained, in both phases."""
        return self.epochs + (self.fine_tune.epochs if self.fine_tune else 0)

    @model_validator(mode="after")
    def _fine_tune_has_backbone(self) -> "NetworkRecipe":
        backbone = self.backbone
        if self.fine_tune and not (backbone and backbone.frozen and backbone.unfreeze):
            raise ValueError("fine_tune needs a backbone with frozen: true and unfreeze above 0")
        return self


class ClassifierParams(Strict):
    """A classifier of scikit-learn by name, and its grid: values to try of each hyperparameter."""

    name: str
    grid: dict[str, Annotated[list[int | float], Field(min_length=1)]]


class ClassifierRecipe(Strict):
    """A recipe for a classifier of scikit-learn on feature vectors."""

    sees: VectorInput
    head: ClassifierParams
    published: str = ""

    uses_keras: ClassVar[bool] = False
    total_epochs: ClassVar[str] = ""

    @property
    def tuned(self) -> list[str]:
        """The names of the hyperparameters that training chooses."""
        return list(self.head.grid)

    @property
    def trained_by(self) -> str:
        """The name of the classifier, for tables."""
        return self.head.name


Recipe = Annotated[
    Annotated[NetworkRecipe, Tag("<network>")] | Annotated[ClassifierRecipe, Tag("<classifier>")],
    kind_by({"head": "<classifier>"}, "<network>"),
]
