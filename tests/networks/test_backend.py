"""One module uses the backend, preparing data needs none, and a seed decides all weights."""

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import LAYERS, REPOSITORY, TRAIN, noise, python, recipe, rows, thirds
from simulated import FOUR_DEVICES

from realart.core.errors import RealartError
from realart.networks import backend, builder, openvino_runtime
from realart.networks.backend import keras
from realart.training import fold_training, folds

pytestmark = pytest.mark.slow

FILES = sorted(
    file for folder in ("realart", "stages") for file in (REPOSITORY / folder).rglob("*.py")
)
BACKENDS = {"keras", "tensorflow", "torch", "jax"}
BELOW_NETWORKS = ("core", "data", "metrics")
"""Packages that import no network, nor any that they import."""
STAGES = ("download", "clean", "split", "balance", "ela", "features")


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
def test_only_one_module_imports_a_backend(file: Path) -> None:
    used = imported(file) & BACKENDS
    if file == REPOSITORY / "realart/networks/backend.py":
        assert used == BACKENDS
    else:
        assert not used


def test_preparing_data_imports_no_backend() -> None:
    files = [
        file for name in BELOW_NETWORKS for file in (REPOSITORY / "realart" / name).glob("*.py")
    ]
    names = [f"realart.{file.parent.name}.{file.stem}" for file in files if file.stem != "__init__"]
    names += ["realart.cli", *(f"stages.{name}" for name in STAGES)]
    code = f"import sys, {', '.join(names)}; print(*sorted({BACKENDS} & set(sys.modules)))"
    result = python(code)
    assert (result.returncode, result.stdout) == (0, "\n"), result.stderr


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("stages.train", "dvc matplotlib"),
        ("stages.evaluate", "dvc mlflow"),
        ("stages.report", "dvc"),
    ],
)
def test_a_stage_imports_nothing_heavy_for_others(module: str, unused: str) -> None:
    code = f"import sys, {module}; print(*sorted(set('{unused}'.split()) & set(sys.modules)))"
    result = python(code)
    assert (result.returncode, result.stdout) == (0, "\n"), result.stderr


@pytest.fixture
def _as_before() -> Iterator[None]:
    yield
    backend.prepare(TRAIN.seed)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_precision_holds_for_all_further_networks(precision: str) -> None:
    backend.prepare(TRAIN.seed, precision=precision)
    model = builder.build(recipe())
    computed = precision.removeprefix("mixed_")
    assert model.layers[2].compute_dtype == computed
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model(noise(16)).dtype == "float32"


@pytest.mark.usefixtures("_as_before")
def test_the_seed_decides_what_is_drawn() -> None:
    drawn = []
    for seed in (3, 3, 4):
        backend.prepare(seed)
        drawn.append(float(keras.random.uniform(())))
    assert drawn[0] == drawn[1] != drawn[2]


def test_determinism_is_a_choice_and_importing_prints_nothing() -> None:
    code = """
import sys
from realart.networks import backend
print(*sorted({"jax", "matplotlib"} & {*sys.modules}))
import matplotlib
from tensorflow.python.framework import config
for deterministic in (False, True):
    backend.prepare(0, deterministic=deterministic)
    print(config.is_op_determinism_enabled())
"""
    result = python(code)
    assert (result.stdout, result.stderr) == ("\nFalse\nTrue\n", "")


def train_and_export(folder: Path) -> None:
    """Train and export by the backend of this process, and save scores under its name."""
    wanted = recipe(layers=LAYERS[:-1])  # dropout draws as its backend does
    backend.prepare(TRAIN.seed)

    def build() -> keras.Model:
        model = builder.build(wanted)
        if (folder / "first.weights.h5").is_file():
            model.load_weights(folder / "first.weights.h5")
        else:
            model.save_weights(folder / "first.weights.h5")
        return model

    data, name = rows(60), keras.config.backend()
    model, records = fold_training.train_fold(
        build, wanted, TRAIN, data, thirds(data), 0, folder / f"{name}.npz", lambda record: None
    )
    exported = openvino_runtime.export(model, folder, name)
    np.savez(
        folder / f"{name}.scores.npz",
        scores=model.predict(noise(16, 20), verbose=0),
        exported=exported(noise(16, 20))[0],
        losses=[record["val_loss"] for record in records],
    )


def assert_same_network(folder: Path, name: str) -> None:
    """Compare what TensorFlow and another backend have trained and exported."""
    known, found = (np.load(folder / f"{backend}.scores.npz") for backend in ("tensorflow", name))
    assert np.ptp(known["losses"]) > 0.05
    # TensorFlow's batch normalisation keeps the unbiased variance, the others the biased one.
    np.testing.assert_allclose(found["losses"], known["losses"], rtol=3e-3)
    np.testing.assert_allclose(found["scores"], known["scores"], atol=3e-3)
    np.testing.assert_allclose(found["exported"], found["scores"], atol=1e-5)


IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
import test_backend

