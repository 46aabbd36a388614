"""What people are told about files that are expected: due soon, late, missed, there after all, not as usual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from data_connections.catalog import StoredSpec
from data_connections.endpoints.names import shown
from data_connections.ledger import expected, incidents
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.expected import ExpectedDay
from data_connections.spec import ExpectedDelivery, ExpectedFiles
from data_connections.steps.notices import Notice

ABSENT = ("due_soon", "late", "missed")
"""Kinds of incidents about what is not there, in the order in which one becomes the next."""
KINDS = (*ABSENT, "unusual")
_SUBJECTS = {"due_soon": "not there yet", "late": "late", "missed": "missed", "unusual": "not as usual"}


def notices_of(
    connection: LedgerConnection,
    stored: StoredSpec,
    rule: ExpectedFiles | ExpectedDelivery,
    day: ExpectedDay,
    now: datetime,
) -> Iterator[Notice]:
    """Record which troubles a day has and which it ends, and yield what has to be told.

    Args:
        connection: The ledger; the transaction keeps other looks at the connection back.
        stored: The connection.
        rule: What is expected.
        day: What became of it by now.
        now: The present instant.
    """
    kind = _absence(day, now)
    if kind is not None:
        for other in ABSENT[: ABSENT.index(kind)]:
            incidents.close(connection, day.connection_id, other, subject=day.rule)
        yield from _trouble(connection, stored, day, kind, _lines(connection, rule, day), now)
    elif day.met_at is not None:
        yield from _arrived(connection, stored, day)
    if day.findings:
        yield from _trouble(connection, stored, day, "unusual", tuple(day.findings), now)
    elif day.met_at is not None and now >= day.closes_at:
        incidents.close(connection, day.connection_id, "unusual", subject=day.rule)


def _absence(day: ExpectedDay, now: datetime) -> str | None:
    if day.state in ("late", "missed"):
        return day.state
    return "due_soon" if day.state == "expected" and day.warn_at is not None and now >= day.warn_at else None


def _trouble(
    connection: LedgerConnection, stored: StoredSpec, day: ExpectedDay, kind: str, lines: tuple[str, ...], now: datetime
) -> Iterator[Notice]:
    text = f"{day.rule}, {day.day}: {' '.join(lines)}"
    incident = incidents.occur(connection, day.connection_id, kind, text, subject=day.rule)
    alerts = stored.spec.alerts
    about = "unusual" if kind == "unusual" else "late"
    if about in alerts.about and incident.is_to_be_told(now, alerts.again_after):
        subject = f"Connection {stored.name}: {_SUBJECTS[kind]}"
        yield Notice(incident.id, good=False, subject=subject, lines=(f"Expected: {day.rule}, {day.day}.", *lines))


def _lines(connection: LedgerConnection, rule: ExpectedFiles | ExpectedDelivery, day: ExpectedDay) -> tuple[str, ...]:
    if isinstance(rule, ExpectedDelivery):
        return (f"The report of {day.business_date} was not {rule.state} yet.",)
    if day.files:
        return (f"{day.files} of {rule.files} files came.",)
    seen = expected.seen_not_taken(connection, day.connection_id, day.opens_at)
    return ("No file came.", *(f"Seen and not taken: {shown(name)}: {reason}." for name, reason in seen))


def _arrived(connection: LedgerConnection, stored: StoredSpec, day: ExpectedDay) -> Iterator[Notice]:
    """Close what was told about the absence; one notice says so, unless nobody was told more than that it is due."""
    ended = [incidents.close(connection, day.connection_id, kind, subject=day.rule) for kind in ABSENT]
    told = [each for each in ended if each is not None and each.told_at is not None and each.kind != "due_soon"]
    if told and "late" in stored.spec.alerts.about:
        after = f"It came at {day.met_at:%Y-%m-%d %H:%M} UTC." if day.met_at else ""
        yield Notice(
            told[-1].id,
            good=True,
            subject=f"Connection {stored.name}: recovered",
            lines=(f"Expected: {day.rule}, {day.day}.", after),
        )
