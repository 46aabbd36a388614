"""The activity log over all connections: who did what, the newest first."""

from __future__ import annotations

from collections.abc import Collection

from psycopg.rows import DictRow
from pydantic import Field

from data_connections.ledger.database import LedgerConnection
from data_connections.queries.filters import ListFilter, Text


class ActivityFilter(ListFilter):
    """What the activity log shows."""

    who: Text = Field(default=None, description="Only what this person or system did.")
    what: Text = Field(default=None, description="Only this kind, such as connection.changed.")


def list_activity(
    connection: LedgerConnection, visible: Collection[int] | None, wanted: ActivityFilter
) -> list[DictRow]:
    """Return one page of entries, one line more where there is a next page.

    Args:
        connection: The ledger.
        visible: Ids of the connections that may be seen; None means every entry, those that belong to no connection
            (credentials, reference data) too.
        wanted: The filters.
    """
    return connection.execute(
        """
        select a.id, a.at, a.who, a.what, a.subject, c.name as connection, a.details
        from activity a left join connection c on c.id = a.connection_id
        where (%(visible)s::bigint[] is null or a.connection_id = any(%(visible)s))
          and (%(before)s::bigint is null or a.id < %(before)s)
          and (%(connection)s::text is null or c.name = %(connection)s)
          and (%(who)s::text is null or a.who = %(who)s)
          and (%(what)s::text is null or a.what = %(what)s or starts_with(a.what, %(what)s || '.'))
          and (%(since)s::date is null or a.at >= %(since)s)
          and (%(until)s::date is null or a.at < %(until)s::date + 1)
          and (%(search)s::text is null or position(lower(%(search)s) in lower(a.subject)) > 0)
        order by a.id desc limit %(limit)s
        """,
        {
            **wanted.model_dump(),
            "limit": wanted.size + 1,
            "visible": None if visible is None else list(visible),
        },
    ).fetchall()
