"""Credentials in Airflow's encrypted table. Its models are internal to it; secrets go in and never come out."""

from __future__ import annotations

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
            KnownLogin(row.conn_id, row.conn_type, row.login or "", tuple(Login.of(row).parts())) for row in rows.all()
        ]


def store_login(name: str, given: Login) -> bool:
    """Store a login, over what is stored under its name; return whether there was one before.

    Raises:
        ConfigurationError: It would be of no use.
    """
    with create_session() as session:
        row = session.scalar(select(Connection).where(Connection.conn_id == name))
        merged = given.over(Login.of(row) if row else None)
        merged.check(name)
        target = row or Connection(conn_id=name)
        merged.put_into(target)
        session.add(target)
    return row is not None
