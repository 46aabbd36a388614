"""Where the ledger is: the address that was set, or the embedded server."""

from __future__ import annotations

from data_connections.postgres.server import EmbeddedPostgres
from data_connections.settings import Settings

LEDGER_DATABASE = "ledger"


def embedded(settings: Settings) -> EmbeddedPostgres:
    """Return the embedded server of this installation, running or not."""
    return EmbeddedPostgres(settings.home / "postgres")


def ledger_url(settings: Settings) -> str:
    """Return the ledger's address; starts the embedded server when no address is set.

    The database exists afterwards; its tables are `ledger.database.migrate`'s work.

    Raises:
        LedgerUnavailable: The embedded server does not start.
        ConfigurationError: The embedded server cannot be used here, with what to do instead.
    """
    if settings.database_url:
        return settings.database_url
    server = embedded(settings).ensure_running()
    server.ensure_database(LEDGER_DATABASE)
    return server.url(LEDGER_DATABASE)
