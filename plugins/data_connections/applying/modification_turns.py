"""The SQL that works out what modifications make of actions, and writes it.

Where several rows are for one action, ``turn`` numbers them, and every turn is one set: the first rows of all actions,
then the second rows, and so on. ``step`` is what became of each row, ``item_step`` of each item that it touched. Names
that begin with ``now_`` are the action's values when a row's turn has come.
"""

from __future__ import annotations

HAS_REPEATED = "select action_id from located where code is null group by action_id having count(*) > 1 limit 1"
NUMBER_TURNS = """
create temporary table turn on commit drop as
select line, row_number() over (partition by action_id order by line)::integer as number
from located where code is null
"""
LAST_TURN = "select coalesce(max(number), 0) as number from turn"

CREATE_STEPS = """
create temporary table step (
    line bigint, turn integer, action_id bigint, code text, kind text, old_state text, new_state text,
    old_amount numeric, new_amount numeric, old_payout numeric, new_payout numeric, old_status text, new_status text,
    modifications integer, locked_by text, term_id bigint
) on commit drop;
create temporary table item_step (
    line bigint, action_id bigint, number integer, old_quantity numeric, new_quantity numeric, old_amount numeric,
    new_amount numeric, old_payout numeric, new_payout numeric, reversed_quantity numeric, reversed_amount numeric
) on commit drop
"""

ONLY_TURN = """
    select l.*, 1 as turn, l.state as now_state, l.amount as now_amount, l.payout as now_payout,
           l.customer_status as now_status, l.modifications as now_modifications, l.locked_by as now_locked_by
    from located l where l.code is null
"""
FIRST_TURN = ONLY_TURN + " and l.line in (select t.line from turn t where t.number = 1)"
NEXT_TURN = """
    select l.*, p.turn + 1 as turn, p.new_state as now_state, p.new_amount as now_amount, p.new_payout as now_payout,
           p.new_status as now_status, p.modifications as now_modifications, p.locked_by as now_locked_by
    from turn t join located l on l.line = t.line
    join step p on p.action_id = l.action_id and p.turn = t.number - 1
    where t.number = {turn}
"""

# An item that is reversed remembers what it was, so that it can be restored at its price; a new total of a whole order
# is shared out over its items by what they are worth, and the last of them takes what rounding leaves.
PLAN_ITEMS = """
insert into item_step
select line, action_id, number, quantity, new_quantity, amount, new_amount, payout,
       case when payout is null then null
            when new_amount = 0 and coalesce(new_quantity, 0) = 0 then 0
            when percent is not null then round(new_amount * percent / 100, 2) else fixed end,
       case when gone and not is_gone then quantity when gone then reversed_quantity end,
       case when gone and not is_gone then amount when gone then reversed_amount end
from (
    select g.*, new_amount = 0 and coalesce(new_quantity, 0) = 0 as gone,
           amount = 0 and coalesce(quantity, 0) = 0 as is_gone
    from (
        select line, action_id, number, quantity, amount, payout, percent, fixed, reversed_quantity, reversed_amount,
               case when is_reversal then case when quantity is null then null else 0 end
                    when item_number is not null then
                        coalesce(given_quantity, case when given_amount > 0 and quantity = 0 then base_quantity
                                                      else quantity end)
                    else base_quantity end as new_quantity,
               case when is_reversal then 0
                    when item_number is not null then
                        coalesce(given_amount, case when base_quantity > 0
                                                    then round(base_amount / base_quantity * given_quantity, 2)
                                                    else amount end)
                    when base_total = 0 then null
                    when number = last_worth then
                        given_amount - coalesce(sum(round(given_amount * base_amount / base_total, 2))
                                                filter (where number <> last_worth) over (partition by line), 0)
                    else round(given_amount * base_amount / base_total, 2) end as new_amount
        from (
            select b.*, sum(base_amount) over orders as base_total,
                   max(number) filter (where base_amount > 0) over orders as last_worth
            from (
                select c.line, c.action_id, c.item_number, c.given_amount, c.given_quantity, i.number, i.quantity,
                       i.amount, i.payout, i.percent, i.fixed, i.reversed_quantity, i.reversed_amount,
                       c.effect = 'reverse' or (c.item_number is null and c.given_amount = 0)
                           or (c.item_number is not null and c.given_quantity = 0) as is_reversal,
                       case when c.now_state = 'REVERSED' or (c.item_number is not null and i.quantity = 0)
                            then coalesce(i.reversed_quantity, i.quantity) else i.quantity end as base_quantity,
                       case when c.now_state = 'REVERSED' or (c.item_number is not null and i.quantity = 0)
                            then coalesce(i.reversed_amount, i.amount) else i.amount end as base_amount
                from ({current}) c join item_now i on i.action_id = c.action_id
                where case when c.item_number is not null then c.item_number = i.number
                           when c.effect = 'modify' and c.given_amount = 0 then c.now_amount <> 0
                           when c.effect = 'modify' then c.given_amount is not null
                           when c.effect = 'approve' then c.given_amount <> c.now_amount
                           else true end
            ) b
            window orders as (partition by line)
        ) w
    ) g
) h
"""
TOTALS = """
left join (
    select c.line, sum(coalesce(p.new_amount, i.amount)) as total, sum(coalesce(p.new_payout, i.payout)) as payout,
           bool_or(p.line is not null and p.new_amount is null) as cannot_share,
           coalesce(bool_or((p.new_quantity, p.new_amount) is distinct from (i.quantity, i.amount))
                    filter (where p.line is not null), false) as changed
    from ({current}) c join item_now i on i.action_id = c.action_id
    left join item_step p on p.line = c.line and p.number = i.number
    group by c.line
) t on t.line = c.line
"""
WITHOUT_TOTALS = """
cross join (select null::numeric as total, null::numeric as payout, false as cannot_share, false as changed) t
"""

