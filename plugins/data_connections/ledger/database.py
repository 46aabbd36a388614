"""Connections to the ledger, and the migrations that bring it up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from data_connections.errors import ConfigurationError, LedgerUnavailable

LedgerConnection = psycopg.Connection[DictRow]

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK_MIGRATIONS = "select pg_advisory_lock(hashtext('data_connections.migrate'))"


class Ledger:
    """The ledger at one address; opens a connection for each piece of work and keeps none.

    Args:
        url: ``postgresql://...`` as libpq understands it.
        timeout: Seconds to wait for a connection.
    """

    def __init__(self, url: str, *, timeout: int = 10) -> None:
        self.url = url
        self._timeout = timeout

    @contextmanager
    def connect(self, *, autocommit: bool = False) -> Iterator[LedgerConnection]:
        """Open a connection whose rows are dicts; it commits at the end, or rolls back on an error.

        Raises:
            LedgerUnavailable: The database does not answer, or went away.
        """
        try:
            with psycopg.connect(
                self.url,
                autocommit=autocommit,
                row_factory=dict_row,
                connect_timeout=self._timeout,
                application_name="connections",
                keepalives_idle=30,
                options="-c timezone=UTC -c idle_in_transaction_session_timeout=600000",
            ) as connection:
                yield connection
        except psycopg.OperationalError as lost:
            if not _is_lost(lost):
                raise
            raise LedgerUnavailable(
                f"The ledger does not answer ({_reason(lost)}). Check that PostgreSQL runs and that "
                "CONNECTIONS_DATABASE_URL is right."
            ) from lost

    @contextmanager
    def at_one_moment(self) -> Iterator[LedgerConnection]:
        """Open a connection that only reads, and whose queries all see the ledger as it is at the first of them.

        Raises:
            LedgerUnavailable: The database does not answer, or went away.
        """
        with self.connect() as connection:
            connection.execute("set transaction isolation level repeatable read read only")
            yield connection

    def one(self, query: str, parameters: Any = None) -> DictRow | None:
        """Run one query in a transaction of its own and return its first row."""
        with self.connect() as connection:
            return connection.execute(query.encode(), parameters).fetchone()

    def all(self, query: str, parameters: Any = None) -> list[DictRow]:
        """Run one query in a transaction of its own and return its rows."""
        with self.connect() as connection:
            return connection.execute(query.encode(), parameters).fetchall()


def migrate(url: str) -> None:
    """Bring the ledger at ``url`` to the newest schema; safe to run twice and at the same time.

    Raises:
        LedgerUnavailable: The database does not answer.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = url
    with Ledger(url).connect(autocommit=True) as connection:
        connection.execute(_LOCK_MIGRATIONS)
        command.upgrade(config, "head")


def bring_up_to_date(ledger: Ledger) -> None:
    """Migrate the ledger only where its schema is not the newest: one short query where it is.

    A newer schema is fine as long as it still serves this release, so that going back is nothing but a redeploy.

    Raises:
        ConfigurationError: The ledger was migrated by a Connections that is too new for this one.
        LedgerUnavailable: The database does not answer.
    """
    found, newest = schema_of(ledger), newest_schema()
    if found is None or found < newest:
        migrate(ledger.url)
    elif found > newest and not _serves(ledger, newest):
        raise ConfigurationError(
            f"The ledger has schema {found}, which no longer serves a Connections that knows {newest}: update "
            "Connections."
        )


def _serves(ledger: Ledger, schema: str) -> bool:
    """Whether the ledger, though newer, still serves a release that was made for ``schema``."""
    row = ledger.one("select min(oldest) as oldest from schema_serves")
    return row is not None and row["oldest"] is not None and row["oldest"] <= schema


def schema_of(ledger: Ledger) -> str | None:
    """Return the number of the ledger's schema; None where it has none yet.

    Raises:
        LedgerUnavailable: The database does not answer.
    """
    with ledger.connect(autocommit=True) as connection:
        found = connection.execute("select to_regclass('schema_version') is not null as present").fetchone()
        version = connection.execute("select version_num from schema_version") if found and found["present"] else None
        row = version.fetchone() if version else None
    return str(row["version_num"]) if row else None


def newest_schema() -> str:
    """Return the number of the schema that this version of Connections was made for."""
    return max(path.stem.partition("_")[0] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Tell a lost or refused connection (no SQLSTATE, class 08 or 57P) from other operational errors."""
    state = error.sqlstate
    return state is None or state.startswith(("08", "57P", "53"))


def _reason(error: psycopg.OperationalError) -> str:
    """First line of libpq's message; it holds host and database, never the password."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
