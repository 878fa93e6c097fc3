"""No part of a password is shown, however an address is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realart.core.addresses import redact, redact_in

PRINTABLE = st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f")
SCHEMES = st.sampled_from(["https://", "postgresql+psycopg://", "http:/", "https:///", "//", ""])


@given(SCHEMES, st.text(PRINTABLE), st.text(PRINTABLE), st.text("/?#@:%", max_size=3))
def test_no_password_is_shown(scheme: str, before: str, after: str, path: str) -> None:
    password = f"{before}SECRET{after}"
    for user in ("", "me:", "me@example.org:"):
        address = f"{scheme}{user}{password}@db.example.org/art{path}"
        shown = [redact(address)]
        for part in (address, address.partition("?")[0], address.partition("#")[0], password):
            if "@" in part or not scheme.endswith("://"):  # such as any library quotes
                shown.append(redact_in(f"can't reach {address}: {part!r}", address))
        assert not any("SECRET" in text for text in shown), shown


@given(st.text("abcXYZ019%+-._~!$&", min_size=1))
def test_host_and_path_are_shown(password: str) -> None:
    for user in ("", f"{password}@", f"me:{password}@"):
        address = f"https://{user}mlflow.example.org:5000/art"
        assert redact(address) == "https://mlflow.example.org:5000/art"
        assert redact_in(f"at {address}/api", address) == f"at {redact(address)}/api"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("me:secret@db.example.org", "db.example.org"),
        ("https://me:sec/ret@db.example.org", "https://db.example.org"),
        ("https://me:sec#ret@db.example.org", "https://..."),
        ("https://me:sec?ret@db.example.org", "https://..."),
        ("postgresql://db/art?user=me&password=secret", "postgresql://db/art"),
        ("http://db/art#secret", "http://db/art"),
        ("sqlite:////home/me@work/mlflow.db?mode=ro", "sqlite:////home/me@work/mlflow.db?mode=ro"),
        ("", ""),
    ],
)
def test_malformed_addresses(address: str, shown: str) -> None:
    assert redact(address) == shown


def test_a_message_about_a_malformed_address_says_how_to_write_it() -> None:
    message = redact_in("invalid port 'sec'", "https://me:sec#ret@db.example.org")
    assert "'sec'" not in message
    assert "%XX" in message
