"""The month statement of a program, and the actions behind each of its figures.

Each new action and each change is a movement of what is open, as in the report ``month_statement``; here only those
count whose action a visible connection brought. Months that are summed are not read again (``queries.movements``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Literal

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection
from data_connections.queries.movements import (
    AMOUNT,
    FIRST,
    FIRST_AMOUNT,
    FIRST_PAYOUT,
    FLOWS,
    KIND,
    MARK,
    NEWER,
    NEWER_TOGETHER,
    OPENED,
    PAYOUT,
)

Figure = Literal["opening", "new", "modified", "reversed", "locked", "closing"]
FIGURES: tuple[Figure, ...] = ("opening", *FLOWS, "closing")
ROWS_SHOWN = 500

_SEEN = """
with seen as (
    select * from (
        select m.* from month_sum m where m.program_id = %(program)s and %(last_action)s + %(last_update)s > 0
        union all {newer}
    ) summed
    where month <= %(first)s and (%(visible)s::bigint[] is null or connection_id = any(%(visible)s))
)
"""
_OPEN = "new_{what} + modified_{what} - reversed_{what} - locked_{what}"
_TOGETHER = """
{seen}
select coalesce(sum({count}), 0)::bigint as count, coalesce(sum({amount}), 0) as total_amount,
       coalesce(sum({payout}), 0) as total_payout, coalesce(min(first_action), 0) as first_action,
       coalesce(max(last_action), 0) as last_action
from seen where {months} and currency = %(currency)s and partner_id is not distinct from %(partner)s
"""
_OF_ONE = """
a.program_id = %(program)s and a.currency = %(currency)s and a.partner_id is not distinct from %(partner)s
and (%(visible)s::bigint[] is null or s.connection_id = any(%(visible)s))
"""
_NEW = f"""
select a.id, {FIRST_AMOUNT} as amount, {FIRST_PAYOUT} as payout, a.received_at as at
from action a left join submission s on s.id = a.submission_id {FIRST}
where a.id between %(first_action)s and %(last_action)s and {_OF_ONE}
  and a.received_at >= %(begin)s and a.received_at < %(end)s
order by a.id desc limit %(limit)s
"""
_BALANCE = f"""
select a.id, m.amount + case when a.received_at < %(until)s then {FIRST_AMOUNT} else 0 end as amount,
       m.payout + case when a.received_at < %(until)s then {FIRST_PAYOUT} else 0 end as payout,
       greatest(m.at, case when a.received_at < %(until)s then a.received_at end) as at
from action a left join submission s on s.id = a.submission_id {FIRST}
cross join lateral (
    select coalesce(sum({OPENED}), 0) as opened, coalesce(sum({AMOUNT}), 0) as amount,
           coalesce(sum({PAYOUT}), 0) as payout, max(u.received_at) as at
    from action_update u where u.action_id = a.id and u.received_at < %(until)s
) m
where a.id between %(first_action)s and %(last_action)s and {_OF_ONE}
  and not (a.state = 'APPROVED' and greatest(a.locked_at, a.received_at, a.updated_at) < %(until)s)
  and ((a.received_at < %(until)s)::int + m.opened <> 0
       or m.amount + case when a.received_at < %(until)s then {FIRST_AMOUNT} else 0 end <> 0
       or m.payout + case when a.received_at < %(until)s then {FIRST_PAYOUT} else 0 end <> 0)
order by a.id desc limit %(limit)s
"""
_CHANGED = f"""
select c.*, count(*) over () as count, sum(c.amount) over () as total_amount, sum(c.payout) over () as total_payout
from (
    select a.id, sum({{sign}} ({AMOUNT})) as amount, sum({{sign}} ({PAYOUT})) as payout, max(u.received_at) as at
    from action_update u join action a on a.id = u.action_id left join submission s on s.id = a.submission_id
    where u.received_at >= %(begin)s and u.received_at < %(end)s and {KIND} = %(figure)s and {_OF_ONE}
    group by a.id
) c where c.amount <> 0 or c.payout <> 0
order by c.id desc limit %(limit)s
"""
_SHOWN = """
select d.*, public_id(a) as public_id, a.order_id, a.state, a.event_at, t.name as event_type,
       (d.at at time zone %(zone)s)::date as day
