"""Networks without Keras: the same numbers and bytes, and a refusal where they would differ."""

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

SMALL = {
    name: one
    if one.sees.augment
    else one.model_copy(update={"sees": one.sees.model_copy(update={"size": 64})})
    for name, one in PARAMS.recipes.items()
    if isinstance(one, NetworkRecipe)
    and "resnet" not in name  # as the others, in half a minute
    and name != "mobilenetv2"  # as mobilenetv2_tuned, which augments before it
}


@pytest.mark.parametrize("name", list(SMALL))
def test_each_recipe_says_the_same(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = builder.build(builder.without_download(SMALL[name]))
    if SMALL[name].backbone:
        awake(model)
    run = openvino_runtime.export(model, tmp_path, "it")
    pixels = noise(SMALL[name].sees.size, 5)
    (said,), expected = run(pixels), np.array(model(pixels, training=False))
    assert expected.std() > 1e-4
    np.testing.assert_allclose(said, expected, atol=1e-4)
    np.testing.assert_array_equal(openvino_runtime.load(tmp_path, "it")(pixels)[0], said)


def test_a_batch_may_have_any_length_and_any_layout(tmp_path: Path) -> None:
    run = openvino_runtime.export(builder.build(recipe()), tmp_path, "it")
    pixels = noise(16, 7)
    (together,) = run(pixels)
    np.testing.assert_allclose(np.concatenate([run(one[None])[0] for one in pixels]), together)
    np.testing.assert_array_equal(run(pixels[::-1])[0], together[::-1])
    pixels.setflags(write=False)
    np.testing.assert_array_equal(run(pixels)[0], together)


def test_who_asks_at_the_same_time_gets_his_own_answer(tmp_path: Path) -> None:
    """A server asks from several threads."""
    run = openvino_runtime.export(builder.build(recipe()), tmp_path, "it")
    asked = [noise(16, 1, seed=number) for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(run, asked))
    for pixels, (one,) in zip(asked, said, strict=True):
        np.testing.assert_array_equal(one, run(pixels)[0])


def test_no_thread_is_bound_to_a_processor(tmp_path: Path) -> None:
    """Of processes side by side, each of one thread, all would be bound to the first one."""
    openvino_runtime.export(builder.build(recipe()), tmp_path, "it")
    code = f"""if True:
        from pathlib import Path
        from threading import Thread
        import numpy as np
        from realart.networks import openvino_runtime
        run = openvino_runtime.load(Path({str(tmp_path)!r}), "it")
        batch, seen = np.zeros((4096, 16, 16, 3), np.uint8), set()
        asking = Thread(target=lambda: [run(batch) for _ in range(20)])
        asking.start()
        while asking.is_alive():
            for file in Path("/proc/self/task").glob("*/status"):
                seen.add(file.read_text().split("Cpus_allowed_list:")[1].split()[0])
        print(seen)"""
    allowed = {Path("/proc/self/status").read_text().split("Cpus_allowed_list:")[1].split()[0]}
    done = python(code, OMP_NUM_THREADS="1")
    assert done.stdout.strip() == str(allowed), done.stderr


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    model = builder.build(backbone_recipe("MobileNet", backbone={"arguments": {"alpha": 0.25}}))
    for name in "ab":
        openvino_runtime.export(model, tmp_path, name)
    for suffix in (".xml", ".bin"):
        one, other = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
        assert one == other


class Fickle(keras.layers.Layer):  # type: ignore[misc]
    """A layer that is another one each time it is asked what it does."""

    times = 0

    def call(self, x: Any) -> Any:
        self.times += 1
        return x * self.times


def test_a_network_that_would_say_something_else_is_refused(tmp_path: Path) -> None:
    seen = keras.Input((5,))
    with pytest.raises(UnsupportedError, match=r"its numbers differ by \d"):
        openvino_runtime.export(keras.Model(seen, Fickle()(seen)), tmp_path, "it")
    assert not list(tmp_path.iterdir())


class Untold(keras.layers.Layer):  # type: ignore[misc]
    """A layer of NumPy, which no converter can follow."""

    def call(self, x: Any) -> Any:
        import tensorflow

        y = tensorflow.numpy_function(lambda values: np.sort(values), [x], tensorflow.float32)
        return tensorflow.ensure_shape(y, x.shape)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def test_a_network_that_openvino_has_no_operation_for_is_refused(tmp_path: Path) -> None:
    seen = keras.Input((5,))
    with pytest.raises(UnsupportedError, match="OpenVINO can't run this network"):
        openvino_runtime.export(keras.Model(seen, Untold()(seen)), tmp_path, "it")
    assert not list(tmp_path.iterdir())


def test_nothing_is_told_to_anyone(tmp_path: Path) -> None:
    """OpenVINO's converter would send events with a number that it keeps in the home folder."""
    done = python(
        "import sys; sys.path.insert(0, 'tests'); from networks import recipe\n"
        "from pathlib import Path; from realart.networks import openvino_runtime, builder\n"
        "openvino_runtime.export(builder.build(recipe()), Path(sys.argv[1]), 'it')\n"
        "from openvino.tools.ovc import telemetry_utils; print(telemetry_utils.tm.__name__)",
        tmp_path, HOME=str(tmp_path / "home"), cwd=REPOSITORY,
    )  # fmt: skip
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub"], done.stderr
    assert not (tmp_path / "home/intel").exists()