TAKE_TURN = """
insert into step
select line, turn, action_id, code,
       case when effect = 'approve' then 'approved'
            when new_state = 'REVERSED' and now_state <> 'REVERSED' then 'reversed'
            when now_state = 'REVERSED' and new_state <> 'REVERSED' then 'restored' else 'modified' end,
       now_state, new_state, now_amount, new_amount, now_payout,
       case when code is not null then now_payout
            when is_itemised then item_payout
            when now_payout is null then null
            when new_state = 'REVERSED' then 0
            when percent is not null then round(new_amount * percent / 100, 2) else fixed end,
       now_status, new_status, now_modifications + case when code is null then 1 else 0 end,
       case when code is not null then now_locked_by when effect = 'approve' then 'file'
            when new_state = 'APPROVED' then now_locked_by end,
       term_id
from (
    select j.*,
           case when code is not null then now_state
                when effect = 'approve' then 'APPROVED'
                when target = 0 and (effect = 'reverse' and item_number is null or now_amount <> 0) then 'REVERSED'
                when now_state = 'REVERSED' then 'PENDING'
                else now_state end as new_state,
           case when code is null then target else now_amount end as new_amount,
           case when code is null then coalesce(given_status, now_status) else now_status end as new_status
    from (
        select k.*,
               case when effect = 'approve' and now_state = 'APPROVED' then 'ALREADY_APPROVED'
                    when locks_at <= {received_at} then 'ALREADY_LOCKED'
                    when now_locked_by = 'file' then 'ALREADY_APPROVED'
                    when now_state = 'REVERSED' and (effect <> 'modify' or target = 0) then 'ALREADY_REVERSED'
                    when now_modifications >= {most} then 'TOO_MANY_MODIFICATIONS'
                    when effect = 'reverse' and (given_amount > 0 or given_quantity > 0) then 'CONTRADICTION'
                    when effect = 'approve' and (item_number is not null or (given_amount = 0 and now_amount > 0))
                        then 'CONTRADICTION'
                    when given_quantity = 0 and given_amount > 0 then 'CONTRADICTION'
                    when cannot_share then 'NO_ITEM'
                    when effect = 'modify' and target = now_amount and not changed
                         and coalesce(given_status, '') in ('', coalesce(now_status, ''))
                         and (item_number is not null or given_amount is distinct from 0) then 'NO_CHANGE'
                    when effect = 'reverse' and item_number is not null and not changed then 'ALREADY_REVERSED' end
                   as code
        from (
            select {instruction}, {rates}, t.total is not null as is_itemised, t.payout as item_payout,
                   coalesce(t.cannot_share, false) as cannot_share, coalesce(t.changed, false) as changed,
                   case when t.total is not null then t.total
                        when c.effect = 'reverse' then 0 else coalesce(c.given_amount, c.now_amount) end as target
            from ({current}) c {totals} {terms}
        ) k
    ) j
) f
"""
INSTRUCTION = """
    c.line, c.turn, c.action_id, c.effect, c.item_number, c.given_amount, c.given_quantity, c.given_status, c.locks_at,
    c.now_state, c.now_amount, c.now_payout, c.now_status, c.now_modifications, c.now_locked_by, c.term_id
"""
HAS_TERMS = "select line from located where term_id is not null limit 1"
WITHOUT_TERMS = "null::numeric as percent, null::numeric as fixed"
RATES = "o.percent, o.fixed"
TERMS = "left join contract_term o on o.id = c.term_id"

