"""The ledger, for tasks and triggers; Airflow's own metadata database is never touched."""

from __future__ import annotations

from airflow.sdk import BaseHook

from data_connections.ledger import Ledger
from data_connections.settings import Settings


class LedgerHook(BaseHook):
    """Opens the ledger at ``CONNECTIONS_DATABASE_URL``, or the embedded one where none is set."""

    def get_conn(self) -> Ledger:
        """Return the ledger; it opens a database connection for each piece of work.

        Raises:
            LedgerUnavailable: The embedded server does not start.
        """
        from data_connections.postgres import ledger_url

        return Ledger(ledger_url(Settings.from_environment()))
