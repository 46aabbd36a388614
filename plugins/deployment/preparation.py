"""What has to be there before Airflow's services start: databases, schemas, roles and logins."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from data_connections.errors import ConfigurationError, LedgerUnavailable
from local_stack.keys import ADMINISTRATOR, GATEWAY, Keys

GATEWAY_ROLE = "Gateway"
_MAY = (("can_read", "DAGs"), ("can_read", "DAG Runs"), ("can_create", "DAG Runs"), ("can_edit", "DAGs"))


def prepare(keys: Keys) -> None:
    """Make databases, schemas, roles and the first logins; changes nothing of what is there.

    Raises:
        ConfigurationError: An address is missing.
        LedgerUnavailable: A database does not answer, or Airflow refuses to prepare its own.
    """
    from data_connections.ledger.database import migrate

    ledger, metadata = _address("CONNECTIONS_DATABASE_URL"), _address("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
    for url in (ledger, metadata):
        _ensure_database(url)
    migrate(ledger)
    _airflow("db", "migrate")
    _logins(keys)


def _address(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        raise ConfigurationError(f"Set {variable}.")
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def _ensure_database(url: str) -> None:
    parts = urlsplit(url)
    name = parts.path.strip("/")
    server = urlunsplit(parts._replace(path="/postgres"))
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=30) as connection:
            if not connection.execute("select from pg_database where datname = %s", [name]).rowcount:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except psycopg.OperationalError as lost:
        raise LedgerUnavailable(f"The database server does not answer: {str(lost).strip().splitlines()[0]}") from lost


def _logins(keys: Keys) -> None:
    """Make the administrator, and the gateway's login, which may start runs and nothing else."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        security = builder.sm
        role = security.add_role(GATEWAY_ROLE)
        for action, resource in _MAY:
            security.add_permission_to_role(role, security.create_permission(action, resource))
        for name, role_name in ((ADMINISTRATOR, "Admin"), (GATEWAY, GATEWAY_ROLE)):
            if security.find_user(name) is None:
                made = security.add_user(
                    username=name,
                    first_name=name.capitalize(),
                    last_name="Connections",
                    email=f"{name}@connections.invalid",
                    role=security.find_role(role_name),
                    password=keys.password(name),
                )
                if not made:
                    raise LedgerUnavailable(f"The login {name} could not be made; Airflow's log says why.")


def _airflow(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "airflow", *arguments], check=False)
    if done.returncode:
        raise LedgerUnavailable(f"`airflow {' '.join(arguments)}` failed; what it said stands above.")
