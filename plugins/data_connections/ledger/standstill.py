"""What keeps runs waiting: the switch that stops all applying and sending, and maintenance windows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from data_connections.ledger.database import LedgerConnection


@dataclass(frozen=True)
class Halt:
    """All applying and sending is stopped.

    Attributes:
        who: Who stopped it.
        since: When, UTC.
        reason: Why.
    """

    who: str
    since: datetime
    reason: str


@dataclass(frozen=True)
class Window:
    """A time in which a connection, or everything at one host, does not run; instants are UTC.

    Attributes:
        connection: The connection's present name; None where it is for a host.
        host: The host; None where it is for a connection.
        begins_at: Begin.
        ends_at: End; from then on runs go on.
        reason: Why.
        who: Who planned it.
    """

    id: int
    connection: str | None
    host: str | None
    begins_at: datetime
    ends_at: datetime
    reason: str
    who: str


def halted(connection: LedgerConnection) -> Halt | None:
    """Return the halt that holds now; None where there is none."""
    with connection.cursor(row_factory=class_row(Halt)) as cursor:
        return cursor.execute("select who, since, reason from halt where ended_at is null").fetchone()


def halt(connection: LedgerConnection, who: str, reason: str) -> bool:
    """Stop all applying and sending; False where it is stopped already."""
    done = connection.execute("insert into halt (who, reason) values (%s, %s) on conflict do nothing", [who, reason])
    return done.rowcount == 1


def end_halt(connection: LedgerConnection, who: str) -> bool:
    """Let applying and sending go on; False where nothing was stopped."""
    done = connection.execute("update halt set ended_at = now(), ended_by = %s where ended_at is null", [who])
    return done.rowcount == 1


_WINDOW = ", ".join(
    "c.name as connection" if field.name == "connection" else f"w.{field.name}" for field in fields(Window)
)
_WINDOWS = f"select {_WINDOW} from maintenance_window w left join connection c on c.id = w.connection_id"


def windows(connection: LedgerConnection, *, since: datetime, visible: Collection[int] | None = None) -> list[Window]:
    """Return the windows that end after an instant, by their begin.

    Args:
        connection: The ledger.
        since: The instant.
        visible: Ids of the connections whose windows may be seen, beside those of hosts; None means every one.
    """
    query = f"""{_WINDOWS}
        where w.ends_at > %(since)s and (%(visible)s::bigint[] is null or w.connection_id is null
                                         or w.connection_id = any(%(visible)s))
        order by w.begins_at, w.id"""
    return _windows(connection, query, {"since": since, "visible": None if visible is None else list(visible)})


def window_of(connection: LedgerConnection, connection_id: int, host: str | None, now: datetime) -> Window | None:
    """Return the window that a connection, or its host, is in; the one that ends last where there are several."""
    query = f"""{_WINDOWS}
        where (w.connection_id = %(id)s or lower(w.host) = lower(%(host)s)) and w.begins_at <= %(now)s
          and w.ends_at > %(now)s
        order by w.ends_at desc limit 1"""
    found = _windows(connection, query, {"id": connection_id, "host": host, "now": now})
    return found[0] if found else None


def _windows(connection: LedgerConnection, query: str, parameters: Any) -> list[Window]:
    with connection.cursor(row_factory=class_row(Window)) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def add_window(
    connection: LedgerConnection,
    connection_id: int | None,
    host: str | None,
    begins_at: datetime,
    ends_at: datetime,
    *,
    reason: str,
    who: str,
) -> int:
    """Record a window and return its number."""
    row = connection.execute(
        """
        insert into maintenance_window (connection_id, host, begins_at, ends_at, reason, who)
        values (%s, %s, %s, %s, %s, %s) returning id
        """,
        [connection_id, host, begins_at, ends_at, reason, who],
    ).fetchone()
    assert row is not None  # noqa: S101 - an insert returns its row
    return int(row["id"])


def end_window(connection: LedgerConnection, window_id: int, now: datetime) -> Window | None:
    """End a window now, or have one that has not begun never begin; None where it is over, or there is none."""
    found = _windows(
        connection,
        f"{_WINDOWS} where w.id = %(id)s and w.ends_at > %(now)s for update of w",
        {"id": window_id, "now": now},
    )
    connection.execute(
        """
        update maintenance_window set ends_at = %(now)s, begins_at = least(begins_at, %(now)s)
        where id = %(id)s and ends_at > %(now)s
        """,
        {"id": window_id, "now": now},
    )
    return found[0] if found else None
