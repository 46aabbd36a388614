"""What keeps runs waiting, as pages and API show and change it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException

from data_connections.ledger import Ledger
from data_connections.ledger import standstill as records
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.standstill import Window
from data_connections.steps import standstill
from ui.books import open_ledger
from ui.visitor import Visitor

EVER = datetime.min.replace(tzinfo=UTC)


def plan_window(
    ledger: Ledger,
    visitor: Visitor,
    begins_at: datetime,
    ends_at: datetime,
    reason: str,
    *,
    name: str | None,
    host: str | None,
) -> int:
    """Plan a maintenance window and return its number; times without an offset are UTC.

    Raises:
        ConfigurationError: As in `standstill.plan_window`.
        HTTPException: 403 where the right is missing: for a connection to pause it, for a host to make connections.
    """
    _must(visitor, name)
    begin, end = (each if each.tzinfo else each.replace(tzinfo=UTC) for each in (begins_at, ends_at))
    return standstill.plan_window(ledger, visitor.name, begin, end, reason, name=name, host=host)


def end_window(ledger: Ledger, visitor: Visitor, window_id: int) -> None:
    """End a maintenance window now, or take one back; one that is over stays as it is.

    Raises:
        HTTPException: 404 where there is none to be seen, 403 where the right is missing.
    """
    with ledger.connect() as connection:
        found = records.windows(connection, since=EVER, visible=visitor.visible_ids(connection))
    window: Window | None = next((each for each in found if each.id == window_id), None)
    if window is None:
        raise HTTPException(404, f"There is no maintenance window {window_id}.")
    _must(visitor, window.connection)
    if window.ends_at > datetime.now(UTC):
        standstill.end_window(ledger, window_id, visitor.name)


def resting_window(line: Mapping[str, Any]) -> Window | None:
    """Return the maintenance window that keeps a connection's runs waiting now; None where there is none."""
    with open_ledger().connect() as connection:
        return records.window_of(connection, line["id"], line["host"], datetime.now(UTC))


def resting_of(
    connection: LedgerConnection, visible: Collection[int] | None, lines: Iterable[Mapping[str, Any]]
) -> dict[str, Window]:
    """Return the windows that keep connections of a list waiting now, by the connection's name."""
    now = datetime.now(UTC)
    current = [each for each in records.windows(connection, since=now, visible=visible) if each.begins_at <= now]
    by_name = {each.connection: each for each in current if each.connection}
    by_host = {each.host.lower(): each for each in current if each.host}
    found = {line["name"]: by_name.get(line["name"]) or by_host.get((line["host"] or "").lower()) for line in lines}
    return {name: window for name, window in found.items() if window}


def _must(visitor: Visitor, name: str | None) -> None:
    if name is None:
        visitor.must(visitor.may_create, "plan maintenance of a host")
    else:
        visitor.must(visitor.may_pause(name), f"plan maintenance of {name}")
