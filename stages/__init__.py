"""A script for each stage. This module is imported before any of them, and they before Keras."""

import os

from realart.core import interrupts

interrupts.install(
    "`dvc exp run` with the same options goes on"
    if "DVC_EXP_NAME" in os.environ
    else "`dvc repro` goes on"
)
