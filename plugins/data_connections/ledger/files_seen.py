"""Every inbound file that was seen: those that were taken, as submissions, and those that were not, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.files_of_order import submissions_of

NOT_TAKEN = "not_taken"
"""What stands in place of a submission's state for a file that was seen and left where it is."""

_SEARCH = f"""
    select s.id, s.trace_id, c.name as connection, s.number, s.file_name, s.origin, s.state, s.code, s.message,
           s.rows, s.accepted, s.warned, s.rejected, s.duplicate, s.held, s.received_at, s.claimed_at,
           s.finished_at, s.acknowledged_at, s.corrects_id, s.replays_id, s.duplicate_of_id, s.sha256, s.parcel_id,
           s.members, s.claimed_at as seen_at, g.sender
    from submission s join connection c on c.id = s.connection_id left join sighting g on g.id = s.sighting_id
    where (%(name)s::text is null or c.name = %(name)s)
      and (cardinality(%(states)s::text[]) = 0 or s.state = any(%(states)s))
      and (%(since)s::timestamptz is null or s.claimed_at >= %(since)s)
      and (%(find)s::text is null
           or position(lower(%(find)s) in lower(s.file_name)) > 0
           or position(lower(%(find)s) in g.sender) > 0
           or (length(%(find)s) >= 8 and starts_with(s.sha256, lower(%(find)s)))
           or s.trace_id::text = lower(%(find)s)
           or s.id in ({submissions_of("%(find)s")}))
    union all
    select null, null, c.name, null, g.name, 'endpoint', 'not_taken', g.reason, null,
           0, 0, 0, 0, 0, 0, g.mtime, null, null, null, null, null, null, null, null, null, g.last_seen_at,
           g.sender
    from sighting g join connection c on c.id = g.connection_id
    where g.decision <> 'claimed'
      and not exists (select from sighting later where later.connection_id = g.connection_id and later.path = g.path
                      and (later.last_seen_at, later.id) > (g.last_seen_at, g.id))
      and (%(name)s::text is null or c.name = %(name)s)
      and (cardinality(%(states)s::text[]) = 0 or 'not_taken' = any(%(states)s))
      and (%(since)s::timestamptz is null or g.last_seen_at >= %(since)s)
      and (%(find)s::text is null or position(lower(%(find)s) in lower(g.name)) > 0
           or position(lower(%(find)s) in g.sender) > 0)
    order by seen_at desc, id desc nulls last limit %(limit)s
"""


def files_seen(
    connection: LedgerConnection,
    *,
    connection_name: str | None = None,
    states: Sequence[str] = (),
    since: datetime | None = None,
    find: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Return files, newest first, each with its connection's name; one that was not taken has no id and 0 rows.

    Of a file that was seen several times, such as while it grew, the last time counts.

    Args:
        connection: The ledger.
        connection_name: Only those of this connection.
        states: Only those in one of these states or ``not_taken``; all when empty.
        since: Only those claimed, or last seen, at this time or later.
        find: Part of a file's name or of the address that mailed it, a trace id, at least 8 digits of a SHA-256, or
            the order id of an action that the file made or changed, or of a row of it that is held.
        limit: Rows at most.
    """
    values = {"name": connection_name, "states": list(states), "since": since, "find": find, "limit": limit}
    return connection.execute(_SEARCH.encode(), values).fetchall()
