"""What people are told about the installation as a whole: troubles that belong to no connection."""

from __future__ import annotations

from datetime import datetime

from data_connections.ledger import Ledger, incidents
from data_connections.spec.alerts import Alerts
from data_connections.steps.notices import Notice


def trouble(ledger: Ledger, kind: str, subject: str, text: str, alerts: Alerts, now: datetime) -> Notice | None:
    """Record that the installation has a trouble, and return what has to be told of it.

    Args:
        ledger: The ledger.
        kind: Which trouble, such as ``books``; one that goes on is one incident.
        subject: It in a few words.
        text: What was found; no values of rows.
        alerts: Says after which time a trouble that goes on is told again.
        now: The present instant.

    Returns:
        The notice, or None where people know.
    """
    with ledger.connect() as connection:
        incident = incidents.occur(connection, None, kind, text)
    if not incident.is_to_be_told(now, alerts.again_after):
        return None
    since = (f"It goes on since {incident.opened_at:%Y-%m-%d %H:%M} UTC.",) if incident.told_at else ()
    return Notice(incident.id, good=False, subject=f"Connections: {subject}", lines=(text, *since))


def over(ledger: Ledger, kind: str) -> Notice | None:
    """Record that the installation does not have a trouble any more; return what has to be told to those who know."""
    with ledger.connect() as connection:
        ended = incidents.close(connection, None, kind)
    if ended is None or ended.told_at is None:
        return None
    since = f"{ended.opened_at:%Y-%m-%d %H:%M} UTC"
    return Notice(ended.id, good=True, subject="Connections: recovered", lines=(f"Since {since}: {ended.text}",))
