"""Networks by OpenVINO: the outputs of Keras, equal bytes, and a refusal where they differ."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import PARAMS, REPOSITORY, awake, backbone_recipe, noise, python, recipe

from realart.networks import builder, openvino_runtime
from realart.networks.backend import keras
from realart.networks.openvino_runtime import UnsupportedError
from realart.params import NetworkRecipe

pytestmark = pytest.mark.slow

SMALL = {
    name: wanted
    if wanted.sees.augment
    else wanted.model_copy(update={"sees": wanted.sees.model_copy(update={"size": 64})})
    for name, wanted in PARAMS.recipes.items()
    if isinstance(wanted, NetworkRecipe)
    and "resnet" not in name  # as the others, in half a minute
    and name != "mobilenetv2"  # as mobilenetv2_tuned, which augments before it
    and name != "efficientnetb0"  # test_trained_model.py has its backbone
}


@pytest.mark.parametrize("name", list(SMALL))
def test_each_recipe_has_the_outputs_of_keras(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = builder.build(builder.with_random_weights(SMALL[name]))
    if SMALL[name].backbone:
        awake(model)
    run = openvino_runtime.export(model, tmp_path, "network")
    pixels = noise(SMALL[name].sees.size, 5)
    (outputs,), expected = run(pixels), np.array(model(pixels, training=False))
    assert expected.std() > 1e-4
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
    np.testing.assert_array_equal(openvino_runtime.load(tmp_path, "network")(pixels)[0], outputs)


def test_a_batch_may_have_any_length_and_any_layout(tmp_path: Path) -> None:
    run = openvino_runtime.export(builder.build(recipe()), tmp_path, "network")
    pixels = noise(16, 7)
    (together,) = run(pixels)
    alone = np.concatenate([run(picture[None])[0] for picture in pixels])
    np.testing.assert_allclose(alone, together)
    np.testing.assert_array_equal(run(pixels[::-1])[0], together[::-1])
    pixels.setflags(write=False)
    np.testing.assert_array_equal(run(pixels)[0], together)


def test_threads_get_the_outputs_of_their_own_batches(tmp_path: Path) -> None:
    """A server calls the network from several threads."""
    run = openvino_runtime.export(builder.build(recipe()), tmp_path, "network")
    batches = [noise(16, 1, seed=number) for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        outputs = list(threads.map(run, batches))
    for pixels, (output,) in zip(batches, outputs, strict=True):
        np.testing.assert_array_equal(output, run(pixels)[0])


def test_no_thread_is_bound_to_a_processor(tmp_path: Path) -> None:
    """Of processes side by side, each of one thread, all would be bound to the first one."""
    openvino_runtime.export(builder.build(recipe()), tmp_path, "network")
    code = f"""if True:
        from contextlib import suppress
        from pathlib import Path
        from threading import Thread
        import numpy as np
        from realart.networks import openvino_runtime
        run = openvino_runtime.load(Path({str(tmp_path)!r}), "network")
        batch, allowed = np.zeros((4096, 16, 16, 3), np.uint8), set()
        running = Thread(target=lambda: [run(batch) for _ in range(20)])
        running.start()
        while running.is_alive():
            for file in Path("/proc/self/task").glob("*/status"):
                with suppress(OSError):  # a thread that has ended
                    allowed.add(file.read_text().split("Cpus_allowed_list:")[1].split()[0])
        print(allowed)"""
    allowed = {Path("/proc/self/status").read_text().split("Cpus_allowed_list:")[1].split()[0]}
    done = python(code, OMP_NUM_THREADS="1")
    assert done.stdout.strip() == str(allowed), done.stderr


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    model = builder.build(backbone_recipe("MobileNet", backbone={"arguments": {"alpha": 0.25}}))
    for name in "ab":
        openvino_runtime.export(model, tmp_path, name)
    for suffix in (".xml", ".bin"):
        first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
        assert first == second


class Fickle(keras.layers.Layer):  # type: ignore[misc]
    """A layer that computes something else at each call."""

    times = 0

    def call(self, x: Any) -> Any:
        self.times += 1
        return x * self.times


def test_a_network_whose_outputs_differ_is_refused(tmp_path: Path) -> None:
    inputs = keras.Input((5,))
    with pytest.raises(UnsupportedError, match=r"its outputs differ from those of Keras by \d"):
        openvino_runtime.export(keras.Model(inputs, Fickle()(inputs)), tmp_path, "network")
    assert not list(tmp_path.iterdir())


class Unsupported(keras.layers.Layer):  # type: ignore[misc]
    """A layer of NumPy, which no converter can follow."""

    def call(self, x: Any) -> Any:
        import tensorflow

        y = tensorflow.numpy_function(lambda values: np.sort(values), [x], tensorflow.float32)
        return tensorflow.ensure_shape(y, x.shape)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def test_a_network_with_an_unknown_operation_is_refused(tmp_path: Path) -> None:
    inputs = keras.Input((5,))
    with pytest.raises(UnsupportedError, match="OpenVINO can't run this network"):
        openvino_runtime.export(keras.Model(inputs, Unsupported()(inputs)), tmp_path, "network")
    assert not list(tmp_path.iterdir())


def test_no_folder_for_temporary_files_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was full once decided that a model had no files for OpenVINO."""
    model = builder.build(recipe())
    openvino_runtime.export(model, tmp_path, "with")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing"))
    openvino_runtime.export(model, tmp_path, "without")
    for suffix in (".xml", ".bin"):
        first, second = ((tmp_path / f"{name}{suffix}") for name in ("with", "without"))
        assert first.read_bytes() == second.read_bytes()


def test_a_full_disk_is_an_error_and_no_reason_to_do_without(tmp_path: Path) -> None:
    """A limit of the size of files stands for it, which anybody may set."""
    done = python(
        "import resource, sys; from pathlib import Path\n"
        "from networks import UNCALIBRATED_RULE, PARAMS, recipe\n"
        "from realart.core import errors; from realart.features import preprocessing\n"
        "from realart.models import trained_model\n"
        "from realart.networks import builder, openvino_runtime, stored_weights\n"
        "wanted = recipe(layers=[{'Flatten': {}}, {'Dense': {'units': 4096}}])\n"
        "network, folder = builder.build(wanted), Path(sys.argv[1])\n"
        "spec = preprocessing.input_spec(PARAMS)\n"
        "save = stored_weights.save\n"
        "def limited(*arguments):\n"
        "    save(*arguments)\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "stored_weights.save = limited\n"
        "errors.run(lambda: trained_model.save("
        "folder, wanted, spec, [network], UNCALIBRATED_RULE))",
        tmp_path,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("realart: a file would become larger than is allowed here")
    assert str(tmp_path) in line
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.weights.h5", "architecture.json"]


def test_no_telemetry_is_sent(tmp_path: Path) -> None:
    """OpenVINO's converter would send events with a number that it keeps in the home folder."""
    done = python(
        "import sys; sys.path.insert(0, 'tests'); from networks import recipe\n"
        "from pathlib import Path; from realart.networks import openvino_runtime, builder\n"
        "openvino_runtime.export(builder.build(recipe()), Path(sys.argv[1]), 'network')\n"
        "from openvino.tools.ovc import telemetry_utils; print(telemetry_utils.tm.__name__)",
        tmp_path, HOME=str(tmp_path / "home"), cwd=REPOSITORY,
    )  # fmt: skip
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub"], done.stderr
    assert not (tmp_path / "home/intel").exists()
