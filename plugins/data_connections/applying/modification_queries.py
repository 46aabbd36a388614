"""The SQL that finds the action which each row of a modifications file means, and refuses rows that mean none.

``located`` has a row for each instruction, with the action as the ledger has it; ``item_now`` the items of the actions.
"""

from __future__ import annotations

COUNTS_AT = "greatest({received_at}, a.received_at, a.updated_at, a.locked_at)"
"""When a change counts: when it was received, but not before its action and what happened to that earlier, so that
months gone by stay as they were reported, in whatever order files were applied."""
_INSTRUCTION = """
    s.line, {sku} as sku, {category} as category, {amount} as given_amount, {quantity}::numeric as given_quantity,
    {customer_status} as given_status, {reason} as reason, {disposition_code} as disposition,
    null::integer as item_number, a.id as action_id, a.occurrence, a.event_type_id, a.partner_id, a.event_at,
    a.currency, a.state, a.amount, a.payout, a.term_id, a.locks_at, a.locked_by, a.modifications, a.updated_by,
    {counts_at} as counts_at, {status_before} as customer_status,
    coalesce(r.effect, case when upper({reason}) = 'APPROVED' then 'approve'
                            when upper({reason}) = any({reasons}) then 'modify' end) as reason_effect,
    coalesce(d.effect, case when upper({disposition_code}) = 'APPROVED' then 'approve'
                            when upper({disposition_code}) = any({dispositions}) then 'reverse' end)
        as disposition_effect,
    case when {campaign_id} <> {program_id} then 'CAMPAIGN_NOT_FOUND'
"""
_REASONS = """
    left join reason_code r on r.event_type_id = a.event_type_id and upper(r.code) = upper({reason}) and r.active
    left join reason_code d
      on d.event_type_id = a.event_type_id and upper(d.code) = upper({disposition_code}) and d.active
"""
BY_ORDER = f"""
select {_INSTRUCTION}
         when e.id is null then 'ACTIONTRACKER_NOT_FOUND'
         when a.id is null then 'ACTION_NOT_FOUND'
         when upper({{currency_code}}) <> a.currency then 'CURRENCY_MISMATCH' end
       as found_code
from {{rows}} s
left join event_type e on e.id = {{action_tracker_id}} and e.program_id = {{program_id}}
left join action a on a.event_type_id = e.id and a.order_id = {{order_id}} and a.withdrawn_at is null {_REASONS}
where s.outcome = 0 and {{action_id}} is null
"""
BY_ID = f"""
select {_INSTRUCTION}
         when a.id is null or {{order_id}} <> a.order_id or {{action_tracker_id}} <> a.event_type_id
              or ({{action_id}} !~ '^[0-9]+$' and {{action_id}} <> public_id(a)) then 'ACTION_NOT_FOUND'
         when upper({{currency_code}}) <> a.currency then 'CURRENCY_MISMATCH' end
       as found_code
from {{rows}} s
left join action a on a.id = substring({{action_id}} from '[0-9]+$')::bigint and a.program_id = {{program_id}}
                  and a.withdrawn_at is null
{_REASONS}
where s.outcome = 0 and {{action_id}} is not null
"""
LOCATE = """
create temporary table located on commit drop as
select f.*,
       case when 'approve' in (reason_effect, disposition_effect) then 'approve'
            when 'reverse' in (reason_effect, disposition_effect) then 'reverse' else 'modify' end as effect,
       coalesce(found_code, case when (reason is not null and reason_effect is null)
                                      or (disposition is not null and disposition_effect is null)
                                 then 'REASON_NOT_FOUND' end) as code
from ({found}) f
"""

HAS_OLDER = "select line from located where occurrence > 1 limit 1"
LEAVE_NEWEST = "delete from located o using located n where n.line = o.line and n.occurrence > o.occurrence"

HAS_UPDATED = "select line from located where updated_by is not null limit 1"
MARK_SUPERSEDED = """
update located l set code = 'SUPERSEDED'
from submission later left join submission own on own.id = {submission}
where l.code is null and later.id = l.updated_by and later.id <> {submission}
  and case when later.connection_id = coalesce(own.connection_id, {connection_id})
           then (later.turn, later.number) > (own.turn, own.number)
           else later.received_at > {received_at} end
"""
FIND_ITEMS = """
create temporary table item_now on commit drop as
select i.action_id, i.number, i.sku, i.category, i.quantity, i.amount, i.payout, i.term_id, i.reversed_quantity,
       i.reversed_amount, t.percent, t.fixed, false as changed
from action_item i left join contract_term t on t.id = i.term_id
where i.action_id in (select action_id from located where code is null)
"""
HAS_ITEMS = "select number from item_now limit 1"
HAS_SKUS = "select line from located where sku is not null and code is null limit 1"
FIND_SKUS = """
update located l
set item_number = f.number,
    code = case f.items when 1 then null when 0 then 'NO_ITEM' else 'ITEM_AMBIGUOUS' end
from (
    select o.line, min(i.number) as number, count(i.number) as items
    from located o
    left join item_now i
      on i.action_id = o.action_id and i.sku = o.sku and (o.category is null or lower(i.category) = lower(o.category))
    where o.sku is not null and o.code is null group by o.line
) f where f.line = l.line
"""

