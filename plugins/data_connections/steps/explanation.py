"""The story of an action: how it came, who earns for it and why, and every change since."""

from __future__ import annotations

import re
from typing import Any

from data_connections.errors import UnknownName
from data_connections.ledger import Ledger
from data_connections.ledger.database import LedgerConnection

_PUBLIC_ID = re.compile(r"M?(?:\d{1,18}\.\d{1,18}\.)?(\d{1,18})")
MOST = 100
_MOST_HELD = 10


def explain(ledger: Ledger, name: str, *, program: str | None = None) -> list[dict[str, Any]]:
    """Return the actions that a name means, the oldest first and at most ``MOST``, each with its ``timeline``.

    A name may be an ActionId, an OrderId and a CustomerId at once, such as a number: ``named_by`` says which of them.

    Args:
        ledger: The ledger.
        name: ActionId as reports name it or its last number, OrderId or CustomerId.
        program: Key of the program, where several know the name.

    Raises:
        UnknownName: It is none of them; the message names rows that are held for it.
    """
    with ledger.connect() as connection:
        number = _PUBLIC_ID.fullmatch(name)
        parameters = {"name": name, "id": int(number[1]) if number else 0, "program": program, "most": MOST}
        found = connection.execute(_ACTIONS.replace(b"{way}", _BY_NAME), parameters).fetchall()
        if found:
            return [{**action, "timeline": _timeline(connection, action["id"])} for action in found]
        instead = _held(connection, name, program)
    raise UnknownName("action, order or customer", name, (), instead=instead)


def explain_action(ledger: Ledger, action_id: int) -> dict[str, Any]:
    """Return one action with its ``timeline``, and in ``earned`` what its payout is made of.

    Each line of ``earned`` is an item, or the whole action where it has none: ``sku``, ``category``, ``quantity``,
    ``amount``, ``percent`` or ``fixed`` of its term, ``contract``, ``starts``, ``payout``, and ``fits``: whether the
    payout is what the term gives for the amount.

    Raises:
        UnknownName: There is no such action.
    """
    with ledger.connect() as connection:
        parameters = {"name": str(action_id), "id": action_id, "program": None, "most": 1}
        action = connection.execute(_ACTIONS.replace(b"{way}", _BY_ID), parameters).fetchone()
        if action is None:
            raise UnknownName("action", str(action_id), (), instead="")
        earned = connection.execute(_EARNED_BY_ITEM if action["items"] else _EARNED, [action_id]).fetchall()
        return {**action, "timeline": _timeline(connection, action_id), "earned": earned}


def _held(connection: LedgerConnection, name: str, program: str | None) -> str:
    """Return a sentence about the held rows that name an order or a customer; empty where there are none."""
    rows = connection.execute(_HELD, {"name": name, "program": program, "most": _MOST_HELD}).fetchall()
    if not rows:
        return ""
    places = ", ".join(f"line {row['line']} of submission {row['submission_id']} ({row['code']})" for row in rows)
    return f"Held rows name it: {places}{', and more' if len(rows) == _MOST_HELD else ''}."


def _timeline(connection: LedgerConnection, action_id: int) -> list[dict[str, Any]]:
    events = connection.execute(_EVENTS, [action_id, action_id]).fetchall()
    items = connection.execute(_ITEMS, [action_id]).fetchall()
    for event in events:
        event["items"] = [
            {name: value for name, value in item.items() if name != "update_id"}
            for item in items
            if item["update_id"] == event["update_id"]
        ]
    return events


_BY_ID = b"a.id = %(id)s and (%(name)s ~ '^[0-9]+$' or public_id(a) = %(name)s)"
_BY_NAME = b"(" + b" or ".join((_BY_ID, b"a.order_id = %(name)s", b"a.customer_id = %(name)s")) + b")"

