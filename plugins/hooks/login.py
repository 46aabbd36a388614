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
        host_keys: Pinned public keys of the server, ``algorithm base64`` each.
    """

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    host_keys: tuple[str, ...] = ()

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
        counted = f"{len(self.host_keys)} host key{'s' * (len(self.host_keys) != 1)}"
        named = {f"login {self.login}": self.login, "password": self.password, "private key": self.private_key}
        return [name for name, value in {**named, counted: self.host_keys}.items() if value]

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
