"""All params of params.yaml as one group, and what they must have in common."""

from pydantic import field_validator, model_validator

from realart.core.registry import choose
from realart.params.datasets import Dataset, SetName
from realart.params.descriptors import Descriptor, Encoder
from realart.params.evaluation import Evaluate, Goals, Promise
from realart.params.groups import Strict
from realart.params.networks import KerasApplication
from realart.params.preparation import Audit, Balance, Clean, Ela, Features, Split
from realart.params.recipes import Recipe
from realart.params.training import Train


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
