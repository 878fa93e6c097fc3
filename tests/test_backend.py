"""One module speaks to the backend, preparing data needs none, and a seed decides everything."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from networks import REPOSITORY, TRAIN, noise, python, recipe

from realart import backend, recipes
from realart.backend import keras

FILES = sorted(
    file for folder in ("realart", "stages") for file in (REPOSITORY / folder).rglob("*.py")
)
BACKENDS = {"keras", "tensorflow", "torch", "jax"}
DATA_MODULES = (
    "params", "tables", "pictures", "cleaning", "splits", "balancing", "ela", "inputs", "contact",
    "sources", "labels", "duplicates", "fingerprints", "hamming", "headers", "traces", "floors",
    "audit", "findings", "intervals", "matching", "outputs", "project", "errors", "cli",
)  # fmt: skip


def imported(file: Path) -> set[str]:
    """Return the packages that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_only_one_module_speaks_to_the_backend(file: Path) -> None:
    speaks = imported(file) & BACKENDS
    if file == REPOSITORY / "realart/backend.py":
        assert speaks == BACKENDS
    else:
        assert not speaks


def test_preparing_data_imports_no_backend() -> None:
    names = ", ".join(f"realart.{name}" for name in DATA_MODULES)
    code = f"import sys, {names}; print(*sorted({BACKENDS} & set(sys.modules)))"
    result = python(code)
    assert (result.returncode, result.stdout) == (0, "\n"), result.stderr


STAGES = ("download", "clean", "split", "balance", "ela", "features")


def test_stages_that_prepare_data_import_no_backend() -> None:
    names = ", ".join(f"stages.{name}" for name in STAGES)
    result = python(f"import sys, {names}; print(*sorted({BACKENDS} & set(sys.modules)))")
    assert (result.returncode, result.stdout) == (0, "\n"), result.stderr


@pytest.fixture
def _as_before() -> Iterator[None]:
    yield
    backend.prepare(TRAIN)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_precision_is_that_of_all_networks_from_now_on(precision: str) -> None:
    backend.prepare(TRAIN.model_copy(update={"precision": precision}))
    model = recipes.build(recipe())
    computed = precision.removeprefix("mixed_")
    assert model.layers[2].compute_dtype == computed
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model(noise(16)).dtype == "float32"


@pytest.mark.usefixtures("_as_before")
def test_the_seed_decides_what_is_drawn() -> None:
    drawn = []
    for seed in (3, 3, 4):
        backend.prepare(TRAIN.model_copy(update={"seed": seed}))
        drawn.append(float(keras.random.uniform(())))
    assert drawn[0] == drawn[1] != drawn[2]


def test_determinism_is_on_only_where_asked_for_and_importing_says_nothing() -> None:
    code = """
from realart.params import Train
from realart import backend
from tensorflow.python.framework import config
for asked in (False, True):
    backend.prepare(
        Train(seed=0, deterministic=asked, precision="float32", checkpoint_seconds=0.0)
    )
    print(config.is_op_determinism_enabled())
"""
    result = python(code)
    assert (result.stdout, result.stderr) == ("False\nTrue\n", "")


TRAINED = """
import sys
from pathlib import Path
import numpy as np
from networks import LAYERS, TRAIN, noise, recipe, rows, thirds
from realart import backend, inference, recipes, training

folder, wanted = Path(sys.argv[1]), recipe(layers=LAYERS[:-1])  # dropout draws as its backend does
backend.prepare(TRAIN)

def build():
    model = recipes.build(wanted)
    if (folder / "first.weights.h5").is_file():
        model.load_weights(folder / "first.weights.h5")
    else:
        model.save_weights(folder / "first.weights.h5")
    return model

data = rows(60)
name = backend.keras.config.backend()
model, records = training.train_fold(
    build, wanted, TRAIN, data, thirds(data), 0, folder / f"{name}.npz", lambda record: None
)
exported = inference.export(model, folder, name)
np.savez(
    folder / f"{name}.scores.npz",
    scores=model.predict(noise(16, 20), verbose=0), exported=exported(noise(16, 20))[0],
    losses=[record["val_loss"] for record in records],
)
"""


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_another_backend_trains_the_same_network(name: str, tmp_path: Path) -> None:
    if not importlib.util.find_spec(name):
        pytest.skip(f"{name} is not installed")
    for one in ("tensorflow", name):
        done = python(TRAINED, tmp_path, KERAS_BACKEND=one)
        assert done.returncode == 0, done.stderr
    known, found = (np.load(tmp_path / f"{one}.scores.npz") for one in ("tensorflow", name))
    assert np.ptp(known["losses"]) > 0.05
    # TensorFlow's batch normalisation keeps the unbiased variance, the others the biased one.
    np.testing.assert_allclose(found["losses"], known["losses"], rtol=3e-3)
    np.testing.assert_allclose(found["scores"], known["scores"], atol=3e-3)
    np.testing.assert_allclose(found["exported"], found["scores"], atol=1e-5)
