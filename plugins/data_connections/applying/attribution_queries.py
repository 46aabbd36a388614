"""The SQL that finds who earns for an order, and what: ``claim`` has each order's partner, ``priced`` the payouts.

``s`` is the staged row and ``r`` its event type, as in the SQL of conversions.
"""

from __future__ import annotations

HAS_CONTRACTS = """
select c.id from contract c join program p on p.id = c.program_id where p.key = {program} and c.active limit 1
"""
HAS_CHAINED = "select parent_type_id from resolved where code is null and parent_type_id is not null limit 1"

FIND_CLAIMS = """
create temporary table claim on commit drop as
select o.line, o.event_type_id, o.order_id,
       coalesce(o.media_partner_id, m.partner_id, k.partner_id, pc.partner_id, parent.partner_id) as partner_id,
       case when o.media_partner_id is not null then 'partner' when m.partner_id is not null then 'media'
            when k.partner_id is not null then 'click' when pc.partner_id is not null then 'promo_code'
            when parent.partner_id is not null then 'parent' end as attributed_by,
       parent.id as parent_id,
       case when o.media_partner_id is null and m.partner_id is null then null
            when k.partner_id <> coalesce(o.media_partner_id, m.partner_id) then 'ClickId' end as passed_over,
       case when o.parent_type_id is not null and o.customer_id is null then 'NO_VALID_ACTION_REF'
            when o.parent_type_id is not null and parent.id is null then 'ACTION_REF_NOT_FOUND'
            when not {has_contracts} then null
            when o.media_id is not null and m.partner_id is null then 'NO_VALID_REFERRAL'
            when p.id is null then 'NO_VALID_REFERRAL'
            when not p.active then 'PARTNER_NOT_ACTIVE'
            when o.accepts <> '{{}}' and not (
                     case when o.media_partner_id is not null then 'partner' when m.partner_id is not null then 'media'
                          when k.partner_id is not null then 'click' when pc.partner_id is not null then 'promo_code'
                          else 'parent' end = any (o.accepts)) then 'REFTYPE_NOT_ACCEPTED'
            when o.media_partner_id is null and m.partner_id is null
                 and k.clicked_at < o.event_at - make_interval(days => o.click_window_days)
                then 'OUTSIDE_ASSOCIATION_WINDOW'
            when pc.exclusive and pc.partner_id <> p.id then 'RESTRICTED_PROMOCODE' end as code
from (
    select distinct on (r.event_type_id, {order_id}) s.line, r.event_type_id, r.program_id, r.parent_type_id,
           r.accepts, r.click_window_days, {event_at} as event_at,
           {order_id} as order_id, {media_partner_id} as media_partner_id, {media_id} as media_id,
           {click_id} as click_id, lower({order_promo_code}) as promo_code, {customer_id} as customer_id
    from {open} order by r.event_type_id, {order_id}, s.line
) o
left join media m on m.id = o.media_id and m.active
left join {clicks} k on k.click_id = o.click_id
left join promo_code pc on pc.program_id = o.program_id and lower(pc.code) = o.promo_code and pc.active
left join {parents} parent on parent.event_type_id = o.parent_type_id and parent.customer_id = o.customer_id
left join partner p on p.id = coalesce(o.media_partner_id, m.partner_id, k.partner_id, pc.partner_id, parent.partner_id)
"""
CLICKS = """
(select distinct on (c.click_id) c.click_id, coalesce(c.media_partner_id, m.partner_id) as partner_id,
        c.event_date as clicked_at
 from click c left join media m on m.id = c.media_id and m.active
 where c.program_id in (select program_id from resolved) and c.click_id in (select {click_id} from {rows} s)
   and coalesce(c.media_partner_id, m.partner_id) is not null
 order by c.click_id, c.event_date desc)
"""
NO_CLICKS = """
(select null::text as click_id, null::bigint as partner_id, null::timestamptz as clicked_at where false)
"""
NO_PARENTS = """
(select null::bigint as id, null::bigint as event_type_id, null::text as customer_id, null::bigint as partner_id
 where false)
"""
PARENTS = """
(select distinct on (a.event_type_id, a.customer_id) a.id, a.event_type_id, a.customer_id, a.partner_id
 from action a where a.event_type_id in (select parent_type_id from resolved) and a.customer_id is not null
   and a.withdrawn_at is null
 order by a.event_type_id, a.customer_id, a.id desc)
"""

