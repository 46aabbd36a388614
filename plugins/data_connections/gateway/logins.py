"""Making, rotating and retiring logins, each change with its entry in the activity log."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from data_connections.catalog import activity
from data_connections.errors import ConfigurationError
from data_connections.gateway.passwords import generate_local_part, generate_password, hash_password
from data_connections.gateway.public_keys import PublicKey
from data_connections.ledger import Ledger, hosted_logins
from data_connections.ledger.database import LedgerConnection

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class NewSecret:
    """What a login can be proven with from now on.

    Attributes:
        login: The login's name.
        secret_id: Number of the password or key.
        password: Shown this once; None where a public key was given.
        fingerprint: Of the public key.
        address: What stands before the @ of a mail address.
        ends: Numbers of the secrets that end, and when, because this one takes their place.
    """

    login: str
    secret_id: int
    password: str | None = field(default=None, repr=False)
    fingerprint: str | None = None
    address: str | None = None
    ends: tuple[tuple[int, ...], datetime] | None = None

    @property
    def kind(self) -> hosted_logins.Kind:
        """What it is."""
        return "password" if self.password else "address" if self.address else "public_key"


def create_login(
    ledger: Ledger,
    connection_id: int,
    login: str,
    who: str,
    *,
    key: PublicKey | None = None,
    by_mail: bool = False,
    label: str = "",
    valid_until: datetime | None = None,
) -> NewSecret:
    """Make a login for a connection, with a public key or else a password that is made up here.

    Who sends files by mail proves nothing but that they know an address which nobody can guess.

    Args:
        ledger: The ledger.
        connection_id: The connection that the login belongs to.
        login: Its name, case-sensitive, never used before.
        who: Who does this; stands in the activity log.
        key: The partner's public key.
        by_mail: Whether the connection takes mails: the login then gets an address.
        label: What people call the password, key or address.
        valid_until: When that ends.

    Raises:
        ConfigurationError: The name cannot be one, or is taken.
    """
    _refuse_key(key, by_mail=by_mail)
    if not _NAME.fullmatch(login):
        raise ConfigurationError(
            f"{login!r} cannot be a login: letters, digits and . _ @ - after a letter or digit, at most 64 of them."
        )
    with ledger.connect() as connection:
        login_id = hosted_logins.add_login(connection, connection_id, login, who)
        made = _add(connection, login_id, login, who, key, label, valid_until, by_mail=by_mail)
        _record(connection, who, "login.created", login, connection_id, made)
    return made


def rotate_login(
    ledger: Ledger,
    login: str,
    who: str,
    *,
    overlap: timedelta,
    key: PublicKey | None = None,
    by_mail: bool = False,
    label: str = "",
    valid_until: datetime | None = None,
) -> NewSecret:
    """Give a login a new password, key or address; what proved it before ends after ``overlap``.

    Raises:
        UnknownName: There is no such login.
        ConfigurationError: It has an address, and a key is given.
    """
    _refuse_key(key, by_mail=by_mail)
    until = datetime.now(UTC) + overlap
    with ledger.connect() as connection:
        login_id, connection_id = hosted_logins.find_login(connection, login)
        made = _add(connection, login_id, login, who, key, label, valid_until, by_mail=by_mail)
        ended = hosted_logins.end_others(connection, login_id, made.secret_id, until)
        made = replace(made, ends=(tuple(ended), until))
        _record(connection, who, "login.rotated", login, connection_id, made)
    return made


def retire_login(ledger: Ledger, login: str, who: str, *, secret_id: int | None = None) -> None:
    """End a login now, or one of its passwords or keys; sessions that are open under it are ended too.

    Raises:
        UnknownName: There is no such login.
        ConfigurationError: It has no such secret.
    """
    with ledger.connect() as connection:
        login_id, connection_id = hosted_logins.find_login(connection, login)
        if secret_id is None:
            hosted_logins.retire_login(connection, login_id)
        elif not hosted_logins.retire_secret(connection, login_id, secret_id):
            raise ConfigurationError(
                f"The login {login!r} has no password or key {secret_id} that is still in use; "
                "`connections gateway logins` lists them."
            )
        activity.record(
            connection, who, "login.retired", login, connection_id=connection_id, details={"secret": secret_id}
        )


def _add(
    connection: LedgerConnection,
    login_id: int,
    login: str,
    who: str,
    key: PublicKey | None,
    label: str,
    valid_until: datetime | None,
    *,
    by_mail: bool,
) -> NewSecret:
    if by_mail:
        local_part = generate_local_part()
        secret_id = hosted_logins.add_secret(
            connection,
            login_id,
            "address",
            local_part,
            who,
            fingerprint=local_part,
            label=label,
            valid_until=valid_until,
        )
        return NewSecret(login, secret_id, address=local_part)
    if key is not None:
        secret_id = hosted_logins.add_secret(
            connection,
            login_id,
            "public_key",
            key.text,
            who,
            fingerprint=key.fingerprint,
            label=label or key.comment,
            valid_until=valid_until,
        )
        return NewSecret(login, secret_id, fingerprint=key.fingerprint)
    return add_password(connection, login_id, login, who, label=label, valid_until=valid_until)


def add_password(
    connection: LedgerConnection,
    login_id: int,
    login: str,
    who: str,
    *,
    label: str = "",
    valid_until: datetime | None = None,
) -> NewSecret:
    """Give a login one more password."""
    password = generate_password()
    secret_id = hosted_logins.add_secret(
        connection, login_id, "password", hash_password(password), who, label=label, valid_until=valid_until
    )
    return NewSecret(login, secret_id, password=password)


def _refuse_key(key: PublicKey | None, *, by_mail: bool) -> None:
    if by_mail and key is not None:
        raise ConfigurationError("Files come by mail here; a login has an address, and no public key.")


def _record(connection: LedgerConnection, who: str, what: str, login: str, connection_id: int, made: NewSecret) -> None:
    ends = {"ended": list(made.ends[0]), "until": made.ends[1].isoformat()} if made.ends else {}
    details = {"secret": made.secret_id, "kind": made.kind, **ends}
    activity.record(connection, who, what, login, connection_id=connection_id, details=details)
