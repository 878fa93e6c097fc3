"""Manifests that c2pa-python signed are trusted, untrusted or broken, without a network."""

import io
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from making import file, picture
from PIL import Image

from realart.serving.provenance import credentials, evidence

TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
KINDS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/tiff": "TIFF"}
TRUSTED = (
    "C2PA manifest (content credentials), valid: intact, and signed by 'Painters', which is trusted"
)
UNTRUSTED = (
    "C2PA manifest (content credentials), untrusted: intact, but the signer 'Painters' is on no "
    "list of trusted signers"
)
BROKEN = "C2PA manifest (content credentials), broken: 'assertion.dataHash.mismatch'"


class Authority:
    """A certificate authority, and a signer that it has certified."""

    def __init__(self) -> None:
        self.root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = self._certificate("Academy", self.root_key, "Academy", authority=True)
        leaf = self._certificate("Painters", key, "Academy")
        self.root = root.public_bytes(serialization.Encoding.PEM).decode()
        chain = leaf.public_bytes(serialization.Encoding.PEM).decode() + self.root
        pkcs8 = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain.encode(), pkcs8, None)
        self.signer = c2pa.Signer.from_info(info)

    def _certificate(
        self, name: str, key: Any, issuer: str, authority: bool = False
    ) -> x509.Certificate:
        begin = datetime.now(UTC) - timedelta(days=60)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=90))
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not authority,
                    key_cert_sign=authority,
                    crl_sign=authority,
                    **usage,
                ),
                True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()),
                False,
            )
        )
        if not authority:
            purposes = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purposes, False)
        return builder.sign(self.root_key, hashes.SHA256())

    def sign(self, mime: str = "image/jpeg", remote: str = "", embed: bool = True) -> bytes:
        """Sign a picture as a generator would."""
        action = {"action": "c2pa.created", "digitalSourceType": TERM}
        manifest = {
            "claim_generator_info": [{"name": "Dreamer", "version": "1.0"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        builder = c2pa.Builder(manifest)
        if remote:
            builder.set_remote_url(remote)
        if not embed:
            builder.set_no_embed()
        plain, signed = io.BytesIO(file(picture(0), KINDS[mime])), io.BytesIO()
        builder.sign(self.signer, mime, plain, signed)
        return signed.getvalue()


def _name(organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, organisation),
        ]
    )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(autouse=True)
def _nothing_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(credentials.ANCHORS, raising=False)


@pytest.mark.parametrize("mime", KINDS)
def test_validation_states_of_signed_files(
    authority: Authority, mime: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = authority.sign(mime)
    claims = [
        "C2PA manifest by 'Dreamer'",
        "IPTC digital source type trainedAlgorithmicMedia (C2PA): created using generative AI",
    ]
    assert [evidence(data)[0], *evidence(data)[-2:]] == [UNTRUSTED, *claims]
    (tmp_path / "roots.pem").write_text(authority.root)
    monkeypatch.setenv(credentials.ANCHORS, str(tmp_path / "roots.pem"))
    assert evidence(data)[0] == TRUSTED
    (tmp_path / "roots.pem").write_text(Authority().root)
    assert evidence(data)[0] == UNTRUSTED


@pytest.mark.parametrize("mime", KINDS)
def test_pixels_changed_after_signing(authority: Authority, mime: str) -> None:
    data = bytearray(authority.sign(mime))
    plain = file(picture(0), KINDS[mime])
    at = bytes(data).index(plain[-200:-150]) + 25
    data[at] ^= 1
    assert evidence(bytes(data))[0] == BROKEN


def test_a_claim_changed_after_signing(authority: Authority) -> None:
    data = authority.sign("image/png").replace(b"Dreamer", b"Painter")
    assert evidence(data)[0].startswith("C2PA manifest (content credentials), broken: ")
    assert "C2PA manifest by 'Painter'" in evidence(data)


def test_a_manifest_on_another_picture(authority: Authority) -> None:
    """Its chunk moved from one PNG to another."""
    signed, other = authority.sign("image/png"), file(picture(1))
    at = signed.index(b"caBX") - 4
    moved = signed[at : at + 12 + int.from_bytes(signed[at : at + 4], "big")]
    assert evidence(other[:33] + moved + other[33:])[0] == BROKEN


def test_a_failed_verification_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = authority.sign()
    before = "C2PA manifest (content credentials), not verified"
    with monkeypatch.context() as patched:
        patched.setenv(credentials.ANCHORS, "/nothing/here.pem")
        assert evidence(data)[0] == f"{before}: its verification failed"
    with monkeypatch.context() as patched:
        patched.setattr(credentials, "TIMEOUT_SECONDS", 0.001)
        assert evidence(data)[0] == f"{before}: not completed within 0.001 s"
    with monkeypatch.context() as patched:
        patched.setattr(credentials, "MAX_FILE_BYTES", 99)
        assert evidence(data)[0] == f"{before}: too large"


def test_without_c2pa_the_extra_is_named(authority: Authority, tmp_path: Path) -> None:
    """In an interpreter that finds no c2pa."""
    (tmp_path / "signed.jpg").write_bytes(authority.sign())
    code = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name == "c2pa" else find(name, *rest)
from realart.serving.provenance import evidence
print(evidence(open(sys.argv[1], "rb").read())[0])
"""
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "signed.jpg"], capture_output=True, text=True
    )
    assert result.stdout == (
        "C2PA manifest (content credentials), not verified (pip install 'realart[c2pa]')\n"
    ), result.stderr


def test_nothing_is_fetched(authority: Authority) -> None:
    """The address of a remote manifest is quoted; also where bytes look like an embedded one."""
    requested: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/manifest.c2pa"
        data = authority.sign(remote=address, embed=False)
        sentence = f"C2PA manifest stored remotely, not verified: '{address}'"
        assert evidence(data) == [sentence]
        marker = b"\0\0\0\x2d" + b"jumb" + b"\0\0\0\x1d" + credentials._MANIFEST
        found = evidence(data + marker)
        assert sentence in found
        assert found[0].startswith("C2PA manifest (content credentials), not verified: ")
    finally:
        server.shutdown()
        server.server_close()
    assert requested == []


def test_damaged_manifests_raise_nothing(authority: Authority) -> None:
    data = authority.sign("image/png")
    begin = data.index(b"caBX")
    size = int.from_bytes(data[begin - 4 : begin], "big")
    for step in range(12):
        damaged = bytearray(data)
        for at in range(begin + 60 + 7 * step, begin + size, 97 + 13 * step):
            damaged[at] ^= 0xFF
        cut = data[: begin + 60 + step * size // 12]
        for broken in (bytes(damaged), cut):
            first = evidence(broken)[0]
            assert "broken: " in first or "not verified" in first


def test_the_worker_prints_json_alone(authority: Authority) -> None:
    script = Path(credentials.__file__).with_name("verify_credentials.py")
    result = subprocess.run(
        [sys.executable, "-P", script, ""], input=authority.sign(), capture_output=True, check=True
    )
    assert json.loads(result.stdout) == ["Valid", "Painters"]


def test_signed_pictures_can_be_decoded(authority: Authority) -> None:
    for mime in KINDS:
        Image.open(io.BytesIO(authority.sign(mime))).load()
