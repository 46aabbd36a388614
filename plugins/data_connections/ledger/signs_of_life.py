"""When the parts of an installation that Airflow does not watch were last seen at work."""

from __future__ import annotations

from datetime import datetime

from data_connections.ledger.database import LedgerConnection

GATEWAY = "gateway"
LOCKING = "locking"


def note(connection: LedgerConnection, part: str) -> None:
    """Note that a part is at work now."""
    connection.execute(
        """
        insert into sign_of_life (part, seen_at) values (%s, now())
        on conflict (part) do update set seen_at = excluded.seen_at
        """,
        [part],
    )


def last_seen(connection: LedgerConnection, part: str, now: datetime) -> datetime:
    """Return when a part was last seen; one that never was counts from the first time that it was asked for."""
    row = connection.execute(
        """
        insert into sign_of_life (part, seen_at) values (%s, %s)
        on conflict (part) do update set part = excluded.part
        returning seen_at
        """,
        [part, now],
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert returns its row
    seen: datetime = row["seen_at"]
    return seen
