"""Movements of what is open: each new action and each change of one, and their sums by month.

Actions and their updates are never deleted, and what a movement was never changes. Within a program their numbers grow
in the order in which they are committed, as every writer holds its lock. So ``month_sum`` has all movements up to the
numbers in ``month_sum_mark``, and whoever needs a sum adds those that came since.
"""

from __future__ import annotations

from typing import Literal

Flow = Literal["new", "modified", "reversed", "locked"]
FLOWS: tuple[Flow, ...] = ("new", "modified", "reversed", "locked")
KEYS = ("program_id", "connection_id", "partner_id", "currency", "month")
SUMMED = ("actions", "opened", *(f"{flow}_{what}" for flow in FLOWS for what in ("amount", "payout")))
"""Columns of ``month_sum`` that add up."""

FIRST = """
left join lateral (
    select u.old_amount, u.old_payout from action_update u where u.action_id = a.id order by u.id limit 1
) f on true
"""
"""What an action ``a`` was before its first change."""

FIRST_AMOUNT = "coalesce(f.old_amount, a.amount)"
FIRST_PAYOUT = "coalesce(case when f.old_amount is null then a.payout else f.old_payout end, 0)"
KIND = """
case when u.old_state = 'PENDING' and u.new_state = 'REVERSED' then 'reversed'
     when u.old_state = 'PENDING' and u.new_state = 'APPROVED' then 'locked' else 'modified' end
"""
OPENED = "(u.new_state = 'PENDING')::int - (u.old_state = 'PENDING')::int"
AMOUNT = """
case when u.new_state = 'PENDING' then u.new_amount else 0 end
    - case when u.old_state = 'PENDING' then u.old_amount else 0 end
"""
PAYOUT = """
case when u.new_state = 'PENDING' then coalesce(u.new_payout, 0) else 0 end
    - case when u.old_state = 'PENDING' then coalesce(u.old_payout, 0) else 0 end
"""
_MOVEMENTS = f"""
select {{connection}} as connection_id, a.partner_id, a.currency, a.id as action_id, a.received_at as at,
       'new' as kind, 1 as opened, {FIRST_AMOUNT} as amount, {FIRST_PAYOUT} as payout
from action a {{submission}} {FIRST}
where a.program_id = {{program}} and {{actions}}
union all
select {{connection}}, a.partner_id, a.currency, a.id, u.received_at, {KIND}, {OPENED}, {AMOUNT}, {PAYOUT}
from action_update u join action a on a.id = u.action_id {{submission}}
where a.program_id = {{program}} and {{updates}}
"""
_OF_CONNECTIONS = {
    "connection": "s.connection_id",
    "submission": "left join submission s on s.id = a.submission_id",
}
_TOGETHER = {"connection": "null::bigint", "submission": ""}
_AFTER = {
    "program": "%(program)s",
    "actions": "a.id > %(last_action)s",
    "updates": "u.id > %(last_update)s",
}
_OUT_OF = ("reversed", "locked")


def _summed(movements: str, program: str, zone: str) -> str:
    flows = ", ".join(
        f"coalesce(sum({'-' if flow in _OUT_OF else ''} {what}) filter (where kind = '{flow}'), 0) as {flow}_{what}"
        for flow in FLOWS
        for what in ("amount", "payout")
    )
    return f"""
        select {program}::bigint as program_id, connection_id, partner_id, currency,
               date_trunc('month', at at time zone {zone})::date as month,
               count(*) filter (where kind = 'new') as actions, sum(opened)::bigint as opened, {flows},
               min(action_id) as first_action, max(action_id) as last_action
        from ({movements}) movement group by connection_id, partner_id, currency, 5
    """


NEWER = _summed(_MOVEMENTS.format(**_OF_CONNECTIONS, **_AFTER), "%(program)s", "%(zone)s")
"""Movements of a program after two numbers, as ``month_sum`` has them."""

NEWER_TOGETHER = _summed(_MOVEMENTS.format(**_TOGETHER, **_AFTER), "%(program)s", "%(zone)s")
"""The same for all connections together, for whoever sees every one."""

KNOWN = _summed(
    _MOVEMENTS.format(
        **_OF_CONNECTIONS, program="k.program_id", actions="a.id <= k.last_action", updates="u.id <= k.last_update"
    ),
    "k.program_id",
    "k.time_zone",
)
"""All that ``month_sum`` has to have, worked out again; ``k`` is the mark of a program."""

MARK = b"""
select coalesce(k.last_action, 0) as last_action, coalesce(k.last_update, 0) as last_update
from program p left join month_sum_mark k on k.program_id = p.id and k.time_zone = p.time_zone
where p.id = %(program)s
"""
"""The last numbers that the sums of a program know; 0 where there are none, or by the months of another time zone."""
