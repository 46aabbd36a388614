"""Credentials in Airflow's encrypted table. Its models are internal to it; secrets go in and never come out."""

from __future__ import annotations

import json
from dataclasses import dataclass

from airflow.models import Connection
from airflow.utils.session import create_session
from sqlalchemy import select

from hooks.login import Login

TYPES = ("sftp", "ftp", "imap", "smtp")


@dataclass(frozen=True)
class KnownLogin:
    """What may be shown of a login.

    Attributes:
        name: As specs name it.
        conn_type: Airflow's connection type.
        login: Name at the server.
        parts: What it consists of, never a secret.
    """

    name: str
    conn_type: str
    login: str
    parts: tuple[str, ...]


def known_logins() -> list[KnownLogin]:
    """Return every login of Airflow's table that connections may use, by name."""
    with create_session() as session:
        rows = session.scalars(select(Connection).where(Connection.conn_type.in_(TYPES)).order_by(Connection.conn_id))
        return [
            KnownLogin(row.conn_id, row.conn_type, row.login or "", tuple(_login(row).parts())) for row in rows.all()
        ]


def store_login(name: str, given: Login) -> bool:
    """Store a login, over what is stored under its name; return whether there was one before.

    Raises:
        ConfigurationError: It would be of no use.
    """
    with create_session() as session:
        row = session.scalar(select(Connection).where(Connection.conn_id == name))
        merged = given.over(_login(row) if row else None)
        merged.check(name)
        extra = {
            "private_key": merged.private_key,
            "private_key_passphrase": merged.passphrase,
            "host_key": "\n".join(merged.host_keys) or None,
        }
        target = row or Connection(conn_id=name, conn_type="sftp")
        target.login = merged.login
        target.set_password(merged.password)
        target.set_extra(json.dumps({key: value for key, value in extra.items() if value}))
        session.add(target)
    return row is not None


def _login(row: Connection) -> Login:
    extra = row.extra_dejson
    keys = str(extra.get("host_key") or "").splitlines()
    return Login(
        login=row.login or None,
        password=row.password or None,
        private_key=extra.get("private_key"),
        passphrase=extra.get("private_key_passphrase"),
        host_keys=tuple(line.strip() for line in keys if line.strip()),
    )