KEEP_ITEMS = """
update item_now i
set quantity = p.new_quantity, amount = p.new_amount, payout = p.new_payout, changed = true,
    reversed_quantity = p.reversed_quantity, reversed_amount = p.reversed_amount
from item_step p join step s on s.line = p.line
where i.action_id = p.action_id and i.number = p.number and s.turn = {turn} and s.code is null
"""

REJECT_STEPS = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'rejected', s.code,
       case s.code when 'NO_CHANGE' then 'Amount' when 'CONTRADICTION' then 'Amount' when 'NO_ITEM' then 'Sku' end,
       case s.code
           when 'NO_CHANGE' then
               format('Nothing would change: the action amounts to %s already. Write the final amount into Amount; 0 '
                      'reverses it.', s.old_amount)
           when 'ALREADY_LOCKED' then
               format('The action locked on %s and can no longer be changed.',
                      to_char(l.locks_at at time zone p.time_zone, 'YYYY-MM-DD'))
           when 'ALREADY_APPROVED' then 'The action has been approved already and can no longer be changed.'
           when 'ALREADY_REVERSED' then
               'It has been reversed already. To restore it, write the final amount into Amount.'
           when 'TOO_MANY_MODIFICATIONS' then
               format('The action was modified %s times, and no more are taken.', s.modifications)
           when 'NO_ITEM' then
               'The items of this action are all worth 0, so that a new total cannot be shared out. Send a line for '
               'each item.'
           else 'The code and the figures of this row do not fit each other: one reverses or approves, the other does '
                'not. Send one of them.' end
from step s join located l using (line)
cross join (select time_zone from program where id = {program_id}) p
where s.code is not null
"""
WARN_OF_ZERO = """
insert into remark (line, code, column_name, message)
select l.line, 'ZERO_ON_ZERO', 'Amount',
       'The action amounts to 0 already, so that an Amount of 0 modifies it and does not reverse it. To reverse it, '
       'send a DispositionCode such as REJECTED.'
from step s join located l using (line)
where s.code is null and l.effect = 'modify' and l.item_number is null and l.given_amount = 0 and s.old_amount = 0
"""

WARN_OF_LOCKING = """
insert into remark (line, code, column_name, message)
select l.line, 'LOCKS_BEFORE_NEXT_RUN', null,
       case when l.locked_by is null
            then format('The action''s locking date, %s, comes before the next run of this connection after this file, '
                        '%s. What else is to be changed has to be received before it.',
                        to_char(l.locks_at at time zone p.time_zone, 'YYYY-MM-DD'),
                        to_char({next_run} at time zone p.time_zone, 'YYYY-MM-DD HH24:MI'))
            else format('The action is locked since its locking date, %s. This change counts, as it was received '
                        'before; what is received later does not.',
                        to_char(l.locks_at at time zone p.time_zone, 'YYYY-MM-DD')) end
