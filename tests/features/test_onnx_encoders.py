"""Encoders in ONNX give the tensors that ONNX's own evaluator computes, pooled."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import graphs
import numpy as np
import pytest
from loopback import NOTHING_LISTENS, HubServer, running
from making import PARAMS, picture
from networks import noise
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image

from realart.core.errors import RealartError
from realart.features import onnx_encoders, preprocessing, vectors
from realart.features.preprocessing import InputSpec
from realart.networks import openvino_runtime
from realart.params import ForensicFeatures, OnnxFeatures

pytestmark = pytest.mark.slow

MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
NOISE = noise(graphs.SIDE, 3)


def features(
    file: str | Path, *taps: dict[str, Any], sha256: str | None = None, **changes: Any
) -> OnnxFeatures:
    encoder = {"file": str(file), "sha256": sha256, "licence": "MIT", "mean": MEAN, "std": STD}
    encoder |= {key: changes.pop(key) for key in ("channels",) if key in changes}
    wanted = {
        "encoder": encoder,
        "taps": list(taps) or [{"block": 0, "pooling": ["mean"]}],
        "size": graphs.SIDE,
        "shape": "squash",
        "views": 1,
        "precision": "float32",
    }
    return OnnxFeatures.model_validate(wanted | changes)


def local(file: Path, *taps: dict[str, Any], **changes: Any) -> OnnxFeatures:
    return features(file, *taps, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), **changes)


def encoded(part: OnnxFeatures, folder: Path, squares: NDArray[np.uint8]) -> NDArray[Any]:
    """Compute the vectors of squares by the files that are stored with a model."""
    folder.mkdir(exist_ok=True)
    spec = InputSpec(parts={"own": part}, clean=PARAMS.clean, ela=None)
    vectors.save_networks(spec.parts, folder)
    return vectors.load_networks(spec.parts, folder)["own"](squares)[0]


def normalised(squares: NDArray[np.uint8]) -> NDArray[np.float32]:
    values = (squares / 255 - np.array(MEAN)) / np.array(STD)
    return values.transpose(0, 3, 1, 2).astype(np.float32)


POOLED: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "cls": lambda tokens: tokens[:, 0],
    "mean": lambda tokens: tokens[:, 1:].mean(1),
    "std": lambda tokens: tokens[:, 1:].std(1),
    "max": lambda tokens: tokens[:, 1:].max(1),
}


@pytest.mark.parametrize("block", [0, 2])
def test_blocks_of_a_transformer_are_pooled_over_patches(block: int, tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx")
    part = local(file, {"block": block, "pooling": list(POOLED)})
    tokens = graphs.computed(file, f"block_{block}", normalised(NOISE))
    expected = np.concatenate([pool(tokens) for pool in POOLED.values()], axis=1)
    computed = encoded(part, tmp_path / "stored", NOISE)
    assert computed.dtype == np.float32
    np.testing.assert_allclose(computed, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_tokens_before_the_patches_are_not_pooled(prefix: int, tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx", prefix=prefix)
    tokens = graphs.computed(file, "block_1", normalised(NOISE))
    computed = encoded(local(file, {"block": 1, "pooling": ["mean"]}), tmp_path / "stored", NOISE)
    np.testing.assert_allclose(computed, tokens[:, prefix:].mean(1), rtol=1e-3, atol=1e-4)


def test_taps_are_concatenated_in_order_by_name_or_number(tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx")
    taps = [
        {"tensor": "embedding", "pooling": ["embedding"]},
        {"block": 1, "pooling": ["max"]},
        {"tensor": "block_0", "pooling": ["cls"]},
    ]
    embedding, late, early = (
        graphs.computed(file, name, normalised(NOISE))
        for name in ("embedding", "block_1", "block_0")
    )
    expected = np.concatenate([embedding, late[:, 1:].max(1), early[:, 0]], axis=1)
    computed = encoded(local(file, *taps), tmp_path / "stored", NOISE)
    np.testing.assert_allclose(computed, expected, rtol=1e-3, atol=1e-4)


def test_blocks_of_a_convolutional_network_are_pooled_over_positions(tmp_path: Path) -> None:
    file = graphs.convolutional(tmp_path / "encoder.onnx")
    maps = graphs.computed(file, "block_1", normalised(NOISE))
    part = local(file, {"block": 1, "pooling": ["mean", "std", "max"]})
    expected = np.concatenate([maps.mean((2, 3)), maps.std((2, 3)), maps.max((2, 3))], axis=1)
    computed = encoded(part, tmp_path / "stored", NOISE)
    np.testing.assert_allclose(computed, expected, rtol=1e-3, atol=1e-4)


def test_channel_order_and_layout_are_those_of_the_encoder(tmp_path: Path) -> None:
    first, last = (
        graphs.transformer(tmp_path / f"{last}.onnx", channels_last=last) for last in (False, True)
    )
    expected = encoded(local(first), tmp_path / "stored", NOISE)
    np.testing.assert_allclose(
        encoded(local(last), tmp_path / "stored", NOISE), expected, rtol=1e-4
    )
    bgr = NOISE[..., ::-1].copy()
    of_bgr = encoded(local(first, channels="bgr"), tmp_path / "stored", bgr)
    np.testing.assert_allclose(of_bgr, expected, rtol=1e-4)


def test_unused_nodes_are_dropped_and_equal_graphs_are_equal_bytes(tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx", blocks=6)
    sizes = []
    for folder, block in (("early", 0), ("late", 5), ("again", 5)):
        encoded(local(file, {"block": block, "pooling": ["cls"]}), tmp_path / folder, NOISE)
        sizes.append((tmp_path / folder / "describer-own.bin").stat().st_size)
    assert sizes[0] < sizes[1] / 2
    for file in (tmp_path / "late").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()


@pytest.mark.skipif(not openvino_runtime.has_bfloat16(), reason="this processor has no bfloat16")
def test_bfloat16_halves_the_weights_and_barely_moves_vectors(tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx")
    exact = encoded(local(file), tmp_path / "exact", NOISE)
    halved = encoded(local(file, precision="bfloat16"), tmp_path / "halved", NOISE)
    assert not np.array_equal(exact, halved)
    np.testing.assert_allclose(halved, exact, rtol=0.05, atol=0.05)
    exact_size, size = (
        (tmp_path / folder / "describer-own.bin").stat().st_size for folder in ("exact", "halved")
    )
    assert size < 0.6 * exact_size


def test_views_of_an_encoder_are_averaged(tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx")
    part = local(file, views=3, resample="lanczos")
    spec = InputSpec(
        parts={"own": part, "colour": ForensicFeatures(families=["colour"])},
        clean=PARAMS.clean,
        ela=None,
    )
    Image.fromarray(picture(1, 60, 50)).save(tmp_path / "1.png")
    batch = preprocessing.stack([preprocessing.from_stored(tmp_path / "1.png", spec)])
    vectors.save_networks(spec.parts, tmp_path)
    networks = vectors.load_networks(spec.parts, tmp_path)
    computed = vectors.extract(batch, spec.parts, networks)
    assert batch[0].shape == (1, 3, graphs.SIDE, graphs.SIDE, 3)
    expected = networks["own"](batch[0][0])[0].mean(0)
    np.testing.assert_allclose(computed[0, : graphs.WIDTH], expected, rtol=1e-5)


REFUSED: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "no ONNX": (lambda path: _written(path, b"\x08\x07nonsense"), {}, "can't be read as ONNX"),
    "cut": (
        lambda path: _written(path, graphs.transformer(path).read_bytes()[:900]),
        {},
        "can't be read as ONNX",
    ),
    "one channel": (lambda path: graphs.convolutional(path, 1), {}, r"pictures are \(batch, 3"),
    "other size": (graphs.transformer, {"size": 64}, r"set descriptors\.own\.size to 32"),
    "mixing": (graphs.mixing, {"taps": ("embedding", "embedding")}, "in a batch than alone"),
    "no tensor": (graphs.transformer, {"taps": ("blok_1", "cls")}, "no tensor 'blok_1'.*block_1"),
    "no block": (graphs.transformer, {"taps": (3, "cls")}, "no block 3: 3 residual blocks"),
    "no embedding": (graphs.transformer, {"taps": (0, "embedding")}, "pooled by mean, std or max"),
    "no positions": (
        graphs.transformer,
        {"taps": ("embedding", "mean")},
        r"'embedding' \[\?,5\] has no 'mean'; .*embedding",
    ),
    "no cls": (
        lambda path: graphs.transformer(path, prefix=0),
        {"taps": (0, "cls")},
        "has no 'cls'",
    ),
}


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("fault", list(REFUSED))
def test_what_is_no_image_encoder_is_an_error_of_one_line(fault: str, tmp_path: Path) -> None:
    make, changes, message = REFUSED[fault]
    if "taps" in changes:
        at, pooling = changes["taps"]
        key = "block" if isinstance(at, int) else "tensor"
        changes = {"taps": [{key: at, "pooling": [pooling]}]}
    part = local(make(tmp_path / "encoder.onnx"), **changes)
    with pytest.raises(RealartError, match=message) as refused:
        encoded(part, tmp_path / "stored", NOISE)
    assert "\n" not in str(refused.value)


def test_an_encoder_of_two_inputs_is_refused(tmp_path: Path) -> None:
    graph = graphs.Graph(("batch", 3, 32, 32))
    graph.inputs.append(helper.make_tensor_value_info("text", TensorProto.FLOAT, ("batch", 3)))
    mean = graph.add("ReduceMean", "pixel_values", axes=[2, 3], keepdims=0)
    file = graph.save(tmp_path / "both.onnx", **{graph.add("Add", mean, "text"): ("batch", 3)})
    with pytest.raises(RealartError, match=r"has 2 inputs .*image tower alone"):
        encoded(local(file), tmp_path / "stored", NOISE)


def test_a_file_must_match_its_checksum(tmp_path: Path) -> None:
    file = graphs.transformer(tmp_path / "encoder.onnx")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(RealartError, match=f"sha256 is missing: set it to {digest}"):
        encoded(features(file), tmp_path / "stored", NOISE)
    with pytest.raises(
        RealartError, match=f"sha256 {digest}, expected {'0' * 64}: accept this one"
    ):
        encoded(features(file, sha256="0" * 64), tmp_path / "stored", NOISE)
    assert file.is_file()
    encoded(features(file, sha256=digest.upper()), tmp_path / "stored", NOISE)
    with pytest.raises(RealartError, match=r"'nowhere.onnx' is no file"):
        encoded(features("nowhere.onnx", sha256=digest), tmp_path / "stored", NOISE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with running(HubServer("model")) as server:
        server.files = {"onnx/model.onnx": graphs.transformer(tmp_path / "it.onnx").read_bytes()}
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.address)
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            server.address + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.chdir(tmp_path)
        yield server


def remote(server: HubServer, revision: str = "", **changes: Any) -> OnnxFeatures:
    digest = hashlib.sha256(server.files["onnx/model.onnx"]).hexdigest()
    file = f"hf://owner/art@{revision or server.commit}/onnx/model.onnx"
    return features(file, **{"sha256": digest} | changes)


def test_a_file_of_the_hub_is_downloaded_once(server: HubServer, tmp_path: Path) -> None:
    part = remote(server)
    computed = encoded(part, tmp_path / "stored", NOISE)
    np.testing.assert_array_equal(
        computed, encoded(local(tmp_path / "it.onnx"), tmp_path / "stored", NOISE)
    )
    asked = len(server.asked)
    onnx_encoders.fetch("own", part.encoder)
    assert len(server.asked) == asked
    assert list((tmp_path / ".realart/encoders").rglob("model.onnx"))


def test_an_interrupted_download_is_resumed(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 100)
    content = server.files["onnx/model.onnx"]
    server.cut_at, server.cuts_only = len(content) * 2 // 3, True
    file = onnx_encoders.fetch("own", remote(server).encoder)
    assert file.read_bytes() == content
    assert server.ranges
    assert server.served < len(content) + 200  # the chunk that was cut comes twice


def test_a_download_of_another_checksum_is_removed(server: HubServer, tmp_path: Path) -> None:
    part = remote(server, sha256="0" * 64)
    with pytest.raises(RealartError, match="the download was removed; run again"):
        onnx_encoders.fetch("own", part.encoder)
    kept = [path for path in (tmp_path / ".realart/encoders").rglob("*") if path.is_file()]
    assert all(path.stat().st_size < 200 for path in kept)


def test_an_unpinned_revision_and_checksum_are_printed(
    server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = remote(server).encoder.sha256
    onnx_encoders.fetch("own", remote(server, "main", sha256=None).encoder)
    assert capsys.readouterr().out.strip() == (
        f"features: hf://owner/art@main/onnx/model.onnx is revision {server.commit}, "
        f"sha256 {digest}: pin both"
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("hf://owner/art/model.onnx", "is written hf://owner/name@revision/path"),
        ("hf://owner/art@main/none.onnx", "has no such file: look at .*/tree/main"),
        ("hf://owner/art@v9/onnx/model.onnx", "has no such revision"),
        ("hf://owner/none@main/onnx/model.onnx", "has no model 'owner/none'"),
    ],
)
def test_a_file_that_the_hub_lacks_is_an_error(server: HubServer, file: str, message: str) -> None:
    with pytest.raises(RealartError, match=message) as refused:
        onnx_encoders.fetch("own", features(file).encoder)
    assert re.search(r"descriptors\.own\.encoder\.file", str(refused.value))


def test_without_a_network_the_error_names_it(
    server: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = remote(server)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the hub's client tries again
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", NOTHING_LISTENS)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        NOTHING_LISTENS + "/{repo_id}/resolve/{revision}/{filename}",
    )
    with pytest.raises(RealartError, match="cannot be reached"):
        onnx_encoders.fetch("own", part.encoder)
