"""Withdrawing a submission: what it did to actions is undone, where nothing stands in the way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from data_connections.ledger.database import LedgerConnection


def plan_withdrawal(connection: LedgerConnection, submission_id: int, now: datetime) -> list[dict[str, Any]]:
    """Work out what withdrawing would do to each action that a submission made or changed.

    Leaves the plan in the temporary table ``undoing`` for the rest of the transaction.

    Returns:
        ``action_id``, ``public_id``, ``order_id``, ``currency``, ``made`` (the submission made it), ``state``,
        ``amount`` now, ``old_state``, ``old_amount`` afterwards, and ``obstacle``: why it cannot be undone, or None.
    """
    connection.execute(_PLAN, {"id": submission_id, "now": now})
    return connection.execute(b"select * from undoing order by action_id").fetchall()


def undo(connection: LedgerConnection, submission_id: int, now: datetime, who: str) -> int:
    """Carry out the plan of ``plan_withdrawal``, each action with an update of its own; return how many it were."""
    parameters = {"id": submission_id, "now": now, "reason": f"Withdrawn by {who}"}
    for statement in (_RECORD, _UNDO_ITEMS, _REVERSE_ITEMS, _DROP_HELD):
        connection.execute(statement, parameters)
    done = connection.execute(_UNDO_ACTIONS, parameters).rowcount
    for statement in (_REJECT_HELD, _MOVE_TOTALS, _END):
        connection.execute(statement, {**parameters, "who": who})
    return done


_PLAN = b"""
    create temporary table undoing on commit drop as
    with touched as (
        select a.id as action_id, true as made, null::bigint as first_update, null::bigint as last_update
        from action a where a.submission_id = %(id)s and a.withdrawn_at is null
        union all
        select u.action_id, false, min(u.id), max(u.id) from action_update u
        join action a on a.id = u.action_id and a.submission_id <> %(id)s
        where u.submission_id = %(id)s group by u.action_id
    )
    select t.action_id, public_id(a) as public_id, a.order_id, a.currency, t.made, a.state, a.amount, a.payout,
           t.last_update,
           case when t.made then 'REVERSED' else f.old_state end as old_state,
           case when t.made then 0 else f.old_amount end as old_amount,
           case when t.made then case when a.payout is null then null else 0 end else f.old_payout end as old_payout,
           f.old_customer_status, l.new_customer_status, f.id as first_update,
           case when a.locked_at is not null then 'It is approved.'
                when a.locks_at <= %(now)s then 'Its locking date has passed.'
                when w.id is not null then 'It was withdrawn before.'
                when later.submission_id is not null then
                    'Submission ' || later.submission_id || ' changed it since.' end as obstacle
    from touched t join action a on a.id = t.action_id
    left join action_update f on f.id = t.first_update
    left join action_update l on l.id = t.last_update
    left join lateral (
        select u.submission_id from action_update u
        where u.action_id = t.action_id and u.submission_id <> %(id)s
          and u.id > coalesce(t.last_update, 0)
          and not exists (select from action_update x where x.withdraws_id = u.id)
        order by u.id desc limit 1
    ) later on true
    left join action_update w on w.withdraws_id = t.last_update
"""
_RECORD = b"""
    insert into action_update (action_id, kind, received_at, reason, old_state, new_state, old_amount, new_amount,
                               old_payout, new_payout, old_customer_status, new_customer_status, currency, withdraws_id)
    select action_id, 'withdrawn', %(now)s, %(reason)s, state, old_state, amount, old_amount, payout, old_payout,
           new_customer_status, old_customer_status, currency, last_update
    from undoing where obstacle is null