USES_CURRENT_TERMS = "select id from program where id = {program_id} and modification_terms = 'current'"
CURRENT_KEYS = """
select l.*, ({received_at} at time zone (select time_zone from program where id = {program_id}))::date as day
from (
    select distinct {program_id}::bigint as program_id, l.partner_id, l.event_type_id,
           lower(a.extra ->> 'Category') as category, l.currency
    from located l join action a on a.id = l.action_id where l.code is null and l.term_id is not null
    union
    select {program_id}, l.partner_id, l.event_type_id, lower(i.category), l.currency
    from located l join item_now i on i.action_id = l.action_id where l.code is null and i.term_id is not null
) l
"""
USE_CURRENT_TERMS = """
update item_now i
set term_id = t.term_id, percent = t.percent, fixed = t.fixed
from located l join term_of t
  on t.partner_id = l.partner_id and t.event_type_id = l.event_type_id and t.currency = l.currency
where i.action_id = l.action_id and i.term_id is not null and t.category is not distinct from lower(i.category);
update located l
set term_id = t.term_id, code = case when t.term_id is null then 'CONTRACT_NOT_FOUND' end
from action a, term_of t
where l.code is null and l.term_id is not null and a.id = l.action_id and t.partner_id = l.partner_id
  and t.event_type_id = l.event_type_id and t.currency = l.currency
  and t.category is not distinct from lower(a.extra ->> 'Category')
  and not exists (select from item_now i where i.action_id = l.action_id);
update located l set code = 'CONTRACT_NOT_FOUND'
where l.code is null and exists (
    select from item_now i where i.action_id = l.action_id and i.payout is not null and i.term_id is null
)
"""

REJECT_LOCATED = """
insert into verdict (line, outcome, code, column_name, message)
select l.line,
       case when l.code = 'ACTION_NOT_FOUND' and {holds} and {action_id} is null then 'held' else 'rejected' end,
       l.code,
       case l.code when 'CAMPAIGN_NOT_FOUND' then 'CampaignId' when 'ACTIONTRACKER_NOT_FOUND' then 'ActionTrackerId'
                   when 'ACTION_NOT_FOUND' then case when {action_id} is null then 'OrderId' else 'ActionId' end
                   when 'CURRENCY_MISMATCH' then 'CurrencyCode' when 'NO_ITEM' then 'Sku'
                   when 'ITEM_AMBIGUOUS' then 'Sku'
                   when 'REASON_NOT_FOUND' then case when l.reason is not null and l.reason_effect is null then 'Reason'
                                                     else 'DispositionCode' end end,
       case l.code
           when 'CAMPAIGN_NOT_FOUND' then format('CampaignId %s is not the program of this connection.', {campaign_id})
           when 'ACTIONTRACKER_NOT_FOUND' then
               format('ActionTrackerId:ActionTrackerId value is invalid. The program has no event type %s.',
                      {action_tracker_id})
           when 'ACTION_NOT_FOUND' then
               case when {action_id} is null then
                        format('There is no action of the order %s and the event type %s.', {order_id},
                               {action_tracker_id}) || case when {holds} then {until_it_comes} else '' end
                    when l.action_id is null then format('There is no action %s in this program.', {action_id})
                    else format('The action %s is not the one that the other columns name.', {action_id}) end
           when 'CURRENCY_MISMATCH' then
               format('The action is in %s, and nothing is converted. Give the amount in %1$s.', l.currency)
           when 'REASON_NOT_FOUND' then
               format('%s is no code of this event type.',
                      case when l.reason is not null and l.reason_effect is null then l.reason else l.disposition end)
           when 'SUPERSEDED' then
               format('The action was changed since, by submission %s. Send what it is to be now.', l.updated_by)
           when 'CONTRACT_NOT_FOUND' then
               format('No contract with the partner %s pays for this on the day on which the file was received.',
                      l.partner_id)
           when 'NO_ITEM' then format('The action has no item with the Sku %s%s.', l.sku,
                                      coalesce(' in the category ' || l.category, ''))
           else format('The action has several items with the Sku %s. Name the Category too.', l.sku) end
from located l join {rows} s on s.line = l.line where l.code is not null
"""
