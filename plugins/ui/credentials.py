"""Credentials as pages and API show and change them; no secret is ever shown again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

import asyncssh
from fastapi import HTTPException
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from data_connections.catalog import activity
from data_connections.endpoints.ftp_certificate import fetch_certificate
from data_connections.endpoints.host_keys import fetch_host_keys, read_host_key
from data_connections.errors import ConfigurationError, ConnectionsError
from data_connections.ledger import Ledger
from data_connections.queries.credentials import credentials_in_use, servers_of
from data_connections.queries.filters import left_out
from hooks.login import Login
from ui.airflow_logins import delete_login, known_logins, set_trusted, store_login
from ui.pgp_keys import changed_keys
from ui.visitor import Visitor

SOON = timedelta(days=14)
SLUG = re.compile("[a-z0-9][a-z0-9_-]{0,99}")
Server = Literal["sftp", "ftp", "imap", "smtp", "pgp"]
Text = Annotated[str, Field(max_length=20_000)]


class LoginGiven(BaseModel):
    """Parts of a login; what is left empty stays as it is."""

    model_config = ConfigDict(extra="forbid")

    login: Text = Field(default="", description="Name at the server.")
    kind: Literal["password", "new_key", "private_key"] = Field(
        default="password", description="What proves it; `new_key` makes a key pair and answers with its public key."
    )
    password: Text = ""
    private_key: Text = ""
    passphrase: Text = Field(default="", description="Opens the private key.")
    host_key: Text = Field(default="", description="Public keys of the SFTP server, one a line.")
    certificate: Text = Field(default="", description="SHA-256 fingerprints of the FTPS server's certificates.")
    server: Annotated[Server | None, BeforeValidator(left_out)] = Field(
        default=None,
        description="What it logs in to; what it was before if left out, SFTP for a new one. `pgp` is no login: keys.",
    )
    host: Text = Field(default="", description="Of SMTP: the mail server; others stand in the connections.")
    port: Annotated[Annotated[int, Field(gt=0, lt=65536)] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Of SMTP: its port."
    )
    sender: Text = Field(default="", description="Of SMTP: the address that mails are from.")
    tls: Annotated[Literal["implicit", "starttls", "none"] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Of SMTP: how the connection is encrypted."
    )
    pgp_keys: Text = Field(
        default="", description="Armored OpenPGP keys, one after the other: public ones are the partner's."
    )
    expires_on: Annotated[date | None, BeforeValidator(left_out)] = Field(
        default=None, description="Last day on which the partner lets it in, if that is known."
    )


def all_credentials(ledger: Ledger, visitor: Visitor) -> list[dict[str, Any]]:
    """Return credentials with where they are used; those that nothing visible uses only to who may make some."""
    with ledger.connect() as connection:
        used = {line["name"]: line for line in credentials_in_use(connection, visitor.visible_ids(connection))}
    known = {login.name: login for login in known_logins()}
    names = sorted({*used, *known} if visitor.may_create else used)
    return [_line(name, used.get(name), known.get(name), visitor) for name in names]


def one_credentials(ledger: Ledger, visitor: Visitor, name: str) -> dict[str, Any]:
    """Return one login, with the ``servers`` that it is used at.

    Raises:
        HTTPException: 404, whether it does not exist or is not to be seen.
    """
    found = [line for line in all_credentials(ledger, visitor) if line["name"] == name]
    if not found:
        raise HTTPException(404, f"There are no credentials {name!r}.")
    with ledger.connect() as connection:
        servers = servers_of(connection, visitor.visible_ids(connection), name)
    return {**found[0], "servers": servers}


def save_login(ledger: Ledger, visitor: Visitor, name: str, given: LoginGiven) -> str | None:
    """Store a login, and say so in the activity log; return the public key where a pair was made.

    Raises:
        ConfigurationError: It would be of no use.
        HTTPException: 403 where the user may not, 422 for a name that cannot be one.
    """
    must_store(visitor, name)
    if name == "new":
        raise HTTPException(422, "Credentials cannot be called new.")
    login, public = _login_of(name, given)
    before = store_login(name, login, given.expires_on, keep_end="expires_on" not in given.model_fields_set)
    what = "credentials.changed" if before else "credentials.created"
    _record(ledger, visitor, name, what, {"parts": login.parts()})
    return public


def must_store(visitor: Visitor, name: str) -> None:
    """Refuse the request unless the user may store these credentials.

    Raises:
        HTTPException: 403.
    """
    visitor.must(visitor.may_create and visitor.may_use(name), f"store the credentials {name}")


def version_of(ledger: Ledger, one: dict[str, Any]) -> str:
    """Return what tells credentials, as ``one_credentials`` returns them, from what they were before an edit."""
    newest = ledger.one(
        "select max(id) as id from activity where what like 'credentials.%%' and subject = %s", [one["name"]]
    )
    state = [newest, one["parts"], one["trusted"], one["expires_on"]]
    return hashlib.sha256(json.dumps(state, default=str).encode()).hexdigest()[:16]


def _login_of(name: str, given: LoginGiven) -> tuple[Login, str | None]:
    """Return what is to be stored, and the public key where a pair was made."""
    if given.server == "pgp":
        return changed_keys(name, given.pgp_keys, given.passphrase, makes_one=given.kind == "new_key")
    made = asyncssh.generate_private_key("ssh-ed25519", comment=name) if given.kind == "new_key" else None
    login = Login(
        login=given.login.strip() or None,
        password=(given.password or None) if given.kind == "password" else None,
        private_key=made.export_private_key().decode() if made else (given.private_key.strip() or None),
        passphrase=given.passphrase or None,
        host_keys=_lines(given.host_key),
        certificates=_lines(given.certificate),
        kind=given.server,
        host=given.host.strip() or None,
        port=given.port,
        sender=given.sender.strip() or None,
        tls=given.tls,
    )
    return login, made.export_public_key().decode().strip() if made else None


def offered_by_server(ledger: Ledger, visitor: Visitor, name: str) -> list[dict[str, Any]]:
    """Ask the servers of a login what they are known by, without logging in; a person compares the fingerprints.

    Each answer has ``host``, ``port``, ``trouble`` or None, and ``keys``: ``fingerprint``, what is kept of it in
    ``public``, and whether it is ``trusted`` already.
    """
    visitor.must(visitor.may_create and visitor.may_use(name), f"change what servers the credentials {name} trust")
    one = one_credentials(ledger, visitor, name)
    return [_offered(server, one["trusted"]) for server in one["servers"]]


def trust(ledger: Ledger, visitor: Visitor, name: str, public: str, *, trusted: bool) -> None:
    """Trust a server by its host key or certificate, or no longer; what was trusted besides stays.

    Raises:
        ConfigurationError: It is no key and no fingerprint.
        HTTPException: 403 where the user may not, 404 for credentials that are not there.
    """
    visitor.must(visitor.may_create and visitor.may_use(name), f"change what servers the credentials {name} trust")
    one = one_credentials(ledger, visitor, name)
    line = public.strip()
    if trusted and one["conn_type"] == "sftp":
        line = read_host_key(line, name).public
    elif trusted and not (line.startswith("sha256:") and len(line) == len("sha256:") + 64):
        raise ConfigurationError("A certificate is known by sha256: and 64 hexadecimal digits.")
    others = [each for each in one["trusted"] if each != line]
    set_trusted(name, tuple([*others, line] if trusted else others))
    _record(ledger, visitor, name, "credentials.trusted" if trusted else "credentials.distrusted", {"key": line[:100]})


def remove(ledger: Ledger, visitor: Visitor, name: str) -> None:
    """Delete credentials that no connection uses.

    Raises:
        HTTPException: 403 where the user may not, 404 where there are none, 409 where they are in use.
        ConfigurationError: They are not in Airflow's table.
    """
    visitor.must(visitor.may_create and visitor.may_use(name), f"delete the credentials {name}")
    one_credentials(ledger, visitor, name)
    with ledger.connect() as connection:
        used = [line for line in credentials_in_use(connection, None) if line["name"] == name]
    if used:
        raise HTTPException(409, f"The credentials {name} are in use: {', '.join(used[0]['used_by'])}.")
    delete_login(name)
    _record(ledger, visitor, name, "credentials.deleted", {})


def _line(name: str, use: Any, login: Any, visitor: Visitor) -> dict[str, Any]:
    ends = login.expires_on if login else None
    today = datetime.now(UTC).date()
    return {
        "name": name,
        "conn_type": login.conn_type if login else None,
        "parts": list(login.parts) if login and visitor.may_create else [],
        "trusted": list(login.trusted) if login else [],
        "fingerprints": [_fingerprint(line) for line in login.trusted] if login else [],
        "used_by": use["used_by"] if use else [],
        "hosts": [host for host in use["hosts"] if host] if use else [],
        "last_success": use["last_success"] if use else None,
        "changed_at": use["changed_at"] if use else None,
        "expires_on": ends,
        "ends_soon": ends is not None and ends <= today + SOON,
        "ended": ends is not None and ends < today,
    }


def _offered(server: dict[str, Any], trusted: list[str]) -> dict[str, Any]:
    host, port = server["host"], server["port"]
    try:
        if server["method"] == "ftp":
            certificate = asyncio.run(fetch_certificate(host, port, server["tls"]))
            keys = [{"fingerprint": certificate.fingerprint, "public": certificate.fingerprint}]
        else:
            found = asyncio.run(fetch_host_keys(host, port))
            keys = [{"fingerprint": f"{key.algorithm} {key.fingerprint}", "public": key.public} for key in found]
    except (ConnectionsError, OSError, ValueError) as failed:
        return {"host": host, "port": port, "trouble": str(failed), "keys": []}
    return {
        "host": host,
        "port": port,
        "trouble": None,
        "keys": [{**key, "trusted": key["public"] in trusted} for key in keys],
    }


def _fingerprint(line: str) -> str:
    try:
        key = read_host_key(line, "")
    except ConnectionsError:
        return line
    return f"{key.algorithm} {key.fingerprint}"


def _record(ledger: Ledger, visitor: Visitor, name: str, what: str, details: dict[str, Any]) -> None:
    with ledger.connect() as connection:
        activity.record(connection, visitor.name, what, name, details=details)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())
