"""The activity log: who changed what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from data_connections.ledger.database import Ledger, LedgerConnection


def record(
    connection: LedgerConnection,
    who: str,
    what: str,
    subject: str,
    *,
    connection_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write one entry, in the transaction of the change that it tells of.

    Args:
        connection: The open transaction.
        who: A person's or a system's name.
        what: ``<kind>.<past participle>``, such as ``connection.changed``.
        subject: Name of what was changed.
        connection_id: The connection that it belongs to, if any.
        details: JSON values that say more; never a secret.
    """
    connection.execute(
        b"insert into activity (who, what, subject, connection_id, details) values (%s, %s, %s, %s, %s)",
        [who, what, subject, connection_id, Jsonb(dict(details or {}))],
    )


def recent(ledger: Ledger, *, connection_id: int | None = None, limit: int = 50) -> list[DictRow]:
    """Return the newest entries (``at``, ``who``, ``what``, ``subject``, ``details``), of one connection or of all."""
    return ledger.all(
        """select at, who, what, subject, details from activity
           where %(id)s::bigint is null or connection_id = %(id)s order by id desc limit %(limit)s""",
        {"id": connection_id, "limit": limit},
    )
