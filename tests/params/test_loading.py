"""params.yaml is loaded, and each kind of mistake in it is an error of one line."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from making import PARAMS

from realart.core import yaml12
from realart.core.errors import RealartError
from realart.params import (
    Goals,
    NetworkRecipe,
    Params,
    load_params,
)

REAL = Path(__file__).parents[2] / "params.yaml"
CONTENT = yaml12.load(REAL.read_text("utf-8"), "params.yaml")
Content = dict[str, Any]


def load_changed(change: Callable[[Content], object], folder: Path) -> Params:
    content = copy.deepcopy(CONTENT)
    change(content)
    file = folder / "params.yaml"
    file.write_text(yaml12.dump(content), "utf-8")
    return load_params(file)


def at(path: str, value: Any) -> Callable[[Content], object]:
    """Return a change that sets the param of a dotted name."""

    def change(content: Content) -> None:
        *folders, last = path.split(".")
        for folder in folders:
            content = content[folder]
        content[last] = value

    return change


def renamed(path: str, name: str) -> Callable[[Content], object]:
    """Return a change that renames the param of a dotted name."""

    def change(content: Content) -> None:
        *folders, last = path.split(".")
        for folder in folders:
            content = content[folder]
        content[name] = content.pop(last)

    return change


def unknown_descriptor(content: Content) -> None:
    content["model"] = "forensic"
    content["recipes"]["forensic"]["sees"]["features"] = ["forensics"]


def test_the_default_recipe_is_a_network_that_needs_no_download() -> None:
    assert isinstance(PARAMS.recipe, NetworkRecipe)
    assert PARAMS.recipe.backbone is None
    assert PARAMS.dataset == "sample"


@pytest.mark.parametrize("name", list(PARAMS.recipes))
def test_every_recipe_can_be_chosen(name: str, tmp_path: Path) -> None:
    assert load_changed(at("model", name), tmp_path).recipe == PARAMS.recipes[name]


@pytest.mark.parametrize("name", list(PARAMS.datasets))
def test_every_dataset_can_be_chosen(name: str, tmp_path: Path) -> None:
    assert load_changed(at("dataset", name), tmp_path).sets == {name: PARAMS.datasets[name]}


def test_several_datasets_are_sorted_by_name(tmp_path: Path) -> None:
    for dataset in ("local+artimages", "artimages+local"):
        loaded = load_changed(at("dataset", dataset), tmp_path)
        assert loaded.dataset == "artimages+local"
        assert list(loaded.sets.items()) == [
            (name, PARAMS.datasets[name]) for name in ("artimages", "local")
        ]
        assert loaded.held_out_sets == {}

    def held_out(content: Content) -> None:
        content["dataset"] = "local+artimages"
        content["split"] |= {"method": "sets", "folds": 3}

    assert load_changed(held_out, tmp_path).held_out_sets == {3: "artimages", 4: "local"}


def test_a_single_precision_may_be_a_number(tmp_path: Path) -> None:
    assert load_changed(at("promise.precision", 0.9), tmp_path).promise.precision == [0.9]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("dataset", "local+lokal"), "unknown dataset 'lokal' (did you mean 'local'?)"),
        (at("dataset", "local+"), "unknown dataset ''; choose one of: sample, "),
        (at("dataset", "a+local+a"), "dataset is 'a+local+a': names 'a' twice"),
        (at("split.method", "sets"), "dataset is 'sample' alone: name several, as in -S dataset="),
        (renamed("datasets.local", "a/b"), "datasets has the name 'a/b': is no valid name"),
        (renamed("datasets.local", "a+b"), "datasets has the name 'a+b': is no valid name"),
        (renamed("datasets.local", "a:b"), "datasets has the name 'a:b': is no valid name"),
        (renamed("datasets.local", "a.b"), "datasets has the name 'a.b': is no valid name"),
        (at("model", "resnet5"), "unknown model 'resnet5' (did you mean 'resnet50'?)"),
        (at("model", "x"), "choose one of: cnn, "),
        (at("dataset", "cashbowmann"), "unknown dataset 'cashbowmann' (did you mean 'cashbowman'?"),
        (at("model", 5), "model is 5"),
        (at("split.test_sise", 0.1), "'split.test_sise' (did you mean 'split.test_size'?)"),
        (renamed("ela.quality", "qualty"), "'ela.qualty' (did you mean 'ela.quality'?)"),
        (renamed("evaluate.reencode", "sure"), "'evaluate.sure' is now 'promise.precision'"),
        (renamed("model", "modle"), "'modle' (did you mean 'model'?)"),
        (at("recipes.cnn.epoch", 3), "'recipes.cnn.epoch' (did you mean 'recipes.cnn.epochs'?)"),
        (
            at("recipes.resnet50.sees.backbone.weight", "none"),
            "mean 'recipes.resnet50.sees.backbone.weights'",
        ),
        (at("datasets.local.paht", "x"), "(did you mean 'datasets.local.path'?)"),
        (at("ela.scale", float("inf")), "ela.scale"),
        (
            at("recipes.cnn.optimizer.learning_rate", 1e30),
            "recipes.cnn.optimizer.learning_rate is 1e+30: Input should be less than",
        ),
        (at("recipes.resnet50.fine_tune.learning_rate", 101.0), "fine_tune.learning_rate is 101.0"),
        (at("split.folds", "five"), "split.folds is 'five'"),
        (at("split.folds", 4.0), "split.folds is 4.0"),
        (at("balance.horizontal_flip", "yes"), "balance.horizontal_flip is 'yes'"),
        (at("split.seed", None), "split.seed is None"),
        (at("split.seed", 2**32), "split.seed is 4294967296: Input should be less than 4294967296"),
        (at("train.seed", -1), "train.seed is -1"),
        (at("balance.seed", 2**32), "balance.seed is 4294967296"),
        (at("split.test_size", 1.5), "split.test_size is 1.5"),
        (at("clean.quality", 101), "clean.quality is 101"),
        (at("split.folds", 1), "split.folds is 1"),
        (at("split.method", "magic"), "split.method is 'magic'"),
        (at("split", None), "split is None"),
        (lambda content: content["split"].pop("seed"), "'split.seed' is missing"),
        (lambda content: content.pop("goals"), "'goals' is missing"),
        (at("promise.precision", [0.9, 0.95]), "several in descending order"),
        (at("promise.precision", []), "give one number, or several"),
        (at("promise.precision", [0.9, 0.4]), "promise.precision.1 is 0.4"),
        (at("goals.acuracy", 0.9), "'goals.acuracy' (did you mean 'goals.accuracy'?)"),
        (at("goals.recall", 80), "goals.recall is 80"),
        (at("goals.mcc", -1.5), "goals.mcc is -1.5"),
        (at("goals.loss", 0.0), "goals.loss is 0.0"),
        (at("goals.auc", "high"), "goals.auc is 'high'"),
        (at("ela.quality", PARAMS.clean.quality), f"ela.quality equals clean.quality ({90})"),
        (at("clean.similar", 0.99), "similar (0.99) is above duplicate (0.98)"),
        (at("datasets.local.fields", "("), "datasets.local.fields is '('"),
        (at("datasets.local.fields", "(?P<era>.)"), "has unknown groups ['era']"),
        (at("datasets.local.labels.ai", ["train/ai"]), "datasets.local.labels.ai.0 is 'train/ai'"),
        (at("datasets.local.labels.human", ["-"]), "'-': has no letter or digit to match"),
        (at("datasets.local.labels.table", {"file": "x"}), "'datasets.local.labels.table.path' is"),
        (at("datasets.local.labels.tabel", None), "did you mean 'datasets.local.labels.table'?"),
        (at("recipes.cnn.sees.sise", 9), "(did you mean 'recipes.cnn.sees.size'?)"),
        (at("recipes.cnn.sees", 5), "recipes.cnn.sees is 5"),
        (at("recipes.forensic.head.grid", {"C": []}), "recipes.forensic.head.grid.C is []"),
        (at("descriptors.mobilenetv2.veiws", 2), "(did you mean 'descriptors.mobilenetv2.views'?)"),
        (unknown_descriptor, "unknown descriptor 'forensics' (did you mean 'forensic'?)"),
        (
            at("recipes.cnn.fine_tune", PARAMS.recipes["resnet50"].fine_tune.model_dump()),
            "backbone",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_value_received(
    change: Callable[[Content], object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RealartError) as raised:
        load_changed(change, tmp_path)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_goal_is_left_out_by_null_or_by_omission(tmp_path: Path) -> None:
    def change(content: Content) -> None:
        content["goals"] = {"accuracy": None, "loss": 0.7, "mcc": -0.1}

    goals = load_changed(change, tmp_path).goals.model_dump(exclude_none=True)
    assert goals == {"loss": 0.7, "mcc": -0.1}
    assert load_changed(at("goals", {}), tmp_path).goals == Goals()


@pytest.mark.parametrize("content", [b"a: [1\nb: }", b"a: \xe9", b"- 1", b"", b"text", b"a: \x01"])
def test_a_file_that_is_not_a_mapping_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(RealartError, match=r"^params\.yaml "):
        load_params(tmp_path / "params.yaml")


def test_the_error_of_a_missing_file_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(RealartError, match=f"no params.yaml in {tmp_path}: run this from"):
        load_params(tmp_path / "params.yaml")


def test_qualities_may_be_equal_if_canonical_pictures_are_not_jpeg(
    tmp_path: Path,
) -> None:
    def change(content: Content) -> None:
        content["ela"]["quality"] = content["clean"]["quality"]
        content["clean"]["encoding"] = "original"

    assert load_changed(change, tmp_path).ela.quality == PARAMS.clean.quality


@pytest.mark.parametrize("tap", [{}, {"block": 1, "tensor": "x"}])
def test_a_tap_names_one_tensor(tap: Content, tmp_path: Path) -> None:
    def change(content: Content) -> None:
        content["descriptors"]["clip_vit_b16"]["taps"] = [{"pooling": ["cls"], **tap}]

    with pytest.raises(RealartError, match=r"taps\.0: a tap has either tensor"):
        load_changed(change, tmp_path)