from step s join located l using (line) cross join (select time_zone from program where id = {program_id}) p
where s.code is null and s.new_state <> 'APPROVED' and l.locks_at > {received_at} and l.locks_at <= {next_run}
"""

EFFECT = """
select state, currency, sum(actions)::bigint as count, sum(amount) as amount, sum(payout) as payout
from (
    (select distinct on (s.action_id) s.old_state as state, l.currency, -1 as actions, -s.old_amount as amount,
            -s.old_payout as payout
     from step s join located l using (line) where s.code is null order by s.action_id, s.turn)
    union all
    (select distinct on (s.action_id) s.new_state, l.currency, 1, s.new_amount, s.new_payout
     from step s join located l using (line) where s.code is null order by s.action_id, s.turn desc)
) moved group by 1, 2 having sum(actions) <> 0 or sum(amount) <> 0 or sum(payout) <> 0 order by 1, 2
"""

REVERSED_OF_PENDING = """
select (select count(*) from (
            select distinct on (s.action_id) s.action_id, s.new_state from step s order by s.action_id, s.turn desc
        ) f join action a on a.id = f.action_id where f.new_state = 'REVERSED' and a.state = 'PENDING') as reversed,
       (select count(*) from action a where a.program_id = {program_id} and a.state = 'PENDING') as pending
"""

MOVED_MONEY = """
select s.measured_currency as old, l.currency as new, count(*) as rows,
       coalesce(sum({quantity}), 0)::numeric as quantity, coalesce(sum(s.measured_amount), 0) as amount
from located l join {rows} s using (line)
where l.currency is not null and s.measured_currency <> l.currency and {currency_code} is null group by 1, 2
"""
MOVE_MONEY = """
update {rows} s set measured_currency = l.currency
from located l
where l.line = s.line and l.currency is not null and s.measured_currency <> l.currency and {currency_code} is null
"""

WRITE_UPDATES = """
with written as (
    insert into action_update (
        action_id, kind, received_at, submission_id, line, reason, disposition, old_state, new_state, old_amount,
        new_amount, old_payout, new_payout, old_customer_status, new_customer_status, given_amount, given_quantity,
        term_id, currency)
    select s.action_id, s.kind, l.counts_at, {submission}, s.line, l.reason, l.disposition, s.old_state, s.new_state,
           s.old_amount, s.new_amount, s.old_payout, s.new_payout, s.old_status, s.new_status, l.given_amount,
           l.given_quantity, s.term_id, l.currency
    from step s join located l on l.line = s.line where s.code is null order by s.line
    returning id, line, currency, given_amount, given_quantity
), items as (
    insert into action_item_update (
        update_id, number, old_quantity, new_quantity, old_amount, new_amount, old_payout, new_payout)
    select w.id, p.number, p.old_quantity, p.new_quantity, p.old_amount, p.new_amount, p.old_payout, p.new_payout
    from written w join item_step p on p.line = w.line
    where (p.old_quantity, p.old_amount) is distinct from (p.new_quantity, p.new_amount)
)
select currency, count(*) as rows, coalesce(sum(given_quantity), 0) as quantity,
       coalesce(sum(given_amount), 0) as amount
from written group by currency
"""
HAS_SECOND_TURN = "select line from step where turn = 2 limit 1"
LAST_STEPS = "select s.* from step s where s.code is null"
LAST_OF_SEVERAL = """
select distinct on (s.action_id) s.* from step s where s.code is null order by s.action_id, s.turn desc
"""
WRITE_ACTIONS = """
update action a
set state = s.new_state, amount = s.new_amount, payout = s.new_payout, modifications = s.modifications,
    updated_at = {counts_at}, updated_by = {submission}, term_id = s.term_id, locked_by = s.locked_by,
    locked_at = case when s.locked_by is null then null else coalesce(a.locked_at, {counts_at}) end,
    extra = case when s.new_status is distinct from {status_before}
                 then coalesce(a.extra, jsonb_build_object()) || jsonb_build_object('CustomerStatus', s.new_status)
                 else a.extra end
from ({last_steps}) s where a.id = s.action_id
"""
WRITE_ITEMS = """
update action_item i
set quantity = n.quantity, amount = n.amount, payout = n.payout, term_id = n.term_id,
    reversed_quantity = n.reversed_quantity, reversed_amount = n.reversed_amount
from item_now n where n.changed and i.action_id = n.action_id and i.number = n.number
"""