"""
_UNDO_ITEMS = b"""
    with first as (
        select distinct on (u.action_id, i.number) u.action_id, i.number, i.old_quantity, i.old_amount, i.old_payout
        from undoing p join action_update u on u.action_id = p.action_id and u.submission_id = %(id)s
        join action_item_update i on i.update_id = u.id
        where p.obstacle is null and not p.made order by u.action_id, i.number, u.id
    ), recorded as (
        insert into action_item_update (update_id, number, old_quantity, new_quantity, old_amount, new_amount,
                                        old_payout, new_payout)
        select u.id, f.number, i.quantity, f.old_quantity, i.amount, f.old_amount, i.payout, f.old_payout
        from first f join action_item i on i.action_id = f.action_id and i.number = f.number
        join (select action_id, max(id) as id from action_update where kind = 'withdrawn' group by action_id) u
          on u.action_id = f.action_id
    )
    update action_item i
    set quantity = f.old_quantity, amount = f.old_amount, payout = f.old_payout,
        reversed_quantity = case when f.old_amount = 0 and coalesce(f.old_quantity, 0) = 0 then i.reversed_quantity end,
        reversed_amount = case when f.old_amount = 0 and coalesce(f.old_quantity, 0) = 0 then i.reversed_amount end
    from first f where i.action_id = f.action_id and i.number = f.number
"""
_REVERSE_ITEMS = b"""
    with gone as (
        select i.action_id, i.number, i.quantity, i.amount, i.payout
        from undoing p join action_item i on i.action_id = p.action_id where p.obstacle is null and p.made
    ), recorded as (
        insert into action_item_update (update_id, number, old_quantity, new_quantity, old_amount, new_amount,
                                        old_payout, new_payout)
        select u.id, g.number, g.quantity, 0, g.amount, 0, g.payout, case when g.payout is null then null else 0 end
        from gone g join (
            select action_id, max(id) as id from action_update where kind = 'withdrawn' group by action_id
        ) u on u.action_id = g.action_id
    )
    update action_item i
    set quantity = 0, amount = 0, payout = case when i.payout is null then null else 0 end
    from gone g where i.action_id = g.action_id and i.number = g.number
"""
_UNDO_ACTIONS = b"""
    update action a
    set state = p.old_state, amount = p.old_amount, payout = p.old_payout,
        updated_at = %(now)s, updated_by = before.submission_id,
        withdrawn_at = case when p.made then %(now)s end,
        extra = case when p.old_customer_status is distinct from p.new_customer_status
                     then nullif(jsonb_strip_nulls(coalesce(a.extra, '{}')
                                 || jsonb_build_object('CustomerStatus', p.old_customer_status)), '{}')
                     else a.extra end
    from undoing p left join lateral (
        select u.submission_id from action_update u
        where u.action_id = p.action_id and u.id < p.first_update and u.submission_id is not null
          and not exists (select from action_update x where x.withdraws_id = u.id)
        order by u.id desc limit 1
    ) before on true
    where p.obstacle is null and a.id = p.action_id
"""
_DROP_HELD = b"""
    create temporary table no_longer_held on commit drop as
    with gone as (delete from held_row where submission_id = %(id)s returning line, staged) select * from gone
"""
_REJECT_HELD = b"""
    update outcome o
    set outcome = 'rejected', code = 'WITHDRAWN', message = %(reason)s || ' while it was held.'
    from no_longer_held n where o.submission_id = %(id)s and o.line = n.line and o.outcome = 'held'
"""
_MOVE_TOTALS = b"""
    with held as (
        delete from submission_total where submission_id = %(id)s and outcome = 'held'
        returning currency, rows, quantity, amount
    )
    insert into submission_total (submission_id, outcome, currency, rows, quantity, amount)
    select %(id)s, 'rejected', currency, rows, quantity, amount from held
    on conflict (submission_id, outcome, currency) do update
    set rows = submission_total.rows + excluded.rows, quantity = submission_total.quantity + excluded.quantity,
        amount = submission_total.amount + excluded.amount
"""
_END = b"""
    update submission set withdrawn_at = %(now)s, withdrawn_by = %(who)s, rejected = rejected + held, held = 0
    where id = %(id)s
"""
