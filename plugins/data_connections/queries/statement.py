"""The month statement of a program, and the actions behind each of its figures.

Each new action and each change is a movement of what is open, as in the report ``month_statement``; here only those
count whose action a visible connection brought.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Literal

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection

Figure = Literal["opening", "new", "modified", "reversed", "locked", "closing"]
FIGURES: tuple[Figure, ...] = ("opening", "new", "modified", "reversed", "locked", "closing")
ROWS_SHOWN = 500

_MOVEMENT = """
with own as (
    select a.*, p.time_zone from action a
    join program p on p.id = a.program_id and p.key = %(program)s
    join submission s on s.id = a.submission_id
    where %(visible)s::bigint[] is null or s.connection_id = any(%(visible)s)
), first_change as (
    select distinct on (u.action_id) u.action_id, u.old_amount, u.old_payout
    from action_update u join own on own.id = u.action_id order by u.action_id, u.id
), movement as (
    select own.id, own.partner_id, own.currency, (own.received_at at time zone own.time_zone)::date as day,
           'new' as kind, coalesce(f.old_amount, own.amount) as amount,
           coalesce(case when f.action_id is null then own.payout else f.old_payout end, 0) as payout
    from own left join first_change f on f.action_id = own.id
    union all
    select own.id, own.partner_id, own.currency, (u.received_at at time zone own.time_zone)::date,
           case when u.old_state = 'PENDING' and u.new_state = 'REVERSED' then 'reversed'
                when u.old_state = 'PENDING' and u.new_state = 'APPROVED' then 'locked' else 'modified' end,
           case when u.new_state = 'PENDING' then u.new_amount else 0 end
               - case when u.old_state = 'PENDING' then u.old_amount else 0 end,
           case when u.new_state = 'PENDING' then coalesce(u.new_payout, 0) else 0 end
               - case when u.old_state = 'PENDING' then coalesce(u.old_payout, 0) else 0 end
    from action_update u join own on own.id = u.action_id
)
"""
_IN_FIGURE: dict[Figure, str] = {
    "opening": "day < %(first)s",
    "new": "day >= %(first)s and kind = 'new'",
    "modified": "day >= %(first)s and kind = 'modified'",
    "reversed": "day >= %(first)s and kind = 'reversed'",
    "locked": "day >= %(first)s and kind = 'locked'",
    "closing": "true",
}
_TAKES_AWAY = ("reversed", "locked")


def month_statement(
    connection: LedgerConnection, visible: Collection[int] | None, program: str, month: date
) -> list[DictRow]:
    """Return a line for each partner and currency that has anything open or moving in a month.

    Args:
        connection: The ledger.
        visible: Ids of the connections whose actions may be seen; None means every one.
        program: Key of the program; days are those of its time zone.
        month: Any day of the month.

    Returns:
        ``partner_id``, ``partner``, ``currency``, and ``FIGURE_amount`` and ``FIGURE_payout`` for each figure, where
        opening + new + modified - reversed - locked = closing.
    """
    sums = ", ".join(
        f"{_sign(figure)}coalesce(sum({what}) filter (where {condition}), 0) as {figure}_{what}"
        for figure, condition in _IN_FIGURE.items()
        for what in ("amount", "payout")
    )
    query = f"""{_MOVEMENT}
        select m.partner_id, n.name as partner, m.currency, {sums}
        from movement m left join partner n on n.id = m.partner_id where m.day < %(end)s
        group by m.partner_id, n.name, m.currency
        having sum(amount) <> 0 or sum(payout) <> 0 or bool_or(day >= %(first)s)
        order by m.partner_id nulls first, m.currency"""
    return connection.execute(query.encode(), _bound(visible, program, month)).fetchall()


def rows_of_figure(
    connection: LedgerConnection,
    visible: Collection[int] | None,
    program: str,
    month: date,
    *,
    figure: Figure,
    currency: str,
    partner: int | None,
) -> list[DictRow]:
    """Return what each action gives to one figure of the statement, at most ``ROWS_SHOWN`` and one line more.

    Each line has ``count``, ``total_amount`` and ``total_payout`` of all of them beside its own.
    """
    sign = _sign(figure)
    query = f"""{_MOVEMENT}, moved as (
            select m.id, {sign}sum(m.amount) as amount, {sign}sum(m.payout) as payout, max(m.day) as day
            from movement m where m.day < %(end)s and {_IN_FIGURE[figure]} and m.currency = %(currency)s
              and m.partner_id is not distinct from %(partner)s
            group by m.id having sum(m.amount) <> 0 or sum(m.payout) <> 0 or %(figure)s = 'new'
        )
        select d.*, public_id(a) as public_id, a.order_id, a.state, a.event_at, t.name as event_type,
               count(*) over () as count, sum(d.amount) over () as total_amount, sum(d.payout) over () as total_payout
        from moved d join action a on a.id = d.id join event_type t on t.id = a.event_type_id
        order by d.id desc limit %(limit)s"""
    bound = {**_bound(visible, program, month), "figure": figure, "currency": currency, "partner": partner}
    return connection.execute(query.encode(), {**bound, "limit": ROWS_SHOWN + 1}).fetchall()


def _sign(figure: Figure) -> str:
    return "- " if figure in _TAKES_AWAY else ""


def _bound(visible: Collection[int] | None, program: str, month: date) -> dict[str, Any]:
    first = month.replace(day=1)
    end = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return {
        "visible": None if visible is None else list(visible),
        "program": program,
        "first": first,
        "end": end,
    }