_ACTIONS = b"""
    select a.id, public_id(a) as public_id, p.key as program, t.name as event_type, a.order_id, a.occurrence,
           a.customer_id, a.state, a.amount, a.payout, a.currency, a.event_at, a.received_at, a.locks_at, a.locked_at,
           a.locked_by, a.withdrawn_at, a.partner_id, n.name as partner, a.attributed_by, a.promo_code, a.click_id,
           a.media_id, parent.id as parent_id, a.modifications, p.time_zone,
           case t.locking_after
               when 'event' then t.locking_days || ' days after the event'
               when 'month_end' then t.locking_months || ' months and ' || t.locking_days || ' days after the month'
               else 'approval, or ' || t.locking_days || ' days after the event' end as locking_policy,
           c.name as contract, m.percent, m.fixed, m.category as term_category, m.starts as term_starts,
           (select count(*) from action_item i where i.action_id = a.id) as items,
           case when a.order_id = %(name)s then 'order' when a.customer_id = %(name)s then 'customer'
                else 'action' end as named_by
    from action a join program p on p.id = a.program_id join event_type t on t.id = a.event_type_id
    left join partner n on n.id = a.partner_id
    left join action parent on parent.id = a.parent_id
    left join contract_term m on m.id = a.term_id left join contract c on c.id = m.contract_id
    where {way} and (%(program)s::text is null or p.key = %(program)s)
    order by a.id limit %(most)s
"""
_EVENTS = b"""
    select null::bigint as update_id, 'created' as kind, a.received_at, s.finished_at as at, a.submission_id, a.line,
           s.file_name, c.name as connection, null as reason, null as disposition, null as old_state,
           'PENDING' as new_state, null::numeric as old_amount, coalesce(f.old_amount, a.amount) as new_amount,
           null::numeric as old_payout, coalesce(f.old_payout, a.payout) as new_payout
    from action a
    left join lateral (
        select old_amount, old_payout from action_update u where u.action_id = a.id order by u.id limit 1
    ) f on true
    left join submission s on s.id = a.submission_id left join connection c on c.id = s.connection_id
    where a.id = %s
    union all
    select * from (
        select u.id, u.kind, u.received_at, u.at, u.submission_id, u.line, s.file_name, c.name, u.reason, u.disposition,
               u.old_state, u.new_state, u.old_amount, u.new_amount, u.old_payout, u.new_payout
        from action_update u left join submission s on s.id = u.submission_id
        left join connection c on c.id = s.connection_id
        where u.action_id = %s order by u.id
    ) updates
"""
_ITEMS = b"""
    select i.update_id, i.number, n.sku, i.old_quantity, i.new_quantity, i.old_amount, i.new_amount, i.old_payout,
           i.new_payout
    from action_update u join action_item_update i on i.update_id = u.id
    join action_item n on n.action_id = u.action_id and n.number = i.number
    where u.action_id = %s order by u.id, i.number
"""
_HELD = b"""
    select submission_id, line, code from held_row
    where (staged ->> 'order_id' = %(name)s or staged ->> 'customer_id' = %(name)s)
      and (%(program)s::text is null or program = %(program)s)
    order by submission_id, line limit %(most)s
"""
_FITS = b"""
           case when {of}.payout is null then null
                when m.percent is not null then {of}.payout = round({of}.amount * m.percent / 100, 2)
                else {of}.payout in (0, m.fixed) end as fits
"""
_TERM = b"m.percent, m.fixed, m.category as term_category, m.starts, c.name as contract, {of}.payout,"
_EARNED_BY_ITEM = (
    b"""
    select i.number, i.sku, i.category, i.quantity, i.amount, {term} {fits}
    from action_item i left join contract_term m on m.id = i.term_id left join contract c on c.id = m.contract_id
    where i.action_id = %s order by i.number
""".replace(b"{term}", _TERM)
    .replace(b"{fits}", _FITS)
    .replace(b"{of}", b"i")
)
_EARNED = (
    b"""
    select null as number, null as sku, m.category, null as quantity, a.amount, {term} {fits}
    from action a left join contract_term m on m.id = a.term_id left join contract c on c.id = m.contract_id
    where a.id = %s
""".replace(b"{term}", _TERM)
    .replace(b"{fits}", _FITS)
    .replace(b"{of}", b"a")
)
