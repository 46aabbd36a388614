"""Deliveries over all connections, the newest first."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from psycopg.rows import DictRow
from pydantic import BeforeValidator, Field

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.delivery import DeliveryState
from data_connections.queries.filters import ListFilter, Number, Text, left_out

_SELECT = """
select d.id, d.trace_id, c.name as connection, v.spec ->> 'program' as program, d.report, d.business_date, d.last_date,
       d.version, d.state, d.note, d.message, d.file_name, d.size, d.rows, d.created_at, d.delivered_at
from delivery d
join connection c on c.id = d.connection_id
join connection_revision v on v.connection_id = c.id and v.number = c.revision
"""


class DeliveryFilter(ListFilter):
    """What the list of deliveries shows; days are business days."""

    report: Text = Field(default=None, description="Only this report.")
    state: Annotated[DeliveryState | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only this state."
    )
    run: Number = Field(default=None, description="Only what this run made, by the ledger's number of the run.")


def list_deliveries(
    connection: LedgerConnection, visible: Collection[int] | None, wanted: DeliveryFilter
) -> list[DictRow]:
    """Return one page of deliveries, one line more where there is a next page.

    Args:
        connection: The ledger.
        visible: Ids of the connections that may be seen; None means every one.
        wanted: The filters. ``search`` is the beginning of a file's name.
    """
    bound: dict[str, Any] = {
        **wanted.model_dump(),
        "limit": wanted.size + 1,
        "visible": None if visible is None else list(visible),
    }
    query = f"""{_SELECT}
        where (%(visible)s::bigint[] is null or d.connection_id = any(%(visible)s))
          and (%(before)s::bigint is null or d.id < %(before)s)
          and (%(connection)s::text is null or c.name = %(connection)s)
          and (%(program)s::text is null or v.spec ->> 'program' = %(program)s)
          and (%(run)s::bigint is null or d.run_id = %(run)s)
          and (%(report)s::text is null or d.report = %(report)s)
          and (%(state)s::text is null or d.state = %(state)s)
          and (%(since)s::date is null or d.business_date >= %(since)s)
          and (%(until)s::date is null or d.business_date <= %(until)s)
          and (%(search)s::text is null or starts_with(lower(d.file_name), lower(%(search)s)))
        order by d.id desc limit %(limit)s"""
    return connection.execute(query.encode(), bound).fetchall()
