"""Verify the C2PA manifest of the file on standard input, and print its state and a detail as JSON.

Run as a program by `credentials.py`, with the path of a PEM file of trusted roots or "". The state
is one of C2PA specification 2.1, 14.3 (Trusted, Valid, Invalid), or Unknown; the detail is the
signer, or the reasons for which the manifest is invalid.
"""

import io
import json
import resource
import sys
from pathlib import Path
from typing import Any

MAX_MEMORY = 1 << 32
"""Bytes of address space that the process may have."""
SETTINGS: dict[str, Any] = {
    "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "decode_identity_assertions": False},
}
"""Settings of c2pa: neither manifests, nor revocations, nor identities are fetched."""


def main() -> None:
    """Verify standard input, offline and within `MAX_MEMORY`."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    anchors = Path(sys.argv[1]).read_text() if sys.argv[1] else ""
    print(json.dumps(_verify(sys.stdin.buffer.read(), anchors)))


def _verify(data: bytes, anchors: str) -> tuple[str, str]:
    from c2pa import C2paError, Context, Reader

    trust = {"trust": {"trust_anchors": anchors}} if anchors else {}
    context = Context.from_dict(SETTINGS | trust)
    try:
        store = json.loads(Reader(None, io.BytesIO(data), context=context).json())
    except (C2paError.NotSupported, C2paError.ManifestNotFound) as error:
        return "Unknown", str(error)
    except C2paError as error:
        return "Unknown" if str(error).startswith("Remote:") else "Invalid", str(error)
    state = store["validation_state"]
    return state, ", ".join(_failures(store)) if state == "Invalid" else _signer(store)


def _signer(store: dict[str, Any]) -> str:
    signature = store["manifests"][store["active_manifest"]]["signature_info"]
    return str(signature.get("issuer") or signature.get("common_name") or "its signer")


def _failures(store: dict[str, Any]) -> list[str]:
    """Return the codes of failed checks, of the manifest itself or, if none, of an ingredient."""
    results = store.get("validation_results", {})
    parts = [results.get("activeManifest") or {}]
    parts += [delta["validationDeltas"] for delta in results.get("ingredientDeltas") or []]
    for part in parts:
        codes = [failure["code"] for failure in part.get("failure", [])]
        if found := [code for code in codes if code != "signingCredential.untrusted"]:
            return found
    return ["unknown failure"]


if __name__ == "__main__":
    main()
