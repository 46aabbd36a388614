"""Incidents: troubles of connections and of the installation, from beginning to end, and who was told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from data_connections.ledger.database import Ledger, LedgerConnection

OF_RUNS = ("failed", "rejects", "held", "locking")
"""Kinds of troubles that a run has or ends."""


@dataclass(frozen=True)
class Incident:
    """A trouble of a connection, or of the whole installation; times are UTC.

    Attributes:
        connection_id: The connection; None for a trouble of the installation.
        kind: Which trouble, such as ``failed``, ``late`` or ``disk``.
        subject: What of the connection or installation has it, such as a rule or a login; empty for runs.
        runs: How many runs, or days, had it.
        run_id: The last of them, of ``connection_run``; None where it is no trouble of a run.
        text: What the last of them said.
        opened_at: When the first had it.
        last_at: When the last had it.
        told_at: When people were last told; None where nobody was.
        channel_trouble: Why a channel could not tell; None where all could.
        closed_at: When it was over.
    """

    id: int
    connection_id: int | None
    kind: str
    subject: str
    runs: int
    run_id: int | None
    text: str
    opened_at: datetime
    last_at: datetime
    told_at: datetime | None
    channel_trouble: str | None
    closed_at: datetime | None

    def is_to_be_told(self, now: datetime, again_after: timedelta) -> bool:
        """Whether nobody was told yet, or so long ago that it is told again."""
        return self.told_at is None or now - self.told_at >= again_after


# The kind is stored with its subject, as in "late: 1 file by 15:00": open incidents are told apart by it.
_STORED = {
    "kind": "split_part(kind, ': ', 1) as kind",
    "subject": "substr(kind, strpos(kind || ': ', ': ') + 2) as subject",
}
_COLUMNS = ", ".join(_STORED.get(field.name, field.name) for field in fields(Incident))

_OPEN = "(connection_id, kind) where closed_at is null"
_OPEN_HERE = "(kind) where connection_id is null and closed_at is null"


def _stored(kind: str, subject: str) -> str:
    return f"{kind}: {subject}" if subject else kind


def _one(connection: LedgerConnection, query: str, parameters: Any) -> Incident | None:
    with connection.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchone()


def occur(
    connection: LedgerConnection,
    connection_id: int | None,
    kind: str,
    text: str,
    *,
    subject: str = "",
    run_id: int | None = None,
) -> Incident:
    """Record that a trouble is there, and return the incident as it was told before.

    The same run again is not counted twice; without a run the days are counted.
    """
    here = connection_id is None
    found = _one(
        connection,
        f"""
        insert into incident (connection_id, kind, run_id, text)
        values (%(connection)s, %(kind)s, %(run)s, %(text)s)
        on conflict {_OPEN_HERE if here else _OPEN} do update
        set runs = incident.runs + (case when excluded.run_id is null then incident.last_at::date <> now()::date
                                         else incident.run_id is distinct from excluded.run_id end)::integer,
            run_id = excluded.run_id, text = excluded.text, last_at = now()
        returning {_COLUMNS}
        """,
        {"connection": connection_id, "kind": _stored(kind, subject), "run": run_id, "text": text},
    )
    assert found is not None  # noqa: S101 - an upsert always returns its row
    return found


def close(connection: LedgerConnection, connection_id: int | None, kind: str, *, subject: str = "") -> Incident | None:
    """Record that a trouble is over; return the incident that this ends, None where there was none."""
    return _one(
        connection,
        f"""
        update incident set closed_at = now()
        where connection_id is not distinct from %(connection)s and kind = %(kind)s and closed_at is null
        returning {_COLUMNS}
        """,
        {"connection": connection_id, "kind": _stored(kind, subject)},
    )


def close_all_but(connection: LedgerConnection, kind: str, subjects: Sequence[str]) -> list[Incident]:
    """Record that every trouble of a kind is over but those of these subjects; return the incidents that this ends."""
    with connection.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(
            f"""
            update incident set closed_at = now()
            where closed_at is null and starts_with(kind, %(kind)s) and not kind = any(%(left)s)
            returning {_COLUMNS}
            """.encode(),
            {"kind": f"{kind}: ", "left": [_stored(kind, subject) for subject in subjects]},
        ).fetchall()


def told(connection: LedgerConnection, incident_id: int, channel_trouble: str | None) -> None:
    """Record that people were told of an incident, and which channels could not tell."""
    connection.execute(
        "update incident set told_at = now(), channel_trouble = %s where id = %s", [channel_trouble, incident_id]
    )


def listing(ledger: Ledger, *, connection: str | None = None, with_closed: bool = False) -> list[dict[str, Any]]:
    """Return incidents with their connections' names, the newest first; those that go on, or all."""
    return ledger.all(
        """
        select i.id, c.name as connection, split_part(kind, ': ', 1) as kind,
               substr(kind, strpos(kind || ': ', ': ') + 2) as subject, i.runs, i.text, i.opened_at, i.last_at,
               i.told_at, i.channel_trouble, i.closed_at
        from incident i left join connection c on c.id = i.connection_id
        where (%(name)s::text is null or c.name = %(name)s) and (%(closed)s or i.closed_at is null)
        order by i.id desc
        """,
        {"name": connection, "closed": with_closed},
    )
