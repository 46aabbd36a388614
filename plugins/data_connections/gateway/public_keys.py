"""Public keys by which partners log in, in the forms that partners send them."""

from __future__ import annotations

from dataclasses import dataclass

import asyncssh

from data_connections.errors import ConfigurationError

WEAKEST_RSA = 2048


@dataclass(frozen=True)
class PublicKey:
    """A partner's public key.

    Attributes:
        text: ``algorithm base64``, as it is stored and compared.
        fingerprint: ``SHA256:...`` as OpenSSH shows it.
        comment: What the key file says of itself.
    """

    text: str
    fingerprint: str
    comment: str

    @classmethod
    def of(cls, key: asyncssh.SSHKey) -> PublicKey:
        """Return the public half of a key of asyncssh."""
        text = " ".join(key.export_public_key().decode("ascii").split()[:2])
        return cls(text, key.get_fingerprint(), key.get_comment() or "")


def read_public_key(text: str) -> PublicKey:
    """Read a public key in OpenSSH, RFC 4716, PKCS8 or PKCS1 form.

    Raises:
        ConfigurationError: It is none, it is a private key, or too weak to be let in.
    """
    if "PRIVATE KEY" in text:
        raise ConfigurationError(
            "This is a private key, which must never leave its owner. Ask the partner for the public one, and to make "
            "a new pair."
        )
    try:
        key = asyncssh.import_public_key(text.strip() + "\n")
    except (asyncssh.KeyImportError, ValueError) as unreadable:
        raise ConfigurationError(
            f"This is no public key ({unreadable}). It has to be one line of OpenSSH ('ssh-ed25519 AAAA...') or a PEM "
            "block in PKCS8 form ('-----BEGIN PUBLIC KEY-----')."
        ) from unreadable
    read = PublicKey.of(key)
    if read.text.startswith("ssh-dss") or (read.text.startswith("ssh-rsa") and _bits(key) < WEAKEST_RSA):
        raise ConfigurationError(
            f"This key is too weak: RSA needs {WEAKEST_RSA} bits, better is Ed25519; DSA is broken."
        )
    return read


def _bits(key: asyncssh.SSHKey) -> int:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    loaded = load_ssh_public_key(key.export_public_key())
    return loaded.key_size if isinstance(loaded, RSAPublicKey) else 0
