"""Passwords that the gateway makes up: shown once, kept as a hash only.

They carry 148 bits of chance, so no guesser gets through a hash of any speed; the hash is slow enough to be one, and
fast enough for 500 logins in a few seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 5
_COST = 2**12


def generate_password() -> str:
    """Return a new password: groups of small letters and digits that are not mistaken for each other."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def generate_local_part() -> str:
    """Return what stands before the @ of a new mail address: as hard to guess, in letters that every server takes."""
    return "".join(secrets.choice(_SIGNS) for _ in range(_GROUPS * _GROUP))


def hash_password(password: str) -> str:
    """Return what is kept of a password: ``scrypt$cost$salt$hash``."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_COST}${_text(salt)}${_text(_scrypt(password, salt, _COST))}"


def is_password(password: str, kept: str) -> bool:
    """Whether ``password`` is the one that ``kept`` was made of."""
    _, cost, salt, digest = kept.split("$")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt), int(cost)), base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=cost, r=8, p=1, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


NOBODY = hash_password(generate_password())
"""Compared with where there is no such login, so that an answer takes as long as for one that there is."""
