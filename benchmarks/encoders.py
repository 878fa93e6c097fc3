"""How fast an encoder computes features: the stage `features`, beside bare loops of engines.

    python -m benchmarks.encoders ZIP --encoder FILE [--descriptor clip_vit_b16] [--pictures 256]
        [--peers PYTHON] [--open-clip ViT-B-16]

Prints a table in Markdown: pictures a second by the function of `features` on stored pictures,
decoding and resizing included, from the first result to the last; and by bare loops on the same
squares in memory: OpenVINO with the graph that `features` runs, which ends at its taps, and each
engine with the whole encoder. Engines that are not installed here are run by `--peers`, an
interpreter with `pip install onnxruntime torch open_clip_torch`. FILE is an ONNX file in place of
that in params.yaml.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from realart.core.parallel import map_parallel
from realart.data import cleaning
from realart.features import preprocessing, vectors
from realart.features.extraction import extract_file
from realart.features.preprocessing import InputSpec
from realart.networks import openvino_runtime
from realart.networks.openvino_runtime import Precision
from realart.params import OnnxFeatures, load_params

RATES = Path(__file__).with_name("encoder_rates.py")
PARAMS = load_params(Path(__file__).parents[1] / "params.yaml")


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / cleaning.FOLDER).mkdir(parents=True)
        labels = PARAMS.datasets["local"].labels
        kept, _, _ = cleaning.clean(
            arguments.zip, labels, None, PARAMS.clean, folder / cleaning.FOLDER
        )
        files = [folder / file for file in kept["file"].head(arguments.pictures)]
        print(f"\n{len(files)} pictures, {arguments.descriptor}\n")
        print("| | float32 | bfloat16 |\n| --- | --- | --- |")
        pipeline_rates: list[float | None] = []
        bare_rates: list[float | None] = []
        for precision in openvino_runtime.HINTS:
            spec = InputSpec(
                parts={"encoder": descriptor(arguments, precision)}, clean=PARAMS.clean, ela=None
            )
            vectors.save_networks(spec.parts, folder)
            pipeline_rates.append(rate(folder, spec, files))
            squares = np.concatenate([preprocessing.from_stored(file, spec)[0] for file in files])
            np.save(folder / "squares.npy", squares)
            graph = folder / openvino_runtime.GRAPH.format(vectors.NETWORK.format("encoder"))
            bare_rates.append(bare_rate(sys.executable, "openvino", precision, graph, folder))
        print_row("`features`, from stored pictures", pipeline_rates)
        print_row("OpenVINO, the same graph, a bare loop", bare_rates)
        engines = {"OpenVINO": (sys.executable, "openvino", arguments.encoder)}
        if arguments.peers:
            engines |= {
                "ONNX Runtime": (arguments.peers, "onnxruntime", arguments.encoder),
                f"PyTorch, open_clip {arguments.open_clip}": (
                    arguments.peers,
                    "torch",
                    arguments.open_clip,
                ),
            }
        for name, (python, engine, model) in engines.items():
            rates = [
                bare_rate(python, engine, precision, model, folder)
                for precision in openvino_runtime.HINTS
            ]
            print_row(f"{name}, the whole encoder, a bare loop", rates)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--descriptor", default="clip_vit_b16")
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--peers")
    parser.add_argument("--open-clip", default="ViT-B-16")
    return parser.parse_args()


def descriptor(arguments: argparse.Namespace, precision: Precision) -> OnnxFeatures:
    """Return the descriptor of params.yaml with the given file and precision, of a single view."""
    configured = PARAMS.descriptors[arguments.descriptor]
    assert isinstance(configured, OnnxFeatures)
    digest = hashlib.sha256(arguments.encoder.read_bytes()).hexdigest()
    changes = {"file": str(arguments.encoder.resolve()), "sha256": digest}
    encoder = configured.encoder.model_copy(update=changes)
    return configured.model_copy(update={"encoder": encoder, "precision": precision, "views": 1})


def rate(folder: Path, spec: InputSpec, files: list[Path]) -> float:
    """Return pictures a second by `features` on stored pictures, once its workers have started."""
    features = map_parallel(partial(extract_file, folder, spec), files, "features")
    next(features)
    start = time.perf_counter()
    return sum(1 for _ in features) / (time.perf_counter() - start)


def bare_rate(python: str, engine: str, precision: str, model: Path, folder: Path) -> float | None:
    """Return the rate of a bare loop in a process of its own, None if it fails."""
    command = [python, str(RATES), engine, precision, str(model), str(folder / "squares.npy")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        print(result.stderr.strip().splitlines()[-1], file=sys.stderr)
        return None
    return float(json.loads(result.stdout.splitlines()[-1])["rate"])


def print_row(name: str, rates: list[float | None]) -> None:
    cells = ("-" if rate is None else f"{rate:.1f}" for rate in rates)
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
