"""What the last look at each connection's endpoint found: whether it lets us in, and the folder is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from data_connections.ledger.database import LedgerConnection

INCIDENT = "endpoint"
"""Kind of the incident of an endpoint that does not work."""


@dataclass(frozen=True)
class Look:
    """What a look found.

    Attributes:
        address: Where the endpoint is.
        works: Whether login and folder are as a run needs them.
        message: What was found, as a sentence; holds no secret.
        may_pass: Whether the trouble may pass by itself, such as a server that does not answer.
        certificate_until: When the server's certificate ends, UTC; None where it has none, or was not seen.
    """

    address: str
    works: bool
    message: str
    may_pass: bool = False
    certificate_until: datetime | None = None


def record(connection: LedgerConnection, connection_id: int, look: Look, now: datetime) -> None:
    """Record a look; ``since`` stays as long as its result does."""
    connection.execute(
        """
        insert into endpoint_look (connection_id, address, works, message, since, looked_at, certificate_until)
        values (%(id)s, %(address)s, %(works)s, %(message)s, %(now)s, %(now)s, %(certificate_until)s)
        on conflict (connection_id) do update
        set address = excluded.address, works = excluded.works, message = excluded.message,
            since = case when endpoint_look.works = excluded.works then endpoint_look.since else excluded.since end,
            looked_at = excluded.looked_at,
            certificate_until = coalesce(excluded.certificate_until, endpoint_look.certificate_until)
        """,
        {"id": connection_id, "now": now, **{name: value for name, value in vars(look).items() if name != "may_pass"}},
    )


def forget(connection: LedgerConnection, before: datetime) -> int:
    """Forget looks of before an instant and end their incidents: those connections are paused, changed or deleted."""
    gone = connection.execute("delete from endpoint_look where looked_at < %s", [before]).rowcount
    connection.execute(
        """
        update incident set closed_at = now() where kind = %s and closed_at is null
        and not exists (select from endpoint_look l where l.connection_id = incident.connection_id)
        """,
        [INCIDENT],
    )
    return gone
