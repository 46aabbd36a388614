"""Credentials where Airflow looks for them: the environment, a secrets backend, and its own encrypted table."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from data_connections.errors import ConnectionsError
from data_connections.settings import Settings
from hooks.login import Login

if TYPE_CHECKING:
    from airflow.models import Connection

_VARIABLE = "AIRFLOW_CONN_"
CONN_TYPES = ("sftp", "ftp", "imap", "smtp", "pgp")


def load_login(settings: Settings, name: str) -> Login | None:
    """Return the login in Airflow's table, or None."""
    with _session(settings) as session:
        row = _row(session, name)
        return Login.of(row) if row else None


def store_login(settings: Settings, name: str, login: Login) -> None:
    """Write a login to Airflow's table, encrypted with the installation's Fernet key."""
    with _session(settings) as session:
        from airflow.models import Connection

        row = _row(session, name) or Connection(conn_id=name)
        login.put_into(row)
        session.add(row)


def delete_stored(settings: Settings, name: str) -> bool:
    """Delete a login from Airflow's table; returns whether there was one."""
    with _session(settings) as session:
        row = _row(session, name)
        if row:
            session.delete(row)
        return row is not None


def load_logins(settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, Login]]:
    """Return where each login is, and the login: all of Airflow's table, and those of ``names`` that are elsewhere."""
    with _session(settings) as session:
        from airflow.models import Connection
        from sqlalchemy import select

        rows = session.scalars(select(Connection).where(Connection.conn_type.in_(CONN_TYPES))).all()
        found = {row.conn_id: ("Airflow", Login.of(row)) for row in rows}
    for name in names:
        where = "environment" if _VARIABLE + name.upper() in os.environ else "secrets backend"
        login = _elsewhere(name) if where == "environment" or name not in found else None
        if login:
            found[name] = (where, login)
    return dict(sorted(found.items()))


def _elsewhere(name: str) -> Login | None:
    """Ask Airflow, which looks in a secrets backend, then in the environment, before its own table."""
    from airflow.exceptions import AirflowNotFoundException
    from airflow.models import Connection

    try:
        return Login.of(Connection.get_connection_from_secrets(name))
    except AirflowNotFoundException:
        return None


def missing_logins(names: Iterable[str]) -> set[str]:
    """Return those of ``names`` that are certainly nowhere; none where that cannot be said quickly."""
    left = {name for name in names if _VARIABLE + name.upper() not in os.environ}
    if not left or "AIRFLOW__SECRETS__BACKEND" in os.environ:
        return set()
    stored = _stored_names()
    return left - stored if stored is not None else set()


def _session(settings: Settings) -> Any:
    from command_line.airflow_process import enter_airflow, prepare_metadata

    enter_airflow(settings)
    prepare_metadata(settings)
    from airflow.utils.session import create_session

    return create_session()


def _row(session: Any, name: str) -> Connection | None:
    from airflow.models import Connection
    from sqlalchemy import select

    row: Connection | None = session.scalar(select(Connection).where(Connection.conn_id == name))
    return row


def _stored_names() -> set[str] | None:
    """Ask Airflow's database directly: starting Airflow for this would take seconds."""
    import psycopg

    url = _metadata_url()
    if url is None:
        return None
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return {row[0] for row in connection.execute("select conn_id from connection")}
    except psycopg.errors.UndefinedTable:
        return set()
    except psycopg.Error as away:
        # Before the first `make up`, or the first login stored, Airflow has no database yet.
        return set() if "does not exist" in str(away) else None


def _metadata_url() -> str | None:
    """Return Airflow's database for libpq: what is set, or the embedded one if it runs."""
    from data_connections.postgres import embedded

    configured = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
    if configured:
        return configured.replace("+psycopg2", "", 1) if configured.startswith("postgresql") else None
    try:
        return embedded(Settings.from_environment()).url("airflow")
    except ConnectionsError:
        return None
