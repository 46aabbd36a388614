"""What came and what went, written beside the originals: by it a ledger that was restored from a backup is made whole.

One small file for each file that was landed and each delivery that was sent, ``journal/<day>/<trace id>.json``. The
ledger never reads it in daily work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from data_connections.landing.area import Landing

FOLDER = "journal"
Kind = Literal["landed", "sent"]


@dataclass(frozen=True)
class Entry:
    """One file that was landed, or one delivery that was sent.

    Attributes:
        kind: ``landed`` or ``sent``.
        trace_id: Of the submission or the delivery.
        connection: Name of the connection.
        at: When it was written, UTC.
        values: What the ledger has to know to have it again.
    """

    kind: Kind
    trace_id: UUID
    connection: str
    at: datetime
    values: Mapping[str, Any]


def write(landing: Landing, kind: Kind, trace_id: UUID, connection: str, values: Mapping[str, Any]) -> None:
    """Write an entry; the same one again changes nothing.

    Args:
        landing: The landing area.
        kind: ``landed`` or ``sent``.
        trace_id: Of the submission or the delivery.
        connection: Name of the connection.
        values: JSON values, dates and times as ISO 8601; no secret and nothing out of rows.
    """
    now = datetime.now(UTC)
    head = {"kind": kind, "trace_id": str(trace_id), "connection": connection, "at": now.isoformat()}
    content = {**head, "values": dict(values)}
    text = json.dumps(content, ensure_ascii=False, default=_plain)
    landing.write(f"{FOLDER}/{now.date()}/{trace_id}.json", text.encode())


def entries(landing: Landing, since: date | None = None) -> Iterator[Entry]:
    """Yield the entries of ``since`` and later days, or all, in the order in which they were written."""
    for day in landing.names(FOLDER):
        if since is not None and day < since.isoformat():
            continue
        names = (f"{FOLDER}/{day}/{name}" for name in landing.names(f"{FOLDER}/{day}") if name.endswith(".json"))
        yield from sorted((_read(landing, name) for name in names), key=lambda entry: entry.at)


def shorten(landing: Landing, before: date, *, dry_run: bool = False) -> int:
    """Forget the days before ``before``; return how many entries they have.

    A ledger that is restored from a backup of before that day cannot be made whole any more.
    """
    days = [f"{FOLDER}/{day}" for day in landing.names(FOLDER) if day < before.isoformat()]
    return sum(len(landing.names(day)) if dry_run else landing.delete_folder(day) for day in days)


def _read(landing: Landing, key: str) -> Entry:
    with landing.open(key) as source:
        content = json.loads(source.read())
    at = datetime.fromisoformat(content["at"])
    return Entry(content["kind"], UUID(content["trace_id"]), content["connection"], at, content["values"])


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
