"""The params of params.yaml: names, types and ranges, validated once, on loading."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from realart.core import yaml12
from realart.core.errors import RealartError
from realart.core.project import root
from realart.core.registry import choose, hint

Fraction = Annotated[float, Field(gt=0, lt=1)]
JpegQuality = Annotated[int, Field(ge=1, le=100)]
REMOTE = "hf://"
"""Start of the address of a file on the Hugging Face Hub."""
Resample = Literal["bicubic", "bilinear", "box", "lanczos"]
"""Pillow's filters for resizing."""
Layer = Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=1)]
"""A layer of Keras, or of `realart.networks.layers`: its class name, and its keyword arguments."""

CLASSES = ("human", "ai")
"""The classes by their numbers; `ai`, 1, is the positive one."""

Point = Literal["balanced", "low_fpr", "best_f1"]
POINTS: tuple[Point, ...] = get_args(Point)
"""Operating points, whose thresholds `realart.metrics.thresholds` chooses on out-of-fold scores."""

RENAMED = {"evaluate.sure": "promise.precision"}
"""Params of older releases, and what took their place."""


def _kind_by(keys: Mapping[str, str], otherwise: str) -> Discriminator:
    """Discriminate a union of groups of params by a key that only one of them has.

    Parameters
    ----------
    keys
        The tag of a group, by the key that only this group has.
    otherwise
        The tag of a group with none of these keys.
    """

    def tag(value: Any) -> str:
        present = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
        return next((name for key, name in keys.items() if key in present), otherwise)

    return Discriminator(tag)


