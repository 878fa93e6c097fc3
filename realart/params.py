"""The params of params.yaml: names, types and ranges, validated once, when they are loaded."""

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
"""Begins the address of a file of the Hugging Face Hub."""
Resample = Literal["bicubic", "bilinear", "box", "lanczos"]
"""Filters of Pillow's, by which a picture is resized."""
Layer = Annotated[dict[str, dict[str, Any]], Field(min_length=1, max_length=1)]


CLASSES = ("human", "ai")
"""Labels in the order of their numbers: the positive class is `ai`, 1."""

Point = Literal["balanced", "low_fpr", "best_f1"]
POINTS: tuple[Point, ...] = get_args(Point)
"""Operating points: thresholds that `realart.metrics.thresholds` chooses out of fold."""


def _kind_by(keys: Mapping[str, str], otherwise: str) -> Discriminator:
    """Choose between kinds of params by a key that only one has: `keys`, with their tags."""

    def tag(value: Any) -> str:
        given = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
        return next((name for key, name in keys.items() if key in given), otherwise)

    return Discriminator(tag)


class Strict(BaseModel):
    """A group of params: immutable, and a name that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _nameable(name: str) -> str:
    if "/" in name:
        raise ValueError("is a path: give the name of one folder")
    if not any(character.isalnum() or character in "*?[" for character in name):
        raise ValueError("has no letter or digit to match")
    return name


Name = Annotated[str, AfterValidator(_nameable)]


def _set_name(name: str) -> str:
    if not re.fullmatch(r"\w[\w .-]*", name):
        raise ValueError("is no name of a set: use letters, digits, spaces and . - _")
    return name


SetName = Annotated[str, AfterValidator(_set_name)]
"""Of an entry of `datasets`: also that of a folder, and joined to others by +."""


class WeakNames(Strict):
    """Names of a class that may also be a style or a generator: they yield to others of a path."""

    ai: list[Name] = []
    human: list[Name] = []


class LabelTable(Strict):
    """Labels in a table inside the archive: its file, and its columns of paths and of labels.

    `file` is a path or a pattern (`*/metadata.csv`): CSV, TSV or a JSON object a line.
    """

    file: str
    path: str
    label: str


class LabelNames(Strict):
    """Names of each class, in any case of letters.

    A plain name matches whole words inside a folder's name, however they are joined: `ai art` is
    in `AiArt_2`, and `real` is not in `realism`. A pattern with `*`, `?` or `[` matches all of a
    folder's name, and what matches all of it goes before words inside it. Where there is a `table`,
    it alone decides.
    """

    ai: list[Name]
    human: list[Name]
    weak: WeakNames = WeakNames()
    table: LabelTable | None = None


class ParquetColumns(Strict):
    """Columns of Parquet files, dotted where they lie in structs; null lets `download` choose."""

    image: str | None = None
    label: str | None = None


class Dataset(Strict):
    """A set of labelled pictures: where it comes from, and how a path in it is read.

    `path` is what the source understands: `owner/slug/version` at Kaggle,
    `owner/name@revision` at Hugging Face, a folder or zip on this machine, nothing for the sample.
    `fields` is a regular expression over the path inside the archive, whose named groups `part`
    (train or test), `generator` and `style` become columns.
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
            raise ValueError(f"is no regular expression: {error}") from error
        if unknown := groups - {"part", "generator", "style"}:
            raise ValueError(f"names the groups {sorted(unknown)}; known: part, generator, style")
        return pattern


READ = {"labels", "fields"}
"""What of a dataset says how its paths are read; all else says where it comes from."""


class Clean(Strict):
    """What is kept, and the canonical form of what is kept."""

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
                f"similar ({self.similar}) is above duplicate ({self.duplicate}); "
                "every duplicate is similar, so set it at most as high"
            )
        return self


