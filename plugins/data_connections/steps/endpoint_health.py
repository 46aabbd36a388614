"""The daily look at every endpoint: what it found is recorded, told once when one breaks and when it is well again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from data_connections.catalog import StoredSpec
from data_connections.ledger import Ledger, endpoint_looks, incidents
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.endpoint_looks import INCIDENT, Look
from data_connections.ledger.incidents import Incident
from data_connections.spec.alerts import Alerts
from data_connections.steps.notices import Notice

_NAMED = 5
TOLD_AS = "failed"
"""Which of the troubles in ``alerts.about`` it counts as: the next run would fail."""


@dataclass(frozen=True)
class Told:
    """Something that has to be told.

    Attributes:
        notice: What.
        connection: Name of the connection whose page it leads to.
        alerts: Whom.
    """

    notice: Notice
    connection: str
    alerts: Alerts


def record_looks(ledger: Ledger, looks: Sequence[tuple[StoredSpec, Look]], now: datetime) -> list[Told]:
    """Record what looks at one server found, and return what has to be told.

    Connections that have the same trouble and tell the same people are one incident: a server that is down is told
    once, not once for each connection.

    Args:
        ledger: The ledger.
        looks: Connections in their current revision, and what was found.
        now: The present instant.
    """
    with ledger.connect() as connection:
        for stored, look in looks:
            endpoint_looks.record(connection, stored.connection_id, look, now)
        return [*_over(connection, looks), *_broken(connection, looks)]


def forget_looks(ledger: Ledger, before: datetime) -> int:
    """Forget looks of before an instant, whose connections are looked at no more; return how many."""
    with ledger.connect() as connection:
        return endpoint_looks.forget(connection, before)


def _over(connection: LedgerConnection, looks: Sequence[tuple[StoredSpec, Look]]) -> Iterator[Told]:
    for stored, look in looks:
        ended = incidents.close(connection, stored.connection_id, INCIDENT) if look.works else None
        if ended is not None and ended.told_at is not None:
            yield Told(_recovered(stored.name, ended), stored.name, stored.spec.alerts)


def _recovered(name: str, ended: Incident) -> Notice:
    text = f"Since {ended.opened_at:%Y-%m-%d %H:%M} UTC: {ended.text}"
    return Notice(ended.id, good=True, subject=f"Connection {name}: its endpoint works again", lines=(text,))


def _broken(connection: LedgerConnection, looks: Sequence[tuple[StoredSpec, Look]]) -> Iterator[Told]:
    groups: dict[tuple[str, Alerts], list[StoredSpec]] = {}
    for stored, look in looks:
        if not look.works:
            groups.setdefault((look.message, stored.spec.alerts), []).append(stored)
    for (message, alerts), group in groups.items():
        first, names = group[0], _names(group)
        text = f"{message} This concerns {names}." if len(group) > 1 else message
        incident = incidents.occur(connection, first.connection_id, INCIDENT, text)
        if incident.told_at is None and TOLD_AS in alerts.about:
            subject = f"Connection{'s' if len(group) > 1 else ''} {names}: the endpoint does not work"
            yield Told(Notice(incident.id, good=False, subject=subject, lines=(text,)), first.name, alerts)


def _names(group: Sequence[StoredSpec]) -> str:
    names = [stored.name for stored in group]
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
