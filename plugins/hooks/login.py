"""A login as it is stored, and what makes one of use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from data_connections.errors import ConfigurationError


@dataclass(frozen=True)
class Login:
    """A login as it is stored; ``repr`` shows no secret.

    Attributes:
        login: Name at the server.
        password: The password, if any.
        private_key: Text of the private key, if any.
        passphrase: Opens the private key.
        host_keys: Pinned public keys of an SFTP server, ``algorithm base64`` each.
        certificates: Pinned fingerprints of an FTPS server's certificates, ``sha256:...`` each.
        authorities: PEM of certificate authorities to trust, if any.
        pgp_keys: Armored OpenPGP secret keys of ours; such credentials have no login.
        pgp_certificates: Armored OpenPGP public keys of the partner.
        kind: What it is for, as Airflow names connection types: ``sftp`` or ``ftp``; ``pgp`` for OpenPGP keys.
    """

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    host_keys: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    authorities: str | None = field(default=None, repr=False)
    pgp_keys: tuple[str, ...] = field(default=(), repr=False)
    pgp_certificates: tuple[str, ...] = field(default=(), repr=False)
    kind: str | None = None

    def over(self, kept: Login | None) -> Login:
        """Return this login, with what it leaves out taken from ``kept``."""
        if kept is None:
            return self
        parts = {name: value for name, value in vars(self).items() if value}
        if self.private_key:
            parts.setdefault("passphrase", None)
        return replace(kept, **parts)

    def parts(self) -> list[str]:
        """Return what it consists of, without any secret."""
        named = {
            f"login {self.login}": self.login,
            "password": self.password,
            "private key": self.private_key,
            _counted(self.host_keys, "host key"): self.host_keys,
            _counted(self.certificates, "certificate"): self.certificates,
            "certificate authorities": self.authorities,
            _counted(self.pgp_keys, "PGP key"): self.pgp_keys,
            _counted(self.pgp_certificates, "PGP key") + " of the partner": self.pgp_certificates,
        }
        return [name for name, value in named.items() if value]

    def check(self, name: str) -> None:
        """Raise what keeps the login from being of any use.

        Raises:
            ConfigurationError: No login, nothing to prove it with, or a key that cannot be opened.
        """
        if not self.login:
            raise ConfigurationError(f"{name} needs a --login.")
        if not (self.password or self.private_key):
            raise ConfigurationError(f"{name} needs a password or a private key (--password-env, --private-key-file).")
        if self.private_key:
            self._open_key(name)

    def _open_key(self, name: str) -> None:
        import asyncssh

        try:
            asyncssh.import_private_key(self.private_key or "", self.passphrase or "")
        except asyncssh.KeyEncryptionError as locked:
            raise ConfigurationError(
                f"The private key of {name} does not open: its passphrase is missing or wrong (--passphrase-env)."
            ) from locked
        except asyncssh.KeyImportError as unreadable:
            raise ConfigurationError(
                f"The private key of {name} cannot be read ({unreadable}). OpenSSH, PEM and PKCS8 are understood."
            ) from unreadable


def _counted(values: tuple[str, ...], name: str) -> str:
    return f"{len(values)} {name}{'s' * (len(values) != 1)}"
