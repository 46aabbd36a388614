"""The SQL that finds orders that nobody may earn for, whoever brought them; ``s`` and ``r`` as in conversions."""

from __future__ import annotations

HAS_RULES = """
select event_type_id from resolved
where code is null and (blocked_addresses <> '{{}}' or blocked_promo_codes <> '{{}}' or customer_statuses <> '{{}}')
limit 1
"""
REJECT_UNWANTED = """
insert into verdict (line, outcome, code, column_name, message)
with judged as (
    select s.line, r.event_type_id, {order_id} as order_id, r.customer_statuses,
           case when as_address({ip_address}) <<= any (r.blocked_addresses::inet[]) then 'BLACKLISTED_SOURCE_IP'
                when lower({order_promo_code}) = any (r.blocked_promo_codes) then 'BLOCKED_BY_PROMOCODE'
                when r.customer_statuses <> '{{}}'
                     and not coalesce(upper({customer_status}) = any (r.customer_statuses), false)
                    then 'CREDITING_RULE_MISMATCH' end as code
    from {open}
)
select j.line, 'rejected', f.code,
       case f.code when 'BLACKLISTED_SOURCE_IP' then 'IpAddress' when 'BLOCKED_BY_PROMOCODE' then 'OrderPromoCode'
                   else 'CustomerStatus' end,
       case f.code
           when 'BLACKLISTED_SOURCE_IP' then 'The order came from an address from which the program takes no orders.'
           when 'BLOCKED_BY_PROMOCODE' then 'The program pays nobody for orders with this promo code.'
           else format('The event type pays only for customers of the status %s.',
                       array_to_string(j.customer_statuses, ' or ')) end
from judged j join (
    select event_type_id, order_id, min(code) as code from judged where code is not null group by 1, 2
) f using (event_type_id, order_id)
"""

HAS_MOST = "select event_type_id from resolved where code is null and most_per_customer is not null limit 1"
REJECT_RECURRING = """
insert into verdict (line, outcome, code, column_name, message)
select n.line, 'rejected', 'MAX_RECURRENCES_REACHED', 'CustomerId',
       format('The event type pays for %s actions of one customer, and this would be one more.', n.most)
from (
    select o.*, dense_rank() over (partition by o.event_type_id, o.customer_id order by o.first_line) as nth
    from (
        select s.line, r.event_type_id, r.most_per_customer as most, {customer_id} as customer_id,
               min(s.line) over (partition by r.event_type_id, {order_id}) as first_line
        from {open} and r.most_per_customer is not null and {customer_id} is not null
    ) o
) n
left join (
    select a.event_type_id, a.customer_id, count(*) as actions from action a
    where a.event_type_id in (select event_type_id from resolved where most_per_customer is not null)
      and a.customer_id in (select {customer_id} from {rows} s)
      and a.withdrawn_at is null and a.state <> 'REVERSED'
    group by 1, 2
) k on k.event_type_id = n.event_type_id and k.customer_id = n.customer_id
where coalesce(k.actions, 0) + n.nth > n.most
"""
