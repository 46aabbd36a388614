"""A login as it is stored, and what makes one of use."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from data_connections.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.models import Connection


@dataclass(frozen=True)
class Login:
    """A login as it is stored; ``repr`` shows no secret.

    Attributes:
        login: Name at the server.
        password: The password, if any.
        private_key: Text of the private key, if any.
        passphrase: Opens the private key.
        host_keys: Pinned public keys of an SFTP server, ``algorithm base64`` each.
        certificates: Pinned fingerprints of a server's certificates for FTPS and mail, ``sha256:...`` each.
        authorities: PEM of certificate authorities to trust, if any.
        pgp_keys: Armored OpenPGP secret keys of ours; such credentials have no login.
        pgp_certificates: Armored OpenPGP public keys of the partner.
        kind: What it is for, as Airflow names connection types: ``sftp``, ``ftp``, ``imap`` or ``smtp``; ``pgp`` for
            OpenPGP keys.
        host: Of a server that mails go out by; others stand in the connection's spec.
        port: The same; the usual one where left out.
        sender: The same: the address that mails are from.
        tls: The same: ``implicit``, ``starttls`` or ``none``.
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
    host: str | None = None
    port: int | None = None
    sender: str | None = None
    tls: str | None = None

    @classmethod
    def of(cls, row: Connection) -> Login:
        """Return the login that an Airflow connection holds."""
        extra, is_smtp = row.extra_dejson, row.conn_type == "smtp"
        tls = "implicit" if not extra.get("disable_ssl") else "none" if extra.get("disable_tls") else "starttls"
        return cls(
            login=row.login or None,
            password=row.password or None,
            private_key=extra.get("private_key"),
            passphrase=extra.get("private_key_passphrase"),
            host_keys=_lines(extra.get("host_key")),
            certificates=_lines(extra.get("certificate")),
            authorities=extra.get("certificate_authorities"),
            pgp_keys=_armored(extra.get("pgp_private_key")),
            pgp_certificates=_armored(extra.get("pgp_certificates")),
            kind=row.conn_type,
            host=(row.host or None) if is_smtp else None,
            port=row.port if is_smtp else None,
            sender=extra.get("from_email"),
            tls=tls if is_smtp else None,
        )

    def put_into(self, row: Connection) -> None:
        """Write the login into an Airflow connection."""
        extra: dict[str, object] = {
            "private_key": self.private_key,
            "private_key_passphrase": self.passphrase,
            "host_key": "\n".join(self.host_keys),
            "certificate": "\n".join(self.certificates),
            "certificate_authorities": self.authorities,
            "pgp_private_key": "".join(self.pgp_keys),
            "pgp_certificates": "".join(self.pgp_certificates),
            "from_email": self.sender,
            "disable_ssl": self.tls in ("starttls", "none"),
            "disable_tls": self.tls == "none",
        }
        row.conn_type, row.login = self.kind or "sftp", self.login
        row.set_password(self.password)
        row.set_extra(json.dumps({key: value for key, value in extra.items() if value}))
        if self.kind == "smtp":
            row.host, row.port = self.host, self.port

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
            f"server {self.host}": self.host,
            f"sender {self.sender}": self.sender,
        }
        return [name for name, value in named.items() if value]

    def check(self, name: str) -> None:
        """Raise what keeps the login from being of any use.

        Raises:
            ConfigurationError: No login, nothing to prove it with, or a key that cannot be opened.
        """
        if self.kind == "smtp":
            self._check_server(name)
            return
        if self.kind == "pgp":
            return
        if not self.login:
            raise ConfigurationError(f"{name} needs a --login.", field="login")
        if not (self.password or self.private_key):
            raise ConfigurationError(
                f"{name} needs a password or a private key (--password-env, --private-key-file).", field="password"
            )
        if self.private_key:
            self._open_key(name)

    def _check_server(self, name: str) -> None:
        if not self.host or "@" not in (self.sender or self.login or ""):
            field = "sender" if self.host else "host"
            raise ConfigurationError(
                f"{name} needs a --host, and --from: the address that mails are from.", field=field
            )
        if self.login and not self.password:
            raise ConfigurationError(f"{name} has a login and no password (--password-env).", field="password")
        if self.login and self.tls == "none":
            raise ConfigurationError(
                f"{name}: a login is not sent readable; use --tls starttls or implicit.", field="tls"
            )

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


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple(line.strip() for line in (text or "").splitlines() if line.strip())


def _armored(text: str | None) -> tuple[str, ...]:
    from data_connections.formats.openpgp.keyring import split

    return tuple(split(text or ""))