class Split(Strict):
    """Test part, folds, and the slice of a fold's training part that early stopping watches.

    `sources` holds out whole sources: what is said of a picture out of fold is then said by a
    model that has seen nothing of its generator, or of its folder. `sets` deals `folds` at random
    and trains, beside them, a fold for each set that holds it out.
    """

    method: Literal["random", "published", "sources", "sets"]
    test_size: Fraction
    folds: Annotated[int, Field(ge=2)]
    slices: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0)]


class Balance(Strict):
    """How unequal classes are met, how far a copy may differ from its source, and how many more
    copies of each picture are learnt from, shrunk and saved again as pictures are on their way.
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
    """How many pictures are audited, and the AUC from which a shortcut stops the pipeline."""

    pictures: Annotated[int, Field(ge=100)]
    stop_above: Annotated[float, Field(ge=0.5, le=1)] | None


class Ela(Strict):
    """Error level analysis: quality of the second save, scale of the difference, stored size."""

    quality: JpegQuality
    scale: Literal["max"] | Annotated[float, Field(gt=0)]
    long_side: Annotated[int, Field(ge=32)]


class Features(Strict):
    """What the frozen part of a network says of all rows may take on disk, at most."""

    gigabytes: Annotated[float, Field(gt=0)]


class KerasApplication(Strict):
    """A network of `keras.applications` by name, with its own keyword arguments."""

    name: str
    weights: str = "imagenet"
    arguments: dict[str, Any] = {}


class Backbone(KerasApplication):
    """What a network's layers stand on.

    Of a frozen one the last `unfreeze` layers are left out: fine-tuning may train them.
    """

    frozen: bool = True
    unfreeze: Annotated[int, Field(ge=0)] = 0


class Optimizer(Strict):
    """A class of `keras.optimizers` by name, with its own keyword arguments.

    Its learning rate stays what it is, or falls to 0 over the epochs of a phase along a cosine
    (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017).
    """

    name: str
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: Literal["constant", "cosine"] = "constant"
    arguments: dict[str, Any] = {}


class FineTune(Strict):
    """A second phase in which the last `unfreeze` layers of the backbone are trained too."""

    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=1)]


class PixelInput(Strict):
    """The input of a network: a picture or its ELA map as a square, and a backbone if it has one.

    `augment` are layers before the backbone that change each picture anew in every epoch; then the
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
        """Whether the squares are of ELA maps."""
        return self.input == "ela"

    @property
    def title(self) -> str:
        """What it is in a table."""
        return self.input

    def __str__(self) -> str:
        return f"{'error level maps' if self.of_ela else 'pictures'}, {self.size} px"


class VectorInput(Strict):
    """The input of a classifier: the feature vectors of these `descriptors`, concatenated."""

    features: Annotated[list[str], Field(min_length=1)]

    backbone: ClassVar[None] = None
    size: ClassVar[str] = ""
    of_ela: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """What it is in a table."""
        return " + ".join(self.features)

    def __str__(self) -> str:
        return f"numbers that describe a picture ({', '.join(self.features)})"


class NetworkRecipe(Strict):
    """A recipe for Keras: what it sees, its layers, how it is trained, what was published of it."""

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
        """The network before the layers, if there is one."""
        return self.sees.backbone

    @property
    def trained_by(self) -> str:
        """What fits it, in a table."""
        return f"{self.optimizer.name} {self.optimizer.learning_rate:g}"

    @property
    def total_epochs(self) -> int:
        """How many epochs a fold has at most, over both phases."""
        return self.epochs + (self.fine_tune.epochs if self.fine_tune else 0)

    @model_validator(mode="after")
    def _fine_tune_has_backbone(self) -> "NetworkRecipe":
        backbone = self.backbone
        if self.fine_tune and not (backbone and backbone.frozen and backbone.unfreeze):
            raise ValueError("fine_tune needs a backbone with frozen: true and unfreeze above 0")
        return self


