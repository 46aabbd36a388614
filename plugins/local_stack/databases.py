"""The stack's two databases: where they are, and bringing both to their newest schema."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg

from data_connections.errors import LedgerUnavailable
from data_connections.postgres import EmbeddedPostgres, embedded, ledger_url
from data_connections.settings import Settings
from local_stack.airflow_environment import METADATA_VARIABLE, stack_folder

_METADATA_DATABASE = "airflow"


@dataclass(frozen=True)
class Databases:
    """Addresses of the stack's databases.

    Attributes:
        ledger: The ledger, as libpq understands it.
        metadata: Airflow's metadata, as SQLAlchemy understands it.
    """

    ledger: str
    metadata: str


def embedded_server(settings: Settings) -> EmbeddedPostgres | None:
    """Return the embedded server when at least one of the databases is in it."""
    if settings.database_url and METADATA_VARIABLE in os.environ:
        return None
    return embedded(settings)


def open_databases(settings: Settings) -> Databases:
    """Make sure that both databases exist, and return where; starts the embedded server when it is needed.

    Raises:
        LedgerUnavailable: The embedded server does not start.
    """
    metadata = os.environ.get(METADATA_VARIABLE)
    if metadata is None:
        server = embedded(settings).ensure_running()
        server.ensure_database(_METADATA_DATABASE)
        metadata = server.url(_METADATA_DATABASE).replace("postgresql://", "postgresql+psycopg2://", 1)
    return Databases(ledger_url(settings), metadata)


def migrate_databases(settings: Settings, databases: Databases, environment: Mapping[str, str]) -> None:
    """Bring the ledger and Airflow's metadata to their newest schemas, side by side.

    Raises:
        LedgerUnavailable: One of them does not answer, or Airflow refuses to migrate; the message says where to look.
    """
    from data_connections.ledger.database import migrate

    with ThreadPoolExecutor(2) as pool:
        for work in (
            pool.submit(migrate, databases.ledger),
            pool.submit(_migrate_metadata, stack_folder(settings), databases.metadata, environment),
        ):
            work.result()


def _migrate_metadata(folder: Path, url: str, environment: Mapping[str, str]) -> None:
    """Run Airflow's own migration, unless it was run for this Airflow on this database."""
    mark = folder / "metadata-schema"
    before = _schema(url)
    if before and mark.exists() and mark.read_text(encoding="utf-8") == f"{version('apache-airflow')} {before}":
        return
    log = folder / "airflow-db-migrate.log"
    with log.open("w", encoding="utf-8") as output:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, env=dict(environment), stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise LedgerUnavailable(f"Airflow could not prepare its database. What it said: {log}")
    mark.write_text(f"{version('apache-airflow')} {_schema(url)}", encoding="utf-8")


def _schema(url: str) -> str | None:
    """Return the revision of the metadata's schema, or None when there is none or it cannot be asked so."""
    try:
        with psycopg.connect(url.replace("+psycopg2", "", 1), connect_timeout=10) as connection:
            row = connection.execute("select version_num from alembic_version").fetchone()
    except psycopg.Error:
        return None
    return str(row[0]) if row else None
