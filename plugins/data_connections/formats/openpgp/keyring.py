"""The OpenPGP keys of a connection: our own, and those of the partner; several of each while they change."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from data_connections.errors import ConfigurationError

WARN_BEFORE = timedelta(days=30)
VALID_FOR = timedelta(days=730)
_OWN = "-----BEGIN PGP PRIVATE KEY BLOCK-----"


@dataclass(frozen=True)
class Key:
    """What may be shown of a key.

    Attributes:
        whose: ``ours`` where we hold the secret part, ``partner`` where we have the public one.
        fingerprint: Of the primary key, upper case.
        user: The first user id.
        expires: When it ends, UTC; None for never.
        public: The public part, armored.
    """

    whose: Literal["ours", "partner"]
    fingerprint: str
    user: str
    expires: datetime | None
    public: str

    def is_valid(self, now: datetime) -> bool:
        """Whether it may be used."""
        return self.expires is None or self.expires > now

    def warning(self, now: datetime) -> str | None:
        """Return what to do about a key that ends soon, or has; None where there is time."""
        if self.expires is None or self.expires - now > WARN_BEFORE:
            return None
        ended = "expired" if self.expires <= now else "expires"
        act = "Send the partner a new public key" if self.whose == "ours" else "Ask the partner for a new public key"
        return (
            f"The PGP key {self.fingerprint} ({self.user}) {ended} on {self.expires:%Y-%m-%d}. {act}, and keep both "
            "until nobody uses the old one."
        )


@dataclass(frozen=True)
class Keyring:
    """Keys as they are stored; ``repr`` shows no secret.

    Attributes:
        name: Name of the credentials.
        secret: Armored secret keys of ours, the one to sign with first.
        passphrase: Opens them, where they are locked.
        certificates: Armored public keys of the partner.
    """

    name: str
    secret: tuple[str, ...] = field(default=(), repr=False)
    passphrase: str | None = field(default=None, repr=False)
    certificates: tuple[str, ...] = ()

    def keys(self) -> list[Key]:
        """Return every key, ours first.

        Raises:
            ConfigurationError: One of them cannot be read, is revoked, or does not open with the passphrase.
        """
        return [
            *(describe(text, self.name, self.passphrase) for text in self.secret),
            *(describe(text, self.name, None) for text in self.certificates),
        ]

    def warnings(self, now: datetime) -> list[str]:
        """Return what there is to say about keys that end soon or have ended."""
        return [warning for key in self.keys() if (warning := key.warning(now))]


def describe(text: str, name: str, passphrase: str | None) -> Key:
    """Return what may be shown of one armored key.

    Raises:
        ConfigurationError: It cannot be read, is revoked, or is a secret key that the passphrase does not open.
    """
    from pysequoia import Cert

    with no_backtraces():
        try:
            certificate = _public(text, passphrase) if _OWN in text else Cert.from_bytes(text.encode())
        except (RuntimeError, ValueError, OSError) as unreadable:
            raise ConfigurationError(f"A PGP key of {name} cannot be used: {first_line(unreadable)}.") from unreadable
    if certificate.is_revoked:
        raise ConfigurationError(f"The PGP key {certificate.fingerprint.upper()} of {name} is revoked.")
    user = str(certificate.user_ids[0]) if certificate.user_ids else ""
    whose: Literal["ours", "partner"] = "ours" if _OWN in text else "partner"
    return Key(whose, certificate.fingerprint.upper(), user, certificate.expiration, str(certificate))


def _public(text: str, passphrase: str | None) -> Cert:  # type: ignore[name-defined]  # noqa: F821
    from pysequoia import Tsk

    key = Tsk.from_bytes(text.encode())
    certificate = key.extract_certificate()
    if certificate.expiration is None or certificate.expiration > datetime.now(certificate.expiration.tzinfo):
        key.decryptor(passphrase)
    return certificate


def generate(user: str, valid_for: timedelta = VALID_FOR) -> str:
    """Return a new secret key of ours, armored: to encrypt for and to sign with, good for a limited time."""
    from pysequoia import Tsk

    return str(Tsk.generate(user_id=user, validity_seconds=int(valid_for.total_seconds())))


def split(text: str) -> list[str]:
    """Return the armored keys of a text, one by one."""
    parts = text.replace("-----BEGIN PGP", "\0-----BEGIN PGP").split("\0")
    return [part.strip() + "\n" for part in parts if part.startswith("-----BEGIN PGP")]


def added(kept: Iterable[str], given: Iterable[str], name: str, passphrase: str | None) -> tuple[str, ...]:
    """Return the keys of both; one that was given replaces one of the same fingerprint.

    Raises:
        ConfigurationError: One of them cannot be read.
    """
    known = {describe(text, name, passphrase if _OWN in text else None).fingerprint: text for text in (*kept, *given)}
    return tuple(known.values())


class no_backtraces:  # noqa: N801 - it reads as a statement
    """Keeps the library from adding pages of backtrace to its messages."""

    def __enter__(self) -> None:
        self._before = os.environ.get("RUST_LIB_BACKTRACE")
        os.environ["RUST_LIB_BACKTRACE"] = "0"

    def __exit__(self, *error: object) -> None:
        if self._before is None:
            del os.environ["RUST_LIB_BACKTRACE"]
        else:
            os.environ["RUST_LIB_BACKTRACE"] = self._before


def first_line(error: BaseException) -> str:
    """Return the sentence of an error of the library, without its backtrace."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