class ClassifierParams(Strict):
    """A classifier of scikit-learn, and the values of each hyperparameter that it is tried with."""

    name: str
    grid: dict[str, Annotated[list[int | float], Field(min_length=1)]]


class ClassifierRecipe(Strict):
    """A recipe for scikit-learn: a head on feature vectors."""

    sees: VectorInput
    head: ClassifierParams
    published: str = ""

    uses_keras: ClassVar[bool] = False
    total_epochs: ClassVar[str] = ""

    @property
    def tuned(self) -> list[str]:
        """The names of the hyperparameters that are chosen in training."""
        return list(self.head.grid)

    @property
    def trained_by(self) -> str:
        """What fits it, in a table."""
        return self.head.name


Recipe = Annotated[
    Annotated[NetworkRecipe, Tag("<network>")] | Annotated[ClassifierRecipe, Tag("<classifier>")],
    _kind_by({"head": "<classifier>"}, "<network>"),
]


class NetworkFeatures(Strict):
    """A descriptor by a frozen network: which squares of a picture it is given.

    Its feature vectors of `views` squares of `size` pixels a side are averaged.
    """

    size: Annotated[int, Field(ge=32)]
    shape: Literal["squash", "crop", "pad"]
    resample: Resample = "bicubic"
    views: Annotated[int, Field(ge=1)]

    has_network: ClassVar[bool] = True


class KerasFeatures(NetworkFeatures):
    """A descriptor: layers of a network of `keras.applications`, pooled over positions."""

    backbone: KerasApplication
    layers: Annotated[list[str], Field(min_length=1)]
    pooling: Annotated[list[Literal["mean", "std", "max"]], Field(min_length=1)]

    encoder: ClassVar[None] = None


class Encoder(Strict):
    """An image encoder as an ONNX file, and how it was trained to be given pictures.

    `file` is a path, or a file of a repository on the Hugging Face Hub,
    `hf://owner/name@revision/path`. A channel of a pixel, 0 to 255, becomes
    (value / 255 - mean) / std.
    """

    file: str
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")] | None = None
    licence: str
    mean: Annotated[list[float], Field(min_length=3, max_length=3)]
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]
    channels: Literal["rgb", "bgr"] = "rgb"


class Tap(Strict):
    """A tensor inside an encoder, by its name or as the output of a block, and its pooling.

    Blocks are residual blocks, counted from 0. `cls` is the first token, `embedding` a tensor
    that has no positions; `mean`, `std` and `max` are taken over patches or positions.
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

    `bfloat16` is float32 on processors without it.
    """

    encoder: Encoder
    taps: Annotated[list[Tap], Field(min_length=1)]
    precision: Literal["float32", "bfloat16"]

    backbone: ClassVar[None] = None


class ForensicFeatures(Strict):
    """A descriptor: measurements of `realart.features.forensic`, which need no weights."""

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
    """What a run of training may trade: seed, determinism, precision, how often it saves.

    Each batch is spread evenly over so many `devices`; more than one need JAX. Of a set that takes
    more than `window_gigabytes`, no more is in memory at once.
    """

    seed: Annotated[int, Field(ge=0)]
    deterministic: bool
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    devices: Annotated[int, Field(ge=1)]
    window_gigabytes: Annotated[float, Field(gt=0)]


class Evaluate(Strict):
    """Which model is final, how accurate its verdicts must be, and how it is tried.

    `sure` is the accuracy, out of fold, of all verdicts that are given; of other pictures the model
    says that it is unsure. `reencode` is the JPEG quality that test pictures are saved with again,
    to see what the model goes by.
    """

    final: Literal["best_fold", "ensemble"]
    sure: Annotated[float, Field(ge=0.5, le=1)]
    reencode: JpegQuality


