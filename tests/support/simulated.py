"""Simulated devices: GPUs as `nvidia-smi` names them, and parts of a processor for JAX.

That is all that this project asks of a GPU. TensorFlow, told to see one, finds none and computes
on processors.
"""

import os
import sys
from pathlib import Path

FOUR_DEVICES = {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
"""The environment in which JAX has four devices, each of them this machine's processors."""


def gpus(folder: Path, count: int) -> dict[str, str]:
    """Return the environment of a machine with so many GPUs, whose locks lie in `folder`."""
    program = folder / "bin/nvidia-smi"
    program.parent.mkdir(parents=True, exist_ok=True)
    names = "\n".join(name(number) for number in range(count))
    program.write_text(f"#!/bin/sh\ncat <<END\n{names}\nEND\n")
    program.chmod(0o755)
    path = os.pathsep.join(
        [str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    return {"PATH": path, "TMPDIR": str(folder)}


def name(number: int) -> str:
    """Return what a simulated GPU is called."""
    return f"GPU-{number:08x}-1111-2222-3333-444444444444"