# A partner's own contract goes before the one of all; a term for the category, or the currency, before one for all.
FIND_TERMS = """
create temporary table term_of on commit drop as
select k.*, t.id as term_id, t.percent, t.fixed,
       exists (select from contract_term t where t.contract_id = own.id and t.replaced_at is null
               and t.starts <= k.day and (t.ends is null or t.ends >= k.day))
       and not exists (select from contract_term t where t.contract_id = own.id and t.replaced_at is null
                       and t.event_type_id = k.event_type_id) as is_of_others
from ({keys}) k
left join lateral (
    select c.id from contract c
    where c.program_id = k.program_id and c.active and (c.partner_id = k.partner_id or c.partner_id is null)
    order by c.partner_id is null limit 1
) own on true
left join lateral (
    select t.id, t.percent, t.fixed
    from contract_term t
    where t.contract_id = own.id
      and t.event_type_id = k.event_type_id and t.replaced_at is null
      and t.starts <= k.day and (t.ends is null or t.ends >= k.day)
      and (t.category is null or lower(t.category) = k.category) and (t.currency is null or t.currency = k.currency)
    order by t.category is null, t.currency is null, t.starts desc limit 1
) t on true
"""
KEYS = """
select distinct r.program_id, c.partner_id, r.event_type_id, lower({category}) as category,
       s.measured_currency as currency, ({event_at} at time zone r.time_zone)::date as day
from {claimed} and c.partner_id is not null
"""
CLAIMED = "{joined} join claim c on c.event_type_id = r.event_type_id and c.order_id = {order_id} where {is_open}"

PRICE = """
create temporary table priced on commit drop as
select s.line, c.line as first_line, c.partner_id, c.attributed_by, c.parent_id, t.term_id,
       coalesce(c.code, case when not {has_contracts} or t.term_id is not null then null
                            when t.is_of_others then 'ACTIONTERMS_NOT_FOUND' else 'CONTRACT_NOT_FOUND' end) as code,
       case when t.percent is not null then round(coalesce(s.measured_amount, 0) * t.percent / 100, 2)
            when t.fixed is not null then case when {quantity} = 0 then 0 else t.fixed end end as payout
from {joined} join claim c on c.event_type_id = r.event_type_id and c.order_id = {order_id}
left join term_of t
  on t.partner_id = c.partner_id and t.event_type_id = r.event_type_id and t.currency = s.measured_currency
 and t.category is not distinct from lower({category}) and t.day = ({event_at} at time zone r.time_zone)::date
where {is_open}
"""
REJECT_UNPRICED = """
insert into verdict (line, outcome, code, column_name, message)
select p.line, case when f.code = 'ACTION_REF_NOT_FOUND' and {holds} then 'held' else 'rejected' end, f.code,
       case f.code when 'NO_VALID_ACTION_REF' then 'CustomerId' when 'ACTION_REF_NOT_FOUND' then 'CustomerId'
                   when 'OUTSIDE_ASSOCIATION_WINDOW' then 'ClickId'
                   when 'RESTRICTED_PROMOCODE' then 'OrderPromoCode' end,
       case f.code
           when 'NO_VALID_ACTION_REF' then
               'An action of this event type follows another of the same customer. Give the CustomerId.'
           when 'ACTION_REF_NOT_FOUND' then
               'No action of the event type that must come first has this CustomerId. Send that action.'
           when 'NO_VALID_REFERRAL' then
               'Nothing in this row leads to a partner: no MediaPartnerId or MediaId that is known, no known click, no '
               'promo code that was given to a partner.'
           when 'PARTNER_NOT_ACTIVE' then format('The partner %s is not active.', f.partner_id)
           when 'REFTYPE_NOT_ACCEPTED' then
               'The event type does not pay for orders that lead to their partner in this way. It accepts others.'
           when 'OUTSIDE_ASSOCIATION_WINDOW' then
               'The click lies too long before the order to earn for it, by the rules of the event type.'
           when 'RESTRICTED_PROMOCODE' then
               format('The promo code was given to another partner than %s, and only that one earns with it.',
                      f.partner_id)
           when 'ACTIONTERMS_NOT_FOUND' then
               format('The contract with the partner %s pays for other event types, and not for this one.',
                      f.partner_id)
           else format('No contract with the partner %s pays for this on the day of the event.', f.partner_id) end
from priced p join (
    select distinct on (first_line) first_line, code, partner_id from priced
    where code is not null order by first_line, line
) f on f.first_line = p.first_line
"""

HAS_PASSED_OVER = "select line from claim where passed_over is not null limit 1"
TELL_PASSED_OVER = """
insert into remark (line, code, column_name, message)
select c.line, 'OTHER_REF_PRIORITIZED', c.passed_over,
       format('The click leads to another partner than %s, who is named in the row and goes before it.', c.partner_id)
from claim c left join verdict v on v.line = c.line where c.passed_over is not null and v.line is null
"""
"""An order may lead to its partner in several ways; where they do not agree, that is worth a word."""