class Goals(Strict):
    """What figures of the test part, by their names in metrics.json, must reach; None need not.

    The last four are at most the goal, all others at least.
    """

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
    """All of params.yaml."""

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
    goals: Goals

    @model_validator(mode="after")
    def _ela_differs_from_canonical(self) -> "Params":
        if self.clean.encoding == "jpeg" and self.ela.quality == self.clean.quality:
            raise ValueError(
                f"ela.quality equals clean.quality ({self.ela.quality}): saving a JPEG again at "
                "its own quality changes almost nothing, so ELA maps would be blank; set them apart"
            )
        return self

    @field_validator("dataset")
    @classmethod
    def _sets_in_order(cls, dataset: str) -> str:
        names = sorted(dataset.split("+"))
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"names '{twice}' twice")
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
        """The chosen entries of `datasets`, in the order of their names: of `a+b` two."""
        names = self.dataset.split("+")
        return {name: choose(self.datasets, name, "dataset") for name in names}

    @property
    def held_out_sets(self) -> dict[int, str]:
        """The folds that hold out a whole set, and which: they come after `split.folds` others."""
        names = self.dataset.split("+") if self.split.method == "sets" else []
        return dict(enumerate(names, self.split.folds))

    @property
    def all_folds(self) -> range:
        """The numbers of all folds: `split.folds`, then those that hold out a whole set."""
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

    Raises
    ------
    RealartError
        The file is missing or no YAML, a param is unknown, missing, ill-typed or out of range, or
        `dataset`, `model` or a descriptor of the model names no entry, or its weights are no file.
    """
    try:
        content = yaml12.load(path.read_text("utf-8"), path.name)
    except FileNotFoundError as error:
        raise RealartError(
            f"no {path.name} in {path.parent.resolve()}: run this from the project's top folder"
        ) from error
    except UnicodeDecodeError as error:
        raise RealartError(f"{path.name} is no UTF-8: {error}") from error
    if not isinstance(content, dict):
        raise RealartError(f"{path.name} holds {type(content).__name__}, not a mapping of params")
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise RealartError(f"{path.name}: {_first_problem(error)}") from error
    _ = params.sets
    for backbone in params.backbones:
        weights_file(backbone)
    for name, encoder in params.encoders.items():
        encoder_file(name, encoder)
    return params


def weights_file(backbone: KerasApplication) -> Path | None:
    """Return the file of a backbone's weights, or None where its `weights` are a keyword.

    Raises
    ------
    RealartError
        There is no such file.
    """
    if backbone.weights in ("imagenet", "none"):
        return None
    file = root() / backbone.weights
    if not file.is_file():
        raise RealartError(
            f"backbone weights '{backbone.weights}' are no file (looked for {file}): "
            "give a path, or imagenet, or none"
        )
    return file


def encoder_file(name: str, encoder: Encoder) -> Path | None:
    """Return the ONNX file of the descriptor `name`, or None where it is to be downloaded.

    Raises
    ------
    RealartError
        There is no such file.
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
    problems = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    problem = problems[0]
    place = [part for part in problem["loc"] if not str(part).startswith("<")]  # tags of kinds
    where = ".".join(str(part) for part in place)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if problem["type"] == "extra_forbidden":
        return f"unknown param '{where}'{hint(where, _names(Params, place))}{more}"
    if problem["type"] == "missing":
        return f"param '{where}' is missing{more}"
    message = problem["msg"].removeprefix("Value error, ")
    if not where or isinstance(problem["input"], dict):
        return f"{where}: {message}{more}".removeprefix(": ")
    return f"{where} is {problem['input']!r}: {message}{more}"


def _names(model: type[BaseModel], place: Sequence[int | str], prefix: str = "") -> list[str]:
    """List every param below `model`; of named entries those of the one that `place` lies in."""
    names = []
    for name, field in model.model_fields.items():
        names.append(prefix + name)
        inside = f"{prefix}{name}."
        if get_origin(field.annotation) is dict and place[0] == name and len(place) > 1:
            inside += f"{place[1]}."
        for inner in _models(field.annotation):
            names += _names(inner, place, inside)
    return names


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the groups of params that an annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