class Strict(BaseModel):
    """A group of params: immutable, and strict about types; unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _check_name(name: str) -> str:
    if "/" in name:
        raise ValueError("is a path: give the name of one folder")
    if not any(character.isalnum() or character in "*?[" for character in name):
        raise ValueError("has no letter or digit to match")
    return name


Name = Annotated[str, AfterValidator(_check_name)]
"""The name of a class in paths: a word or a pattern, matched against the name of a folder."""


def _check_set_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w .-]*", name):
        raise ValueError("is no valid name of a dataset: use letters, digits, spaces and . - _")
    return name


SetName = Annotated[str, AfterValidator(_check_set_name)]
"""The name of an entry of `datasets`, which names a folder, too; `dataset` joins several by +."""


class WeakNames(Strict):
    """Names that may also be a style or a generator: other names in a path take precedence."""

    ai: list[Name] = []
    human: list[Name] = []


class LabelTable(Strict):
    """A table of labels inside the archive.

    Attributes
    ----------
    file
        Its path, or a pattern such as `*/metadata.csv`: CSV, TSV or JSON Lines.
    path, label
        The names of its columns of paths and of labels.
    """

    file: str
    path: str
    label: str


class LabelNames(Strict):
    """The names of each class in the paths of a dataset, case-insensitive.

    A plain name matches whole words in the name of a folder, however they are joined: `ai art`
    matches `AiArt_2`, and `real` does not match `realism`. A pattern with `*`, `?` or `[` matches a
    folder's whole name. Matches of a whole name take precedence over matches of words in it.

    Attributes
    ----------
    ai, human
        Names of the class.
    weak
        Names that yield to others.
    table
        Labels in a file, which then replace those in paths.
    """

    ai: list[Name]
    human: list[Name]
    weak: WeakNames = WeakNames()
    table: LabelTable | None = None


class ParquetColumns(Strict):
    """The columns of Parquet files, dotted inside structs; null lets `download` choose them."""

    image: str | None = None
    label: str | None = None


class Dataset(Strict):
    """A dataset of labelled pictures: where it comes from, and how its paths are read.

    Attributes
    ----------
    source
        The name of a module of `realart.data.sources`.
    path
        In the form of the source: `owner/slug/version` at Kaggle, `owner/name@revision` at Hugging
        Face, a folder or zip on this machine, null for the sample.
    sha256
        Of the downloaded file, checked if given.
    licence
        Of the pictures, for reports.
    labels
        The names of each class.
    fields
        A regular expression that is searched in each path; its named groups `part` (train or test),
        `generator` and `style` become columns.
    columns
        Of Parquet files.
    """

    source: str
    path: str | None = None
    sha256: str | None = None
    licence: str
    labels: LabelNames
    fields: str | None = None
    columns: ParquetColumns = ParquetColumns()

    @field_validator("fields")
    @classmethod
    def _fields_compile(cls, pattern: str | None) -> str | None:
        try:
            groups = set(re.compile(pattern or "").groupindex)
        except re.error as error:
            raise ValueError(f"is no valid regular expression: {error}") from error
        if unknown := groups - {"part", "generator", "style"}:
            raise ValueError(f"has unknown groups {sorted(unknown)}; known: part, generator, style")
        return pattern


READ = {"labels", "fields"}
"""The params of a dataset by which its paths are read; all others describe its origin."""


class Clean(Strict):
    """Which pictures are kept, and the canonical form in which they are stored."""

    encoding: Literal["jpeg", "original"]
    long_side: Annotated[int, Field(ge=32)]
    shrink: Annotated[float, Field(gt=0, le=1)]
    quality: JpegQuality
    min_side: Annotated[int, Field(ge=1)]
    max_pixels: Annotated[int, Field(ge=1, le=178_956_970)]  # where Pillow itself refuses
    duplicate: Fraction
    similar: Fraction

    @model_validator(mode="after")
    def _levels_ordered(self) -> "Clean":
        if self.similar > self.duplicate:
            raise ValueError(
                f"similar ({self.similar}) is above duplicate ({self.duplicate}), but duplicates "
                "are similar, too: set similar at most as high"
            )
        return self


class Split(Strict):
    """The test part, the folds, and the slice of a fold's training part for early stopping.

    With `method` sources, folds hold out whole generators or folders: the out-of-fold score of a
    picture is by a model that was not trained on its source. With `sets`, there are `folds` random
    folds, and one more for each dataset, which holds out the whole dataset.
    """

    method: Literal["random", "published", "sources", "sets"]
    test_size: Fraction
    folds: Annotated[int, Field(ge=2)]
    slices: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


class Balance(Strict):
    """Class balance and augmentation.

    Attributes
    ----------
    method
        Augmented copies of the smaller class, class weights, or neither.
    rotation
        Largest angle of a copy, in degrees.
    zoom, brightness
        Largest relative change of a copy.
    horizontal_flip, vertical_flip
        Whether copies may be mirrored.
    deliveries
        Further copies of each training picture, downscaled and saved again as on their way through
        web sites.
    seed
        Of the random changes.
    """

    method: Literal["augment", "class_weight", "none"]
    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    brightness: Annotated[float, Field(ge=0, lt=1)]
    horizontal_flip: bool
    vertical_flip: bool
    deliveries: Annotated[int, Field(ge=0, le=20)] = 0
    seed: Annotated[int, Field(ge=0)]


class Audit(Strict):
    """The number of audited pictures, and the AUC of a shortcut above which the pipeline stops."""

    pictures: Annotated[int, Field(ge=100)]
    stop_above: Annotated[float, Field(ge=0.5, le=1)] | None


class Ela(Strict):
    """Error level analysis (ELA).

    Attributes
    ----------
    quality
        JPEG quality of the second save.
    scale
        Factor of the difference, or `max`: the largest difference of a picture becomes 255.
    long_side
        Of stored maps, in pixels.
    """

    quality: JpegQuality
    scale: Literal["max"] | Annotated[float, Field(gt=0)]
    long_side: Annotated[int, Field(ge=32)]


class Features(Strict):
    """The disk space that the stored activations of the frozen part of a network may take."""

    gigabytes: Annotated[float, Field(gt=0)]


class KerasApplication(Strict):
    """A network of `keras.applications` by name, with its own keyword arguments."""

    name: str
    weights: str = "imagenet"
    arguments: dict[str, Any] = {}


class Backbone(KerasApplication):
    """The network below the layers of a recipe.

    Attributes
    ----------
    frozen
        Whether its weights stay as published in the first phase of training.
    unfreeze
        The number of its last layers that fine-tuning may train.
    """

    frozen: bool = True
    unfreeze: Annotated[int, Field(ge=0)] = 0


class Optimizer(Strict):
    """A class of `keras.optimizers` by name, with its own keyword arguments.

    Its learning rate is constant, or decays to 0 over the epochs of a phase along a cosine
    (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017).
    """

    name: str
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["constant", "cosine"] = "constant"
    arguments: dict[str, Any] = {}


class FineTune(Strict):
    """A second phase of training, with the last `unfreeze` layers of the backbone."""

    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=1)]


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
        _kind_by({"features": "<vectors>"}, "<square>"),
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
    _kind_by({"head": "<classifier>"}, "<network>"),
]


class NetworkFeatures(Strict):
    """The input of a descriptor that is computed by a frozen network.

    Attributes
    ----------
    size
        Side of a square in pixels.
    shape
        How a picture becomes a square: resized without its aspect ratio, cropped, or padded.
    resample
        Filter for resizing.
    views
        The number of squares of a picture, whose feature vectors are averaged.
    """

    size: Annotated[int, Field(ge=32)]
    shape: Literal["squash", "crop", "pad"]
    resample: Resample = "bicubic"
    views: Annotated[int, Field(ge=1)]

    has_network: ClassVar[bool] = True


class KerasFeatures(NetworkFeatures):
    """A descriptor: pooled activations of layers of a network of `keras.applications`."""

    backbone: KerasApplication
    layers: Annotated[list[str], Field(min_length=1)]
    pooling: Annotated[list[Literal["mean", "std", "max"]], Field(min_length=1)]

    encoder: ClassVar[None] = None


class Encoder(Strict):
    """An image encoder as an ONNX file, with the preprocessing that it was trained with.

    Attributes
    ----------
    file
        A path, or the address of a file on the Hugging Face Hub, `hf://owner/name@revision/path`.
    sha256
        Of the file, checked if given.
    licence
        Of the weights.
    mean, std
        A channel of a pixel, 0 to 255, becomes (value / 255 - mean) / std.
    channels
        Their order.
    """

    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    licence: str
    mean: Annotated[list[float], Field(min_length=3, max_length=3)]
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]
    channels: Literal["rgb", "bgr"] = "rgb"


class Tap(Strict):
    """A tensor inside an encoder, and how it is pooled.

    Attributes
    ----------
    tensor
        Its name in the graph; null if `block` is given.
    block
        The residual block, counted from 0, that it is the output of; null if `tensor` is given.
    pooling
        `cls` is the first token, `embedding` a tensor without positions; `mean`, `std` and `max`
        are over patches or positions.
    """

    tensor: str | None = None
    block: Annotated[int, Field(ge=0)] | None = None
    pooling: Annotated[list[Literal["cls", "embedding", "mean", "std", "max"]], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_one_tensor(self) -> "Tap":
        if (self.tensor is None) == (self.block is None):
            raise ValueError("a tap has either tensor, a name in the graph, or block, a number")
        return self


class OnnxFeatures(NetworkFeatures):
    """A descriptor: tensors of an encoder, pooled and concatenated.

    With `precision` bfloat16, processors without it compute in float32.
    """

    encoder: Encoder
    taps: Annotated[list[Tap], Field(min_length=1)]
    precision: Literal["float32", "bfloat16"]

    backbone: ClassVar[None] = None


class ForensicFeatures(Strict):
    """A descriptor: families of measurements of `realart.features.forensic`, without weights."""

    families: Annotated[list[str], Field(min_length=1)]

    has_network: ClassVar[bool] = False
    backbone: ClassVar[None] = None
    encoder: ClassVar[None] = None


Descriptor = Annotated[
    Annotated[KerasFeatures, Tag("<layers>")]
    | Annotated[OnnxFeatures, Tag("<encoder>")]
    | Annotated[ForensicFeatures, Tag("<families>")],
    _kind_by({"families": "<families>", "encoder": "<encoder>"}, "<layers>"),
]


class Train(Strict):
    """How training is run.

    Attributes
    ----------
    seed
        Of weights, batches and augmentation.
    deterministic
        Whether equal seeds give equal weights on one machine; slower.
    precision
        Dtype policy of Keras.
    checkpoint_seconds
        Least time between two checkpoints; 0 saves one after each epoch.
    devices
        Over which each batch is spread evenly; more than one need JAX.
    window_gigabytes
        Most memory for inputs; of a larger dataset, a window is in memory at a time.
    """

    seed: Annotated[int, Field(ge=0)]
    deterministic: bool
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    devices: Annotated[int, Field(ge=1)]
    window_gigabytes: Annotated[float, Field(gt=0)]


class Evaluate(Strict):
    """Which model is final, when it decides, and how it is tested.

    Attributes
    ----------
    final
        The network or classifier of the best fold, or the mean score of those of all folds.
    reencode
        The JPEG quality at which test pictures are saved again, to measure how much the scores
        depend on the encoding.
    """

    final: Literal["best_fold", "ensemble"]
    reencode: JpegQuality


class Promise(Strict):
    """Error rates that decisions on further pictures keep, if these are drawn as those before.

    Attributes
    ----------
    false_positive_rate
        The share of human art that is classified as ai at the operating point `low_fpr`, at most.
    precision
        The share of right decisions among those without an operating point, at least; all other
        pictures are `unsure`.
    confidence
        The least probability that each of both is kept, over draws of the labelled pictures.
    """

    false_positive_rate: Fraction
    precision: Annotated[float, Field(gt=0.5, lt=1)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]


class Cases(Strict):
    """Labelled pictures that a model must not misclassify, such as those that one did.

    Attributes
    ----------
    folder
        With a folder for each class; it may be without pictures.
    unsure
        What a decision that is `unsure` counts as.
    """

    folder: str
    unsure: Literal["right", "wrong"]


class Goals(Strict):
    """Goals of metrics of the test part, by their names in metrics.json; None is no goal.

    False positive rate, Brier score, ECE and loss must be at most the goal, all others at least.
    `cases` is no metric, but pictures that must all be classified rightly.
    """

    cases: Cases | None = None

    accuracy: Fraction | None = None
    balanced_accuracy: Fraction | None = None
    precision: Fraction | None = None
    recall: Fraction | None = None
    f1: Fraction | None = None
    mcc: Annotated[float, Field(gt=-1, lt=1)] | None = None
    auc: Fraction | None = None
    average_precision: Fraction | None = None
    tpr_at_1_fpr: Fraction | None = None
    tpr_at_5_fpr: Fraction | None = None
    false_positive_rate: Fraction | None = None
    brier: Fraction | None = None
    ece: Fraction | None = None
    loss: Annotated[float, Field(gt=0)] | None = None


class Params(Strict):
    """All params of params.yaml."""

    dataset: str
    model: str
    datasets: dict[SetName, Dataset]
    clean: Clean
    split: Split
    balance: Balance
    audit: Audit
    ela: Ela
    features: Features
    descriptors: dict[str, Descriptor]
    recipes: dict[str, Recipe]
    train: Train
    evaluate: Evaluate
    promise: Promise
    goals: Goals

    @model_validator(mode="after")
    def _ela_differs_from_canonical(self) -> "Params":
        if self.clean.encoding == "jpeg" and self.ela.quality == self.clean.quality:
            raise ValueError(
                f"ela.quality equals clean.quality ({self.ela.quality}): saving a JPEG again at "
                "its own quality changes almost nothing, and ELA maps would be blank: change one"
            )
        return self

    @field_validator("dataset")
    @classmethod
    def _sets_in_order(cls, dataset: str) -> str:
        names = sorted(dataset.split("+"))
        if repeated := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"names '{repeated}' twice")
        return "+".join(names)

    @model_validator(mode="after")
    def _sets_are_several(self) -> "Params":
        if self.split.method == "sets" and "+" not in self.dataset:
            raise ValueError(
                f"split.method is sets, but dataset is '{self.dataset}' alone: name several, as in "
                "-S dataset=a+b, or set split.method=random"
            )
        return self

    @property
    def sets(self) -> dict[str, Dataset]:
        """The chosen entries of `datasets`, sorted by name: two for `a+b`."""
        names = self.dataset.split("+")
        return {name: choose(self.datasets, name, "dataset") for name in names}

    @property
    def held_out_sets(self) -> dict[int, str]:
        """The dataset that a fold holds out as a whole, by the number of the fold."""
        names = self.dataset.split("+") if self.split.method == "sets" else []
        return dict(enumerate(names, self.split.folds))

    @property
    def all_folds(self) -> range:
        """The numbers of all folds: `split.folds` folds, then those that hold out a dataset."""
        return range(self.split.folds + len(self.held_out_sets))

    @property
    def recipe(self) -> Recipe:
        """The chosen entry of `recipes`."""
        return choose(self.recipes, self.model, "model")

    @property
    def recipe_descriptors(self) -> dict[str, Descriptor]:
        """The descriptors of the chosen recipe, by name; none if its input is pixels."""
        names = self.recipe.sees.features
        return {name: choose(self.descriptors, name, "descriptor") for name in names}

    @property
    def backbones(self) -> list[KerasApplication]:
        """The networks of `keras.applications` that the chosen recipe needs."""
        parts = [*self.recipe_descriptors.values(), self.recipe.sees]
        return [part.backbone for part in parts if part.backbone]

    @property
    def encoders(self) -> dict[str, Encoder]:
        """The ONNX encoders that the chosen recipe needs, by the names of their descriptors."""
        parts = self.recipe_descriptors.items()
        return {name: part.encoder for name, part in parts if part.encoder}


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and validate params.yaml.

    Parameters
    ----------
    path
        Of the file; by default params.yaml in the current directory.

    Raises
    ------
    RealartError
        The file is missing or not YAML; a param is unknown, missing, ill-typed or out of range;
        `dataset`, `model` or a descriptor of the model names no entry; or a file of weights that
        the model needs does not exist.

    Examples
    --------
    ::

        params = load_params()
        print(params.model, params.recipe.sees)
    """
    try:
        content = yaml12.load(path.read_text("utf-8"), path.name)
    except FileNotFoundError as error:
        raise RealartError(
            f"no {path.name} in {path.parent.resolve()}: run this from the project's top folder"
        ) from error
    except UnicodeDecodeError as error:
        raise RealartError(f"{path.name} is not UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise RealartError(
            f"{path.name} contains a {type(content).__name__}, not a mapping of params"
        )
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise RealartError(f"{path.name}: {_first_problem(error)}") from error
    _ = params.sets  # raises if `dataset` names no entry
    for backbone in params.backbones:
        weights_file(backbone)
    for name, encoder in params.encoders.items():
        encoder_file(name, encoder)
    return params


