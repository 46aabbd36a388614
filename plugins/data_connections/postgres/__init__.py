"""The embedded PostgreSQL: a server of our own, for machines that have none."""

from __future__ import annotations

from data_connections.postgres.ledger_address import embedded, ledger_url
from data_connections.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "embedded", "ledger_url"]
