"""Actions over all programs: found by their ids, by when they lock, by what became of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Any, Literal

from psycopg.rows import DictRow
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from data_connections.ledger.database import LedgerConnection
from data_connections.queries.filters import PAGE_SIZE, Day, Number, Size, Text, left_out

_PUBLIC_ID = re.compile(r"M?(?:\d{1,18}\.\d{1,18}\.)?(\d{1,18})")
_SELECT = """
select a.id, public_id(a) as public_id, p.key as program, t.id as event_type_id, t.name as event_type, a.order_id,
       a.customer_id, a.state, a.amount, a.payout, a.currency, a.event_at, a.received_at, a.locks_at, a.locked_at,
       a.modifications, a.partner_id, n.name as partner, c.name as connection, a.submission_id, a.line
from action a
join submission s on s.id = a.submission_id
join connection c on c.id = s.connection_id
join program p on p.id = a.program_id
join event_type t on t.id = a.event_type_id
left join partner n on n.id = a.partner_id
"""
_FOUND = """
a.id = any(array(
    select id from action where id = %(number)s and (%(search)s ~ '^[0-9]+$' or public_id(action) = %(search)s)
    union all
    (select id from action where order_id = %(search)s limit 10000)
    union all
    (select id from action where customer_id = %(search)s limit 10000)))
"""
_CONDITIONS = {
    "visible": "s.connection_id = any(%(visible)s)",
    "search": _FOUND,
    "program": "p.key = %(program)s",
    "event_type": "a.event_type_id = %(event_type)s",
    "partner": "a.partner_id = %(partner)s",
    "state": "a.state = %(state)s",
    "submission": "a.submission_id = %(submission)s",
    "since": "a.received_at >= %(since)s",
    "until": "a.received_at < %(until)s::date + 1",
    "locks_within": "a.state = 'PENDING' and a.locks_at > now() "
    "and a.locks_at <= now() + make_interval(days => %(locks_within)s)",
}


class ActionFilter(BaseModel):
    """What the list of actions shows; days are those on which actions were received, in UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    search: Text = Field(default=None, description="An ActionId, an OrderId or a CustomerId.")
    program: Text = Field(default=None, description="Only this program.")
    event_type: Number = Field(default=None, description="Only this event type.")
    partner: Number = Field(default=None, description="Only this partner.")
    state: Annotated[Literal["PENDING", "APPROVED", "REVERSED"] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only this state."
    )
    submission: Number = Field(default=None, description="Only what this submission made.")
    since: Day = Field(default=None, description="First day, UTC.")
    until: Day = Field(default=None, description="Last day, UTC.")
    locks_within: Annotated[Annotated[int, Field(ge=1, le=3650)] | None, BeforeValidator(left_out)] = Field(
        default=None, description="Only those that lock within so many days, the next one first."
    )
    page: int = Field(default=1, ge=1, le=1000, description="Page, from 1.")
    size: Size = Field(default=PAGE_SIZE, description="Lines on a page.")


def list_actions(connection: LedgerConnection, visible: Collection[int] | None, wanted: ActionFilter) -> list[DictRow]:
    """Return one page of actions, one line more where there is a next page: the newest first, or the next to lock.

    Args:
        connection: The ledger.
        visible: Ids of the connections whose actions may be seen; None means every one.
        wanted: The filters.
    """
    number = _PUBLIC_ID.fullmatch(wanted.search or "")
    bound: dict[str, Any] = {
        **wanted.model_dump(),
        "visible": None if visible is None else list(visible),
        "number": int(number[1]) if number else 0,
        "limit": wanted.size + 1,
        "offset": (wanted.page - 1) * wanted.size,
    }
    conditions = [condition for name, condition in _CONDITIONS.items() if bound[name] is not None]
    where = f"where {' and '.join(conditions)}" if conditions else ""
    order = "a.locks_at, a.id" if wanted.locks_within else "a.id desc"
    query = f"{_SELECT} {where} order by {order} limit %(limit)s offset %(offset)s"
    return connection.execute(query.encode(), bound).fetchall()


def programs_seen(connection: LedgerConnection, visible: Collection[int] | None) -> list[DictRow]:
    """Return the programs of connections that may be seen, by name, each with its ``event_types``."""
    return connection.execute(
        """
        select p.id, p.key, p.name, p.time_zone, p.currency,
               (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) order by t.id), '[]')
                from event_type t where t.program_id = p.id) as event_types
        from program p
        where p.key in (
            select v.spec ->> 'program' from connection c
            join connection_revision v on v.connection_id = c.id and v.number = c.revision
            where %(visible)s::bigint[] is null or c.id = any(%(visible)s))
        order by p.name, p.id
        """,
        {"visible": None if visible is None else list(visible)},
    ).fetchall()
