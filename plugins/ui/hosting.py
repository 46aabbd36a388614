"""Logins of partners at our gateway, for connections whose folder we host."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import HTTPException

from data_connections.catalog import StoredSpec, current
from data_connections.errors import ConfigurationError
from data_connections.gateway import logins
from data_connections.gateway.certificate import fingerprint_of, gateway_certificate
from data_connections.gateway.configuration import GatewayAddress, GatewayConfiguration
from data_connections.gateway.confirmation import confirmation
from data_connections.gateway.login_links import VALID_FOR
from data_connections.gateway.logins import NewSecret
from data_connections.gateway.public_keys import read_public_key
from data_connections.gateway.server_keys import ServerKeys
from data_connections.ledger import Ledger, hosted_logins
from data_connections.settings import Settings
from data_connections.spec import Hosted
from data_connections.spec.mailbox import check_address
from ui.visitor import Visitor


def hosted_spec(ledger: Ledger, name: str) -> StoredSpec:
    """Return a connection whose folder we host.

    Raises:
        HTTPException: 409 where its files are at the partner's server.
    """
    stored = current(ledger, name)
    if not isinstance(stored.spec.details, Hosted):
        raise HTTPException(409, f"{name} has its files at the partner's server; it needs no login at our gateway.")
    return stored


def login_lines(ledger: Ledger, name: str) -> list[dict[str, Any]]:
    """Return each password and key of the logins of a connection; never a secret."""
    now = datetime.now(UTC)
    return [secret.as_json(now) for secret in hosted_logins.all_secrets(ledger, connection=name)]


def make_login(ledger: Ledger, visitor: Visitor, stored: StoredSpec, login: str, public_key: str) -> NewSecret:
    """Make a login with the partner's public key, or with a password that is shown this once.

    Raises:
        ConfigurationError: The name or the key cannot be used, or the name is taken.
    """
    key = read_public_key(public_key) if public_key.strip() else None
    name, by_mail = login.strip() or stored.name, stored.spec.method == "email"
    return logins.create_login(ledger, stored.connection_id, name, visitor.name, key=key, by_mail=by_mail)


def rotate_login(
    ledger: Ledger, visitor: Visitor, stored: StoredSpec, login: str, public_key: str, days: int
) -> NewSecret:
    """Give a login a new password or key; the old ones stay valid for some days.

    Raises:
        HTTPException: 404 where the connection has no such login.
        ConfigurationError: The key cannot be used.
    """
    must_have(ledger, stored.name, login)
    key = read_public_key(public_key) if public_key.strip() else None
    by_mail = stored.spec.method == "email"
    return logins.rotate_login(ledger, login, visitor.name, overlap=timedelta(days=days), key=key, by_mail=by_mail)


def end_login(ledger: Ledger, visitor: Visitor, name: str, login: str) -> None:
    """End a login now; one that has ended stays so.

    Raises:
        HTTPException: 404 where the connection has no such login.
    """
    must_have(ledger, name, login)
    if any(secret.retired_at is None for secret in hosted_logins.all_secrets(ledger, connection=name, login=login)):
        logins.retire_login(ledger, login, visitor.name)


def mail_login(ledger: Ledger, visitor: Visitor, name: str, login: str, recipient: str) -> datetime:
    """Mail a link that shows the details of a login once, and return until when it works.

    Raises:
        HTTPException: 404 where the connection has no such login.
        ConfigurationError: That is no address, or neither page nor mail server is set up for it.
        EndpointError: The mail server does not take the mail.
    """
    from hooks.login_mail import mail_login as mail

    must_have(ledger, name, login)
    try:
        check_address(recipient.strip())
    except ValueError as wrong:
        raise ConfigurationError(str(wrong)) from wrong
    settings = Settings.from_environment()
    return mail(ledger, settings, login, recipient.strip(), visitor.name, valid_for=VALID_FOR)


def must_have(ledger: Ledger, name: str, login: str) -> None:
    """Refuse the request unless the login is one of the connection.

    Raises:
        HTTPException: 404.
    """
    if not hosted_logins.all_secrets(ledger, connection=name, login=login):
        raise HTTPException(404, f"{name} has no login {login!r}.")


def confirmed(ledger: Ledger, stored: StoredSpec, login: str) -> dict[str, Any]:
    """Return what the partner needs to log in: address, host keys or certificate, folders; never a password."""
    configuration = GatewayConfiguration.from_environment(Settings.from_environment())
    keys = ServerKeys(configuration.state).valid()
    certificate = fingerprint_of(gateway_certificate(configuration))
    local_parts = hosted_logins.mail_local_parts(ledger, login)
    return confirmation(login, stored.spec, GatewayAddress.find(configuration), keys, certificate, local_parts)
