"""Manifests of C2PA (content credentials): what they claim, and whether that is signed and whole.

Found by their bytes in any format. Verified by `c2pa-python`, where it is installed, in a process
of its own (`verify_credentials.py`) that may be stopped, and that never asks the network.
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
from realart.serving.provenance.wording import quoted, text

MOST_OF_MANIFEST = 1 << 24
MOST_OF_FILE = 1 << 28
SECONDS = 20
"""What verification may take; it takes hundredths of a second."""
ANCHORS = "C2PATOOL_TRUST_ANCHORS"
"""Names a PEM file of roots that are trusted, as it does for the C2PA's own c2patool."""

# C2PA specification 2.1, 11.1.4 and appendix A: in each container, the manifest store is a JUMBF
# superbox (ISO/IEC 19566-5) whose description box, `jumd`, begins with this type.
# https://c2pa.org/specifications/specifications/2.1/specs/C2PA_Specification.html
_MANIFEST = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_BEFORE = 12
"""Bytes of the superbox before `jumd`: its length and type, and the length of that."""

# In a claim's CBOR (RFC 8949, 3.1) the length of a text is in the byte before it, or in the one
# after \x78. Claims of version 1 have `claim_generator`, those of version 2 the other.
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
    """Yield whether the manifest of a file holds, and what it claims."""
    at = data.find(_MANIFEST) - _BEFORE
    if at < 0:
        return
    size = int.from_bytes(data[at : at + 4], "big")
    yield f"C2PA manifest (content credentials), {_verdict(data, size)}"
    manifest = data[at : at + min(size, MOST_OF_MANIFEST)]
    for claim in _CLAIM.finditer(manifest):
        length = claim[1][0] - 0x60 if claim[1] else claim[2][0]
        yield f"C2PA manifest by {quoted(text(manifest[claim.end() : claim.end() + length]))}"
    for term in _TERM.findall(manifest):
        yield source_types.sentence(term.decode(), "C2PA")


def _verdict(data: bytes, size: int) -> str:
    if not find_spec("c2pa"):
        return "not verified (pip install 'realart[c2pa]')"
    if size > MOST_OF_MANIFEST or len(data) > MOST_OF_FILE:
        return "not verified: too large"
    script = Path(__file__).with_name("verify_credentials.py")
    command = [sys.executable, "-P", str(script), os.environ.get(ANCHORS, "")]
    try:
        done = subprocess.run(
            command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=SECONDS, check=True,
        )  # fmt: skip
        verdict, detail = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return f"not verified: not done after {SECONDS} s"
    except (subprocess.SubprocessError, OSError, ValueError):
        return "not verified: its verification failed"
    return _WORDS.get(verdict, _WORDS["Unknown"]).format(quoted(detail))


_WORDS = {
    "Trusted": "valid: as it was signed by {}, which is trusted",
    "Valid": "untrusted: as it was signed, but {} is on no list of trusted signers",
    "Invalid": "broken: {}",
    "Unknown": "not verified: {}",
}
"""What the states of a manifest mean (C2PA specification 2.1, 14.3)."""
