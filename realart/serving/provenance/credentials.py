"""C2PA manifests (content credentials): what they claim, and whether their signature is valid.

They are found by their bytes, in any format, and verified by `c2pa-python`, if it is installed:
offline, and in a process of its own (`verify_credentials.py`), which is stopped after a time limit.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from realart.serving.provenance import source_types
from realart.serving.provenance.wording import quoted, to_text

MAX_MANIFEST_BYTES = 1 << 24
MAX_FILE_BYTES = 1 << 28
TIMEOUT_SECONDS = 20
"""Time limit of a verification, which usually takes hundredths of a second."""
ANCHORS = "C2PATOOL_TRUST_ANCHORS"
"""Environment variable, as of c2patool: the path of a PEM file with trusted root certificates."""

# C2PA specification 2.1, 11.1.4 and appendix A: in each container, the manifest store is a JUMBF
# superbox (ISO/IEC 19566-5) whose description box, `jumd`, begins with this type.
# https://c2pa.org/specifications/specifications/2.1/specs/C2PA_Specification.html
_MANIFEST = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_BEFORE = 12
"""Bytes of the superbox before `jumd`: its length and type, and the description box's length."""

# In a claim's CBOR (RFC 8949, 3.1) the length of a text is in the byte before it, or in the one
# after \x78. Claims of version 1 have `claim_generator`, of version 2 `claim_generator_info`.
_CLAIM = re.compile(
    rb"(?:\x6fclaim_generator|\x74claim_generator_info\x81?[\xa0-\xbf]\x64name)"
    rb"(?:([\x60-\x77])|\x78(.))",
    re.DOTALL,
)
_TERM = re.compile(
    b"digitalsourcetype/(%s)"
    % "|".join(sorted(source_types.SOURCE_TYPES, key=len, reverse=True)).encode()
)


def sentences(data: bytes) -> Iterator[str]:
    """Yield the validation state of the manifest of a file, if it has one, and its claims."""
    at = data.find(_MANIFEST) - _BEFORE
    if at < 0:
        return
    size = int.from_bytes(data[at : at + 4], "big")
    yield f"C2PA manifest (content credentials), {_validation(data, size)}"
    manifest = data[at : at + min(size, MAX_MANIFEST_BYTES)]
    for claim in _CLAIM.finditer(manifest):
        length = claim[1][0] - 0x60 if claim[1] else claim[2][0]
        yield f"C2PA manifest by {quoted(to_text(manifest[claim.end() : claim.end() + length]))}"
    for term in _TERM.findall(manifest):
        yield source_types.sentence(term.decode(), "C2PA")


def _validation(data: bytes, size: int) -> str:
    if not find_spec("c2pa"):
        return "not verified (pip install 'realart[c2pa]')"
    if size > MAX_MANIFEST_BYTES or len(data) > MAX_FILE_BYTES:
        return "not verified: too large"
    script = Path(__file__).with_name("verify_credentials.py")
    command = [sys.executable, "-P", str(script), os.environ.get(ANCHORS, "")]
    try:
        completed = subprocess.run(
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_SECONDS, check=True,
        )  # fmt: skip
        state, detail = json.loads(completed.stdout)
    except subprocess.TimeoutExpired:
        return f"not verified: not completed within {TIMEOUT_SECONDS} s"
    except (subprocess.SubprocessError, OSError, ValueError):
        return "not verified: its verification failed"
    return _DESCRIPTIONS.get(state, _DESCRIPTIONS["Unknown"]).format(quoted(detail))


_DESCRIPTIONS = {
    "Trusted": "valid: intact, and signed by {}, which is trusted",
    "Valid": "untrusted: intact, but the signer {} is on no list of trusted signers",
    "Invalid": "broken: {}",
    "Unknown": "not verified: {}",
}
"""Descriptions of the validation states of a manifest (C2PA specification 2.1, 14.3)."""