getattr(test_backend, sys.argv[1])(Path(sys.argv[2]))
"""


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="torch is not installed")
def test_torch_trains_the_same_network(tmp_path: Path) -> None:
    train_and_export(tmp_path)
    process = python(IN_ANOTHER_PROCESS, "train_and_export", tmp_path, KERAS_BACKEND="torch")
    assert process.returncode == 0, process.stderr
    assert_same_network(tmp_path, "torch")


DISTRIBUTED = recipe(batch_size=16, epochs=4, patience=4)
FITTED, VALIDATED = 38, 7
"""Not whole batches of 16: the last of 6 is divided by two devices and not by four, 7 by none."""


def train_distributed(folder: Path) -> None:
    """Train on 1, 2 and 4 devices of a process; record the rows of each batch on each device."""
    from keras.src.backend.jax import trainer

    plain, sizes = trainer._distribute_data, set()

    def recorded(data: Any, layouts: Any = None) -> Any:
        given = plain(data, layouts)
        sizes.add((len(given[-1]), *(len(shard.data) for shard in given[-1].addressable_shards)))
        return given

    trainer._distribute_data = recorded
    data = rows(60)
    fit, val = np.arange(FITTED), np.arange(40, 40 + VALIDATED)
    parts = folds.FoldIndices(fit, val, np.arange(50, 60), np.concatenate([fit, val]))
    arrays: dict[str, Any] = {}
    for count in (1, 2, 4):
        backend.prepare(TRAIN.seed)
        backend.distribute(count)
        sizes.clear()
        model, records = fold_training.train_fold(
            partial(builder.build, DISTRIBUTED), DISTRIBUTED, TRAIN, data, parts, 0,
            folder / f"{count}.npz", lambda record: None,
        )  # fmt: skip
        scores = fold_training.predict(model, DISTRIBUTED, data, np.arange(41))
        arrays[f"{count}-scores"] = scores
        for key in ("loss", "accuracy", "val_loss", "val_accuracy"):
            arrays[f"{count}-{key}"] = [record[key] for record in records]
        for number, weight in enumerate(model.weights):
            arrays[f"{count}-weight{number}"] = weight.numpy()
        np.save(folder / f"{count}-sizes.npy", sorted(map(str, sizes)))
    np.savez(folder / "distributed.npz", **arrays)


def do_all_of_jax(folder: Path) -> None:
    """Do in one process what needs JAX, which takes seconds to import and to compile."""
    backend.check_devices(5, 30)
    with pytest.raises(RealartError) as refusal:
        backend.distribute(5)
    (folder / "refusal").write_text(str(refusal.value))
    train_and_export(folder)
    train_distributed(folder)
    assert "tensorflow" not in sys.modules


@pytest.fixture(scope="module")
def jax(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the results of a process with four simulated devices."""
    if not importlib.util.find_spec("jax"):
        pytest.skip("jax is not installed")
    folder = tmp_path_factory.mktemp("jax")
    train_and_export(folder)
    process = python(IN_ANOTHER_PROCESS, "do_all_of_jax", folder, **FOUR_DEVICES)
    assert process.returncode == 0, process.stderr
    return folder


def test_jax_trains_the_same_network(jax: Path) -> None:
    assert_same_network(jax, "jax")


@pytest.mark.parametrize("count", [2, 4])
def test_several_devices_train_the_same_weights_as_one(jax: Path, count: int) -> None:
    """Batch normalisation, too: its statistics are those of the whole batch."""
    with np.load(jax / "distributed.npz") as arrays:
        alone = {key: arrays[key] for key in arrays if key.startswith("1-")}
        assert alone
        for key, expected in alone.items():
            found = arrays[f"{count}{key.removeprefix('1')}"]
            np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5, err_msg=key)
        assert np.ptp(alone["1-loss"]) > 0.05


def test_devices_share_every_batch_that_they_divide(jax: Path) -> None:
    expected = {
        1: [(6, 6), (7, 7), (16, 16)],
        2: [(6, 3, 3), (7, 7, 7), (16, 8, 8)],
        4: [(6, 6, 6, 6, 6), (7, 7, 7, 7, 7), (16, 4, 4, 4, 4)],
    }
    for count, shares in expected.items():
        sizes = np.load(jax / f"{count}-sizes.npy").tolist()
        assert sizes == sorted(map(str, shares))


def test_devices_that_jax_lacks_are_an_error_of_one_line(jax: Path) -> None:
    (line,) = (jax / "refusal").read_text().splitlines()
    assert re.fullmatch(r"train\.devices is 5, but JAX has 4 \(cpu:0, .*\): lower it.*", line)


def test_several_devices_need_jax() -> None:
    only_jax = "^train.devices is 3, but KERAS_BACKEND is tensorflow: only jax"
    with pytest.raises(RealartError, match=only_jax):
        backend.check_devices(3, 30)


def test_a_batch_that_devices_do_not_divide_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    backend.check_devices(4, 16)
    with pytest.raises(RealartError, match=r"devices is 4, which does not divide .* batch_size 10"):
        backend.check_devices(4, 10)
