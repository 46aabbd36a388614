"""What ends by itself, such as certificates and PGP keys: found and told a month before, and told to be renewed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from data_connections.catalog import StoredSpec
from data_connections.ledger import Ledger, incidents
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.hosted_logins import all_secrets
from data_connections.spec.alerts import Alerts
from data_connections.steps.endpoint_health import TOLD_AS, Told
from data_connections.steps.notices import Notice

WARN_BEFORE = timedelta(days=30)
AGAIN_AFTER = timedelta(days=7)
INCIDENT = "ending"
Kind = Literal["login", "certificate", "PGP key", "authority"]


@dataclass(frozen=True)
class Ending:
    """Something that has ended, or will soon.

    Attributes:
        kind: What it is.
        subject: Tells it apart from every other: a name, an address or a fingerprint.
        ends: When it ends, UTC.
        text: What ends, and what to do, as sentences; no secret.
        connections: Names of the connections that need it; none where it is the whole installation's.
    """

    kind: Kind
    subject: str
    ends: datetime
    text: str
    connections: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        kind: Kind,
        subject: str,
        ends: datetime,
        now: datetime,
        what: str,
        do: str,
        connections: Iterable[str] = (),
    ) -> Ending:
        """Return an ending with its sentences: ``what`` ends then, so ``do``."""
        verb = "ended" if ends <= now else "ends"
        return cls(kind, subject, ends, f"{what} {verb} on {ends:%Y-%m-%d}. {do}", tuple(sorted(connections)))


def is_soon(ends: datetime | None, now: datetime) -> bool:
    """Whether something that ends then has to be told of."""
    return ends is not None and ends - now <= WARN_BEFORE


def of_gateway_logins(ledger: Ledger, now: datetime) -> Iterator[Ending]:
    """Yield the logins at our gateway whose last valid password or key ends soon."""
    ends: dict[tuple[str, str], list[datetime | None]] = {}
    for secret in all_secrets(ledger):
        if secret.is_valid(now):
            ends.setdefault((secret.login, secret.connection), []).append(secret.valid_until)
    for (login, connection), each in ends.items():
        last = None if None in each else max(filter(None, each))
        if last is not None and is_soon(last, now):
            do = f"Give the partner a new one: `connections gateway rotate-login {login}`."
            yield Ending.of("login", login, last, now, f"All that proves the login {login} here", do, [connection])


def of_servers(ledger: Ledger, now: datetime) -> Iterator[Ending]:
    """Yield the servers whose certificate ends soon, as the daily look at endpoints saw it."""
    rows = ledger.all(
        """
        select l.address, max(l.certificate_until) as ends, array_agg(c.name order by c.name) as names
        from endpoint_look l join connection c on c.id = l.connection_id
        where c.deleted_at is null and l.certificate_until is not null group by l.address order by l.address
        """
    )
    for row in rows:
        if is_soon(row["ends"], now):
            do = "Ask the partner for the fingerprint of the next one, and add it to the credentials if one is pinned."
            what = f"The certificate of {row['address']}"
            yield Ending.of("certificate", row["address"], row["ends"], now, what, do, row["names"])


def record_endings(
    ledger: Ledger, found: Sequence[Ending], connections: Collection[StoredSpec], now: datetime
) -> list[Told]:
    """Record what was found, and that what is found no more was renewed; return what has to be told.

    Args:
        ledger: The ledger.
        found: Everything that ends soon.
        connections: The connections that there are.
        now: The present instant.
    """
    known = {stored.name: stored for stored in connections}
    by_id = {stored.connection_id: stored for stored in connections}
    with ledger.connect() as connection:
        told = [each for ending in found for each in _told(connection, ending, known, now)]
        subjects = [ending.subject for ending in found]
        for ended in incidents.close_all_but(connection, INCIDENT, subjects):
            stored = by_id.get(ended.connection_id) if ended.connection_id else None
            if ended.told_at is not None:
                notice = Notice(
                    ended.id, good=True, subject=f"Renewed: {ended.subject}", lines=(f"It was: {ended.text}",)
                )
                told.append(Told(notice, *_whom(stored)))
    return told


def _told(connection: LedgerConnection, ending: Ending, known: dict[str, StoredSpec], now: datetime) -> Iterator[Told]:
    groups: dict[Alerts, StoredSpec | None] = {}
    for name in ending.connections or ("",):
        stored = known.get(name)
        groups.setdefault(_whom(stored)[1], stored)
    for alerts, stored in groups.items():
        text = f"{ending.text} Needed by {', '.join(ending.connections)}." if ending.connections else ending.text
        number = stored.connection_id if stored else None
        incident = incidents.occur(connection, number, INCIDENT, text, subject=ending.subject)
        if incident.is_to_be_told(now, AGAIN_AFTER) and TOLD_AS in alerts.about:
            verb = "has ended" if ending.ends <= now else f"ends on {ending.ends:%Y-%m-%d}"
            notice = Notice(incident.id, good=False, subject=f"{ending.kind} {ending.subject} {verb}", lines=(text,))
            yield Told(notice, *_whom(stored))


def _whom(stored: StoredSpec | None) -> tuple[str, Alerts]:
    """Return the page that a notice leads to, and who is told."""
    return (stored.name, stored.spec.alerts) if stored else ("connections_daily", Alerts.of_installation())
