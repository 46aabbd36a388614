"""Incidents: troubles of connections from their first run to the first one without them, and who was told."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from data_connections.ledger.database import Ledger, LedgerConnection

KINDS = ("failed", "rejects", "held")


@dataclass(frozen=True)
class Incident:
    """A trouble of one connection; times are UTC.

    Attributes:
        kind: ``failed``, ``rejects`` or ``held``.
        runs: How many runs had it.
        run_id: The last of them, of ``connection_run``.
        text: What the last of them said.
        opened_at: When the first had it.
        last_at: When the last had it.
        told_at: When people were last told; None where nobody was.
        channel_trouble: Why a channel could not tell; None where all could.
        closed_at: When a run was without it.
    """

    id: int
    connection_id: int
    kind: str
    runs: int
    run_id: int
    text: str
    opened_at: datetime
    last_at: datetime
    told_at: datetime | None
    channel_trouble: str | None
    closed_at: datetime | None


_COLUMNS = ", ".join(field.name for field in fields(Incident))


def _one(connection: LedgerConnection, query: str, parameters: Any) -> Incident | None:
    with connection.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchone()


def occur(connection: LedgerConnection, connection_id: int, kind: str, run_id: int, text: str) -> Incident:
    """Record that a run has a trouble, and return the incident as it was told before.

    The same run again is not counted twice. The caller's transaction keeps other runs of the connection back.
    """
    found = _one(
        connection,
        f"""
        insert into incident (connection_id, kind, run_id, text)
        values (%(connection)s, %(kind)s, %(run)s, %(text)s)
        on conflict (connection_id, kind) where closed_at is null do update
        set runs = incident.runs + (incident.run_id <> excluded.run_id)::integer, run_id = excluded.run_id,
            text = excluded.text, last_at = now()
        returning {_COLUMNS}
        """,
        {"connection": connection_id, "kind": kind, "run": run_id, "text": text},
    )
    assert found is not None  # noqa: S101 - an upsert always returns its row
    return found


def close(connection: LedgerConnection, connection_id: int, kind: str) -> Incident | None:
    """Record that a run is without a trouble; return the incident that this ends, None where there was none."""
    return _one(
        connection,
        f"""
        update incident set closed_at = now()
        where connection_id = %(connection)s and kind = %(kind)s and closed_at is null returning {_COLUMNS}
        """,
        {"connection": connection_id, "kind": kind},
    )


def told(connection: LedgerConnection, incident_id: int, channel_trouble: str | None) -> None:
    """Record that people were told of an incident, and which channels could not tell."""
    connection.execute(
        "update incident set told_at = now(), channel_trouble = %s where id = %s", [channel_trouble, incident_id]
    )


def listing(ledger: Ledger, *, connection: str | None = None, with_closed: bool = False) -> list[dict[str, Any]]:
    """Return incidents with their connections' names, the newest first; those that go on, or all."""
    return ledger.all(
        """
        select i.id, c.name as connection, i.kind, i.runs, i.text, i.opened_at, i.last_at, i.told_at,
               i.channel_trouble, i.closed_at
        from incident i join connection c on c.id = i.connection_id
        where (%(name)s::text is null or c.name = %(name)s) and (%(closed)s or i.closed_at is null)
        order by i.id desc
        """,
        {"name": connection, "closed": with_closed},
    )
