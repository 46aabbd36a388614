"""Credentials in Airflow's encrypted table. Its models are internal to it; secrets go in and never come out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from airflow.models import Connection
from airflow.utils.session import create_session
from sqlalchemy import select

from data_connections.errors import ConfigurationError
from hooks.login import Login

TYPES = ("sftp", "ftp", "imap", "smtp", "pgp")
_ENDS = "expires_on"
_SERVER = {"sftp": "host_key", "ftp": "certificate", "imap": "certificate", "smtp": "certificate"}
"""Where Airflow's extra keeps what a server is known by, one a line."""


@dataclass(frozen=True)
class KnownLogin:
    """What may be shown of a login.

    Attributes:
        name: As specs name it.
        conn_type: Airflow's connection type.
        login: Name at the server.
        parts: What it consists of, never a secret.
        trusted: Public host keys, or fingerprints of certificates, that its servers are known by.
        expires_on: Last day on which the partner lets it in, where somebody said so.
        host: Of a mail server that mails go out by; others stand in the connections.
        port: The same.
        sender: The same: the address that mails are from.
        tls: The same: ``implicit``, ``starttls`` or ``none``.
    """

    name: str
    conn_type: str
    login: str
    parts: tuple[str, ...]
    trusted: tuple[str, ...] = ()
    expires_on: date | None = None
    host: str = ""
    port: int | None = None
    sender: str = ""
    tls: str = ""


def known_logins() -> list[KnownLogin]:
    """Return every login of Airflow's table that connections may use, by name."""
    with create_session() as session:
        rows = session.scalars(select(Connection).where(Connection.conn_type.in_(TYPES)).order_by(Connection.conn_id))
        return [_known(row) for row in rows.all()]


def stored_login(name: str) -> Login | None:
    """Return a login of Airflow's table with its secrets, to be changed and stored again; None where there is none."""
    with create_session() as session:
        row = session.scalar(select(Connection).where(Connection.conn_id == name))
        return Login.of(row) if row else None


def store_login(name: str, given: Login, expires_on: date | None = None, *, keep_end: bool = False) -> bool:
    """Store a login, over what is stored under its name; return whether there was one before.

    Raises:
        ConfigurationError: It would be of no use.
    """
    with create_session() as session:
        row = session.scalar(select(Connection).where(Connection.conn_id == name))
        merged = given.over(Login.of(row) if row else None)
        merged.check(name)
        given_end = expires_on.isoformat() if expires_on else None
        ends = row.extra_dejson.get(_ENDS) if row and keep_end else given_end
        target = row or Connection(conn_id=name)
        merged.put_into(target)
        _put(target, _ENDS, ends)
        session.add(target)
    return row is not None


def set_trusted(name: str, trusted: tuple[str, ...]) -> None:
    """Say what the servers of a login are known by.

    Raises:
        ConfigurationError: Airflow's table has no such login.
    """
    with create_session() as session:
        row = _stored(session, name)
        _put(row, _SERVER.get(row.conn_type, "host_key"), "\n".join(trusted))


def delete_login(name: str) -> None:
    """Delete a login.

    Raises:
        ConfigurationError: Airflow's table has no such login.
    """
    with create_session() as session:
        session.delete(_stored(session, name))


def _put(row: Connection, name: str, value: str | None) -> None:
    extra = {**row.extra_dejson, name: value}
    row.set_extra(json.dumps({key: each for key, each in extra.items() if each}))


def _stored(session: Any, name: str) -> Connection:
    row: Connection | None = session.scalar(
        select(Connection).where(Connection.conn_id == name, Connection.conn_type.in_(TYPES))
    )
    if row is None:
        raise ConfigurationError(
            f"The credentials {name} are not in Airflow's own table. Change them where they are: in the environment, "
            "or in the secrets backend."
        )
    return row


def _known(row: Connection) -> KnownLogin:
    login, ends = Login.of(row), row.extra_dejson.get(_ENDS)
    trusted = login.host_keys if row.conn_type == "sftp" else login.certificates
    return KnownLogin(
        row.conn_id,
        row.conn_type,
        row.login or "",
        tuple(login.parts()),
        trusted,
        date.fromisoformat(ends) if ends else None,
        login.host or "",
        login.port,
        login.sender or "",
        login.tls or "",
    )
