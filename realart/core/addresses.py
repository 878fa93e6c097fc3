"""Addresses of servers and databases, shown to people without what they may hold in secret."""

import re

_PARTS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*:/+)?(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(r"[?#]")
_UNQUOTED = re.compile(r"[^\w!$%&'()*+,;=:.~-]")
"""What user and password may not contain: RFC 3986, 3.2.1, and letters of all alphabets."""


def redact(address: str) -> str:
    """Return an address without user, password, options and fragment, however malformed it is.

    Where it is not clear at which character user and password end, only the scheme is left. The
    address of an SQLite file is returned unchanged.

    >>> redact("https://me:secret@example.org/art?token=secret")
    'https://example.org/art'
    >>> redact("me:sec/ret@example.org")
    'example.org'
    >>> redact("https://me:sec?ret@example.org")
    'https://...'
    """
    scheme, rest = _split(address)
    if scheme.lower().startswith("sqlite"):
        return address
    user, _, host_and_path = rest.rpartition("@")
    if _OPTIONS.search(user):
        return f"{scheme}..."
    return scheme + _OPTIONS.split(host_and_path)[0]


def redact_in(message: str, address: str) -> str:
    """Return a message about an address without the secrets that `redact` leaves out.

    Who reports a malformed address may quote any part of it, so their message gives way to another.
    """
    scheme, rest = _split(address)
    user = rest.rpartition("@")[0]
    is_address = scheme.endswith("://") and not _UNQUOTED.search(user)
    if user and not is_address and not scheme.lower().startswith("sqlite"):
        return (
            "its address is malformed: write it as scheme://user:password@host, other "
            "characters than letters and digits in user and password as %XX"
        )
    return re.sub(r"//\S*@", "//", message.replace(address, redact(address)))


def _split(address: str) -> tuple[str, str]:
    """Return the scheme with its slashes, "" if there is none, and what follows it."""
    match = _PARTS.fullmatch(address)
    assert match
    return match["scheme"] or "", match["rest"]