def weights_file(backbone: KerasApplication) -> Path | None:
    """Return the file of a backbone's weights, None if `weights` is a keyword (imagenet, none).

    Raises
    ------
    RealartError
        The file does not exist.
    """
    if backbone.weights in ("imagenet", "none"):
        return None
    file = root() / backbone.weights
    if not file.is_file():
        raise RealartError(
            f"backbone weights '{backbone.weights}' are no file (looked for {file}): "
            "give the path of a file, imagenet, or none"
        )
    return file


def encoder_file(name: str, encoder: Encoder) -> Path | None:
    """Return the ONNX file of the descriptor `name`, None if it is on the Hugging Face Hub.

    Raises
    ------
    RealartError
        The file does not exist.
    """
    if encoder.file.startswith(REMOTE):
        return None
    file = root() / encoder.file
    if not file.is_file():
        raise RealartError(
            f"descriptors.{name}.encoder.file '{encoder.file}' is no file (looked for {file}): "
            f"give the path of an ONNX file, or {REMOTE}owner/name@revision/path"
        )
    return file


def _first_problem(error: ValidationError) -> str:
    """Format the first problem as one line; unknown params, often typing errors, come first."""
    problems = sorted(error.errors(), key=lambda entry: entry["type"] != "extra_forbidden")
    problem = problems[0]
    # Without the tags of unions.
    location = [part for part in problem["loc"] if not str(part).startswith("<")]
    name = ".".join(str(part) for part in location)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if name in RENAMED:
        return f"param '{name}' is now '{RENAMED[name]}': change params.yaml (CHANGELOG.md){more}"
    if problem["type"] == "extra_forbidden":
        return f"unknown param '{name}'{hint(name, _names(Params, location))}{more}"
    if problem["type"] == "missing":
        return f"param '{name}' is missing{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if not name or isinstance(problem["input"], dict):
        return f"{name}: {message}{more}".removeprefix(": ")
    return f"{name} is {problem['input']!r}: {message}{more}"


def _names(model: type[BaseModel], location: Sequence[int | str], prefix: str = "") -> list[str]:
    """List the dotted names of all params in a group.

    Of named entries, such as recipes, those of the entry that `location` is in.
    """
    names = []
    for name, field in model.model_fields.items():
        names.append(prefix + name)
        inside = f"{prefix}{name}."
        if get_origin(field.annotation) is dict and location[0] == name and len(location) > 1:
            inside += f"{location[1]}."
        for inner in _models(field.annotation):
            names += _names(inner, location, inside)
    return names


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the groups of params inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
