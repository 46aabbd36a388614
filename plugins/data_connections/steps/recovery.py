"""A ledger that was restored from a backup is made whole from the landing area's journal.

Files that were landed after the backup are submitted again, from their kept bytes. Deliveries that were sent after it
are only noted: the receiver has them, and nothing is sent again unless somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from data_connections.catalog import StoredSpec, activity, all_current
from data_connections.data_types import DataTypes
from data_connections.endpoints.contract import RemoteFile
from data_connections.errors import ConnectionsError
from data_connections.landing import Landing, journal
from data_connections.landing.journal import Entry
from data_connections.ledger import Ledger, claims, restored_deliveries, sightings, submissions
from data_connections.ledger.database import LedgerConnection
from data_connections.spec import InboundConnection, OutboundConnection
from data_connections.steps import manual

BEFORE = timedelta(days=7)
"""How long before the newest thing that the ledger knows the journal is read."""

Lack = Literal["unknown file", "file not fetched", "unknown delivery", "delivery not finished"]


@dataclass(frozen=True)
class Missing:
    """Something that the journal knows and the ledger does not.

    Attributes:
        lack: What the ledger lacks.
        entry: The journal's entry.
        obstacle: Why it cannot be put back; None where it can.
    """

    lack: Lack
    entry: Entry
    obstacle: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what people and programs are shown."""
        entry = self.entry
        shown = {"lack": self.lack, "connection": entry.connection, "file": entry.values["file_name"]}
        return {**shown, "at": entry.at, "trace_id": entry.trace_id, "obstacle": self.obstacle}


def find_missing(ledger: Ledger, landing: Landing, since: date | None = None) -> list[Missing]:
    """Return what the journal knows and the ledger does not, in the order in which it happened.

    Args:
        ledger: The ledger.
        landing: The landing area.
        since: First day of the journal to read; a week before the newest thing in the ledger if left out.
    """
    begin = since or _default_begin(ledger)
    known = {stored.name: stored for stored in all_current(ledger)}
    return list(_compared(ledger, journal.entries(landing, begin), known))


def recover(
    ledger: Ledger, landing: Landing, missing: Iterable[Missing], who: str, *, data_types: DataTypes | None = None
) -> list[dict[str, Any]]:
    """Put back what is missing, one after the other, and return what became of each; safe to run again.

    Args:
        ledger: The ledger.
        landing: The landing area.
        missing: What ``find_missing`` returned.
        who: Stands in the activity log.
        data_types: The data types that there are; those of this installation if left out.
    """
    known = {stored.name: stored for stored in all_current(ledger)}
    done = []
    for each in missing:
        result = {**each.as_json(), "state": None}
        if each.obstacle is None:
            try:
                result |= _put_back(ledger, landing, each, known[each.entry.connection], who, data_types)
            except ConnectionsError as refused:
                result["obstacle"] = str(refused)
        done.append(result)
    return done


def _default_begin(ledger: Ledger) -> date | None:
    row = ledger.one(
        "select greatest((select max(claimed_at) from submission), (select max(created_at) from delivery)) as newest"
    )
    newest: datetime | None = row["newest"] if row else None
    return (newest - BEFORE).date() if newest else None


def _compared(ledger: Ledger, entries: Iterable[Entry], known: dict[str, StoredSpec]) -> Iterator[Missing]:
    found = list(entries)
    traces = [entry.trace_id for entry in found]
    states = {
        kind: {
            row["trace_id"]: row["state"]
            for row in ledger.all(f"select trace_id, state from {table} where trace_id = any(%s)", [traces])
        }
        for kind, table in (("landed", "submission"), ("sent", "delivery"))
    }
    for entry in found:
        lack = _lack(entry.kind, states[entry.kind].get(entry.trace_id))
        if lack:
            yield Missing(lack, entry, _obstacle(entry, known))


def _lack(kind: str, state: str | None) -> Lack | None:
    if kind == "landed":
        return "unknown file" if state is None else "file not fetched" if state == "claimed" else None
    return "unknown delivery" if state is None else "delivery not finished" if state != "delivered" else None


def _obstacle(entry: Entry, known: dict[str, StoredSpec]) -> str | None:
    stored = known.get(entry.connection)
    if stored is None:
        return f"there is no connection {entry.connection!r}: apply its spec, and run this again"
    wanted = InboundConnection if entry.kind == "landed" else OutboundConnection
    if not isinstance(stored.spec, wanted):
        return f"the connection {entry.connection!r} goes the other way now"
    return None


def _put_back(
    ledger: Ledger, landing: Landing, missing: Missing, stored: StoredSpec, who: str, data_types: DataTypes | None
) -> dict[str, Any]:
    if missing.entry.kind == "sent":
        with ledger.connect() as connection:
            delivery_id = restored_deliveries.restore(
                connection, stored.connection_id, stored.number, missing.entry.trace_id, missing.entry.values
            )
            _note(connection, who, f"delivery {delivery_id}", stored, missing)
        return {"delivery": delivery_id, "state": "delivered"}
    with ledger.connect() as connection:
        submission_id = _submission(connection, missing.entry, stored)
        _note(connection, who, f"submission {submission_id}", stored, missing)
    finished = manual.finish(ledger, landing, submission_id, data_types=data_types)
    return {"submission": submission_id, **{name: finished[name] for name in ("state", "rows", "accepted")}}


def _submission(connection: LedgerConnection, entry: Entry, stored: StoredSpec) -> int:
    """Add the submission, unless it is there and was only not fetched yet, and give it its bytes."""
    values = entry.values
    submission_id = _known(connection, entry.trace_id) or submissions.add(
        connection,
        connection_id=stored.connection_id,
        revision=stored.number,
        data_type=stored.spec.data_type,
        file_name=values["file_name"],
        received_at=datetime.fromisoformat(values["received_at"]),
        origin="endpoint" if values["sighting"] else "manual",
        sighting_id=_sighting(connection, values, stored.connection_id),
        apply_anyway=values["again"],
        trace_id=entry.trace_id,
    )
    submissions.set_fetched(connection, submission_id, values["key"], values["sha256"], values["size"])
    claims.lease(connection, submission_id)
    return submission_id


def _known(connection: LedgerConnection, trace_id: UUID) -> int | None:
    row = connection.execute("select id from submission where trace_id = %s", [trace_id]).fetchone()
    return int(row["id"]) if row else None


def _sighting(connection: LedgerConnection, values: Any, connection_id: int) -> int | None:
    """Remember where the file lay, so that it is not taken once more; None where another submission has it."""
    seen = values["sighting"]
    if not seen:
        return None
    file = RemoteFile(seen["path"], values["file_name"], seen["size"], datetime.fromisoformat(seen["mtime"]))
    sighting = sightings.record(connection, connection_id, file, "claimed", None)
    return sighting if sightings.submission_of(connection, sighting) is None else None


def _note(connection: LedgerConnection, who: str, subject: str, stored: StoredSpec, missing: Missing) -> None:
    details = {"lack": missing.lack, "file": missing.entry.values["file_name"]}
    kind = subject.partition(" ")[0]
    activity.record(connection, who, f"{kind}.recovered", subject, connection_id=stored.connection_id, details=details)
