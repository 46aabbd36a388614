"""The month statement of a program, and the actions behind each of its figures.

Each new action and each change is a movement of what is open, as in the report ``month_statement``; here only those
count whose action a visible connection brought. A statement goes back from what is open now: what was open at some
moment is that without the movements since, so that years of movements before are not read again.
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

_VISIBLE = "and submission_id in (select id from submission where connection_id = any(%(visible)s))"
_MOVEMENT = """
with own as not materialized (
    select id, partner_id, currency, state, amount, coalesce(payout, 0) as payout, received_at
    from action where program_id = %(program)s {visible}
), first_change as (
    select distinct on (u.action_id) u.action_id, u.old_amount, coalesce(u.old_payout, 0) as old_payout
    from action_update u join own on own.id = u.action_id
    where own.received_at >= %(first)s order by u.action_id, u.id
), movement as (
    select id, partner_id, currency, 'open now' as kind, null::timestamptz as at, amount, payout
    from own where state = 'PENDING'
    union all
    select own.id, own.partner_id, own.currency, 'new', own.received_at,
           coalesce(f.old_amount, own.amount), coalesce(f.old_payout, own.payout)
    from own left join first_change f on f.action_id = own.id where own.received_at >= %(first)s
    union all
    select own.id, own.partner_id, own.currency,
           case when u.old_state = 'PENDING' and u.new_state = 'REVERSED' then 'reversed'
                when u.old_state = 'PENDING' and u.new_state = 'APPROVED' then 'locked' else 'modified' end,
           u.received_at,
           case when u.new_state = 'PENDING' then u.new_amount else 0 end
               - case when u.old_state = 'PENDING' then u.old_amount else 0 end,
           case when u.new_state = 'PENDING' then coalesce(u.new_payout, 0) else 0 end
               - case when u.old_state = 'PENDING' then coalesce(u.old_payout, 0) else 0 end
    from action_update u join own on own.id = u.action_id where u.received_at >= %(first)s
)
"""
_IN_MONTH = "kind <> 'open now' and at < %(end)s"
_COUNTED: dict[Figure, str] = {
    "opening": "case when kind = 'open now' then {what} else - {what} end",
    "new": f"case when kind = 'new' and {_IN_MONTH} then {{what}} else 0 end",
    "modified": f"case when kind = 'modified' and {_IN_MONTH} then {{what}} else 0 end",
    "reversed": f"case when kind = 'reversed' and {_IN_MONTH} then - {{what}} else 0 end",
    "locked": f"case when kind = 'locked' and {_IN_MONTH} then - {{what}} else 0 end",
    "closing": f"case when kind = 'open now' then {{what}} when {_IN_MONTH} then 0 else - {{what}} end",
}
_LAST_CHANGE = """
    greatest(case when a.received_at < %(until)s then a.received_at end,
             (select max(u.received_at) from action_update u where u.action_id = a.id and u.received_at < %(until)s))
"""


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
        f"sum({_COUNTED[figure].format(what=what)}) as {figure}_{what}"
        for figure in FIGURES
        for what in ("amount", "payout")
    )
    query = f"""{_movements(visible)}, line as (
            select partner_id, currency, {sums}, bool_or({_IN_MONTH}) as moves
            from movement group by partner_id, currency
        )
        select l.partner_id, n.name as partner, l.*
        from line l left join partner n on n.id = l.partner_id
        where l.closing_amount <> 0 or l.closing_payout <> 0 or l.moves
        order by l.partner_id nulls first, l.currency"""
    lines = connection.execute(query.encode(), _bound(connection, visible, program, month)).fetchall()
    for line in lines:
        del line["moves"]
    return lines


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

    Each line has ``count``, ``total_amount`` and ``total_payout`` of all of them beside its own, and ``day``, the
    last one in the program's time zone on which something moved that the figure counts.
    """
    amount, payout = (_COUNTED[figure].format(what=what) for what in ("amount", "payout"))
    balance = figure in ("opening", "closing")
    counted = "true" if balance else f"kind = %(figure)s and {_IN_MONTH}"
    last = _LAST_CHANGE if balance else "d.at"
    query = f"""{_movements(visible)}, moved as (
            select m.id, sum({amount}) as amount, sum({payout}) as payout, max(m.at) as at
            from movement m where {counted} and m.currency = %(currency)s
              and m.partner_id is not distinct from %(partner)s
            group by m.id having sum({amount}) <> 0 or sum({payout}) <> 0 or %(figure)s = 'new'
        ), shown as (
            select d.*, count(*) over () as count, sum(d.amount) over () as total_amount,
                   sum(d.payout) over () as total_payout
            from moved d order by d.id desc limit %(limit)s
        )
        select d.id, d.amount, d.payout, d.count, d.total_amount, d.total_payout, public_id(a) as public_id,
               a.order_id, a.state, a.event_at, t.name as event_type, ({last} at time zone %(zone)s)::date as day
        from shown d join action a on a.id = d.id join event_type t on t.id = a.event_type_id
        order by d.id desc"""
    bound = {
        **_bound(connection, visible, program, month),
        "figure": figure,
        "currency": currency,
        "partner": partner,
        "limit": ROWS_SHOWN + 1,
    }
    bound["until"] = bound["first"] if figure == "opening" else bound["end"]
    return connection.execute(query.encode(), bound).fetchall()


def _movements(visible: Collection[int] | None) -> str:
    return _MOVEMENT.format(visible="" if visible is None else _VISIBLE)


def _bound(connection: LedgerConnection, visible: Collection[int] | None, program: str, month: date) -> dict[str, Any]:
    first = month.replace(day=1)
    end = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    found = connection.execute(
        """
        select id as program, time_zone as zone, %(first)s::timestamp at time zone time_zone as first,
               %(end)s::timestamp at time zone time_zone as end
        from program where key = %(key)s
        """,
        {"key": program, "first": first, "end": end},
    ).fetchone()
    assert found is not None  # noqa: S101 - callers take the key from the programs that there are
    return {**found, "visible": None if visible is None else list(visible)}