from ({rows}) d join action a on a.id = d.id join event_type t on t.id = a.event_type_id
order by d.id desc
"""


def month_statement(
    connection: LedgerConnection, visible: Collection[int] | None, program: str, month: date
) -> list[DictRow]:
    """Return a line for each partner and currency that has anything open or moving in a month.

    Args:
        connection: The ledger at one moment: a transaction that is repeatable read.
        visible: Ids of the connections whose actions may be seen; None means every one.
        program: Key of the program; days are those of its time zone.
        month: Any day of the month.

    Returns:
        ``partner_id``, ``partner``, ``currency``, and ``FIGURE_amount`` and ``FIGURE_payout`` for each figure, where
        opening + new + modified - reversed - locked = closing.
    """
    query = f"""{_seen(visible)}, line as (
            select partner_id, currency, {_figures()}, bool_or(month = %(first)s) as moves
            from seen group by partner_id, currency
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
    last one in the program's time zone on which something moved that the figure counts. The arguments are those of
    ``month_statement``.
    """
    bound = {
        **_bound(connection, visible, program, month),
        "figure": figure,
        "currency": currency,
        "partner": partner,
        "limit": ROWS_SHOWN + 1,
    }
    if figure in ("modified", "reversed", "locked"):
        changed = _CHANGED.format(sign="" if figure == "modified" else "-")
        return connection.execute(_SHOWN.format(rows=changed).encode(), bound).fetchall()
    together = connection.execute(_together(visible, figure).encode(), bound).fetchone()
    assert together is not None  # noqa: S101 - an aggregate always gives one row
    bound |= {"first_action": together.pop("first_action"), "last_action": together.pop("last_action")}
    bound["until"] = bound["begin"] if figure == "opening" else bound["end"]
    rows = _NEW if figure == "new" else _BALANCE
    found = connection.execute(_SHOWN.format(rows=rows).encode(), bound).fetchall()
    if len(found) <= ROWS_SHOWN:
        together["count"] = len(found)
    return [{**row, **together} for row in found]


def _figures() -> str:
    sums = []
    for what in ("amount", "payout"):
        whole = _OPEN.format(what=what)
        sums.append(f"coalesce(sum({whole}) filter (where month < %(first)s), 0) as opening_{what}")
        sums += [f"coalesce(sum({flow}_{what}) filter (where month = %(first)s), 0) as {flow}_{what}" for flow in FLOWS]
        sums.append(f"sum({whole}) as closing_{what}")
    return ", ".join(sums)


def _seen(visible: Collection[int] | None) -> str:
    """Return SQL for the sums of months that count, as ``seen``."""
    return _SEEN.format(newer=NEWER_TOGETHER if visible is None else NEWER)


def _together(visible: Collection[int] | None, figure: Figure) -> str:
    """Return SQL for what a figure comes to, and the first and the last action that moved in its months."""
    amount, payout, count, months = "new_amount", "new_payout", "actions", "month = %(first)s"
    if figure != "new":
        amount, payout = (_OPEN.format(what=what) for what in ("amount", "payout"))
        count, months = "opened", "month < %(first)s" if figure == "opening" else "true"
    return _TOGETHER.format(seen=_seen(visible), count=count, amount=amount, payout=payout, months=months)


def _bound(connection: LedgerConnection, visible: Collection[int] | None, program: str, month: date) -> dict[str, Any]:
    first = month.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    found = connection.execute(
        """
        select id as program, time_zone as zone, %(first)s::timestamp at time zone time_zone as begin,
               %(following)s::timestamp at time zone time_zone as end
        from program where key = %(key)s
        """,
        {"key": program, "first": first, "following": following},
    ).fetchone()
    assert found is not None  # noqa: S101 - callers take the key from the programs that there are
    mark = connection.execute(MARK, found).fetchone()
    assert mark is not None  # noqa: S101 - the program is there
    return {**found, **mark, "first": first, "visible": None if visible is None else list(visible)}
