"""Whether the gateway runs and the mailboxes answer, where they are used."""

from __future__ import annotations

from datetime import timedelta

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.signs_of_life import GATEWAY

SILENT = timedelta(minutes=3)
"""A gateway that was not seen for so long does not run; it says every minute that it does."""


def our_services(connection: LedgerConnection) -> dict[str, str]:
    """Return the state of ``gateway`` and ``mailboxes``: healthy, unhealthy, not running, or not used.

    The gateway is used where we host the folder of a connection; mailboxes are as the last looks at them found them.
    """
    found = connection.execute(
        """
        with live as (
            select c.id, v.spec ->> 'direction' as direction, v.spec ->> 'method' as method,
                   v.spec ->> 'methodology' as methodology
            from connection c join connection_revision v on v.connection_id = c.id and v.number = c.revision
            where c.deleted_at is null
        )
        select exists (select from live where (direction, methodology) in (('inbound', 'push'), ('outbound', 'pull')))
                   as hosts,
               exists (select from sign_of_life where part = %s and seen_at > now() - %s::interval) as seen,
               exists (select from live where direction = 'inbound' and method = 'email') as looks,
               exists (select from live join endpoint_look l on l.connection_id = live.id
                       where direction = 'inbound' and method = 'email' and not l.works) as away
        """,
        [GATEWAY, SILENT],
    ).fetchone()
    assert found is not None  # noqa: S101 - it is one row
    gateway = "healthy" if found["seen"] else "not running" if found["hosts"] else "not used"
    mailboxes = "not used" if not found["looks"] else "unhealthy" if found["away"] else "healthy"
    return {"gateway": gateway, "mailboxes": mailboxes}
