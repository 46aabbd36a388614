"""Files that were seen at an endpoint and left where they are, each with the reason."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection
from data_connections.queries.submissions import SubmissionFilter


def list_not_taken(
    connection: LedgerConnection, visible: Collection[int] | None, wanted: SubmissionFilter
) -> list[DictRow]:
    """Return one page of files that were not taken, the newest first, one line more where there is a next page.

    Of a file that was seen several times, such as while it grew, the last time counts. ``search`` is part of its name
    or of the address that mailed it; days are those on which it was last seen.

    Args:
        connection: The ledger.
        visible: Ids of the connections whose files may be seen; None means every one.
        wanted: The filters; those about rows and states do not count.
    """
    bound: dict[str, Any] = {
        **wanted.model_dump(),
        "visible": None if visible is None else list(visible),
        "limit": wanted.size + 1,
    }
    return connection.execute(
        """
        select g.id, g.name as file_name, g.path, g.size, g.mtime as received_at, g.first_seen_at, g.last_seen_at,
               coalesce(g.reason, g.decision) as reason, c.name as connection, v.spec ->> 'program' as program,
               v.spec ->> 'data_type' as data_type
        from sighting g
        join connection c on c.id = g.connection_id
        join connection_revision v on v.connection_id = c.id and v.number = c.revision
        where g.decision <> 'claimed'
          and not exists (select from sighting later where later.connection_id = g.connection_id
                          and later.path = g.path and (later.last_seen_at, later.id) > (g.last_seen_at, g.id))
          and (%(visible)s::bigint[] is null or g.connection_id = any(%(visible)s))
          and (%(connection)s::text is null or c.name = %(connection)s)
          and (%(program)s::text is null or v.spec ->> 'program' = %(program)s)
          and (%(data_type)s::text is null or v.spec ->> 'data_type' = %(data_type)s)
          and (%(search)s::text is null or position(lower(%(search)s) in lower(g.name)) > 0
               or position(lower(%(search)s) in g.sender) > 0)
          and (%(since)s::date is null or g.last_seen_at >= %(since)s)
          and (%(until)s::date is null or g.last_seen_at < %(until)s::date + 1)
          and (%(before)s::bigint is null or g.id < %(before)s)
        order by g.id desc limit %(limit)s
        """,
        bound,
    ).fetchall()
