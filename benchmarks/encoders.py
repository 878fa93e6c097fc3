"""How fast an encoder describes pictures: `features`, beside bare loops of other engines.

    python -m benchmarks.encoders ZIP --encoder FILE [--descriptor clip_vit_b16] [--pictures 256]
        [--peers PYTHON] [--open-clip ViT-B-16]

Prints a table in Markdown: pictures a second by what `features` runs on stored pictures, decoding
and resizing included, from the first answer to the last; and by bare loops on the same squares in
memory: OpenVINO with the graph that `features` has cut behind its taps, and each engine with the
whole encoder. Engines that are not installed here are asked of `--peers`, an interpreter with
`pip install onnxruntime torch open_clip_torch`. FILE is an ONNX file in place of the one that
params.yaml names.
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
    asked = parsed()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / cleaning.FOLDER).mkdir(parents=True)
        labels = PARAMS.datasets["local"].labels
        kept, _, _ = cleaning.clean(asked.zip, labels, None, PARAMS.clean, folder / cleaning.FOLDER)
        files = [folder / file for file in kept["file"].head(asked.pictures)]
        print(f"\n{len(files)} pictures, {asked.descriptor}\n")
        print("| | float32 | bfloat16 |\n| --- | --- | --- |")
        described_here: list[float | None] = []
        bare: list[float | None] = []
        for precision in openvino_runtime.HINTS:
            seen = InputSpec(
                parts={"it": descriptor(asked, precision)}, clean=PARAMS.clean, ela=None
            )
            vectors.save_networks(seen.parts, folder)
            described_here.append(rate(folder, seen, files))
            squares = np.concatenate([preprocessing.from_stored(file, seen)[0] for file in files])
            np.save(folder / "squares.npy", squares)
            graph = folder / openvino_runtime.GRAPH.format(vectors.NETWORK.format("it"))
            bare.append(elsewhere(sys.executable, "openvino", precision, graph, folder))
        show("`features`, from stored pictures", described_here)
        show("OpenVINO, the same graph, a bare loop", bare)
        whole = {"OpenVINO": (sys.executable, "openvino", asked.encoder)}
        if asked.peers:
            whole |= {
                "ONNX Runtime": (asked.peers, "onnxruntime", asked.encoder),
                f"PyTorch, open_clip {asked.open_clip}": (asked.peers, "torch", asked.open_clip),
            }
        for name, (python, engine, model) in whole.items():
            rates = [
                elsewhere(python, engine, one, model, folder) for one in openvino_runtime.HINTS
            ]
            show(f"{name}, the whole encoder, a bare loop", rates)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("zip", type=Path)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--descriptor", default="clip_vit_b16")
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--peers")
    parser.add_argument("--open-clip", default="ViT-B-16")
    return parser.parse_args()


def descriptor(asked: argparse.Namespace, precision: Precision) -> OnnxFeatures:
    """Return the descriptor of params.yaml with the given file and precision, of a single view."""
    found = PARAMS.descriptors[asked.descriptor]
    assert isinstance(found, OnnxFeatures)
    digest = hashlib.sha256(asked.encoder.read_bytes()).hexdigest()
    changes = {"file": str(asked.encoder.resolve()), "sha256": digest}
    encoder = found.encoder.model_copy(update=changes)
    return found.model_copy(update={"encoder": encoder, "precision": precision, "views": 1})


def rate(folder: Path, seen: InputSpec, files: list[Path]) -> float:
    """Return how many stored pictures a second `features` describes, once its workers are there."""
    answers = map_parallel(partial(extract_file, folder, seen), files, "features")
    next(answers)
    begun = time.perf_counter()
    return sum(1 for _ in answers) / (time.perf_counter() - begun)


def elsewhere(python: str, engine: str, precision: str, model: Path, folder: Path) -> float | None:
    """Return the rate of a bare loop in a process of its own, None where it can't run."""
    command = [python, str(RATES), engine, precision, str(model), str(folder / "squares.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return None
    return float(json.loads(done.stdout.splitlines()[-1])["rate"])


def show(name: str, rates: list[float | None]) -> None:
    cells = ("-" if one is None else f"{one:.1f}" for one in rates)
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
