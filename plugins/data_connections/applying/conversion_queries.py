"""The SQL of conversions; ``s`` is the staged row, ``r`` its resolved key, ``{name}`` a staged column or a fragment."""

from __future__ import annotations

KEYED_BY_ONE = "{rows} s cross join resolved r"
"""Staged rows with their key, where all rows of the file have the same: a million rows are not looked up."""

KEYED_BY_MANY = """
    {rows} s join resolved r
      on r.campaign_id = {campaign_id} and r.tracker_id = coalesce({action_tracker_id}, 0)
     and r.type_code = coalesce({event_type_code}, '')
"""

JOINED = "{keyed} left join verdict v on v.line = s.line"
IS_OPEN = "s.outcome = 0 and v.line is null and r.code is null"
OPEN = "{joined} where {is_open}"
"""Accepted rows that no verdict keeps out; the same without looking, where there is no verdict at all."""

OPEN_WITHOUT_VERDICTS = "{keyed} where s.outcome = 0 and r.code is null"

HAS_MANY_KEYS = "select campaign_id from resolved offset 1 limit 1"
HAS_UNRESOLVED = "select code from resolved where code is not null limit 1"
HAS_VERDICTS = "select line from verdict limit 1"
HAS_KNOWN = "select order_id from known limit 1"

RESOLVE = """
create temporary table resolved on commit drop as
with named as (
    select {campaign_id} as campaign_id, coalesce({action_tracker_id}, 0) as tracker_id,
           coalesce({event_type_code}, '') as type_code, min({event_date}) as first_event,
           max({event_date}) as last_event
    from {rows} s where s.outcome = 0 group by 1, 2, 3
), found as (
    select n.*, p.id as program_id, p.active as program_active, p.key = {program} as is_own, p.time_zone,
           p.blocked_addresses, p.blocked_promo_codes,
           coalesce(by_id.id, by_code.id) as event_type_id,
           coalesce(by_id.program_id, by_code.program_id) as event_type_program,
           coalesce(by_id.active, by_code.active) as event_type_active,
           coalesce(by_id, by_code) as event_type
    from named n
    left join program p on p.id = n.campaign_id
    left join event_type by_id on by_id.id = n.tracker_id
    left join event_type by_code on n.tracker_id = 0 and by_code.program_id = p.id and by_code.code = n.type_code
)
select campaign_id, tracker_id, type_code, program_id, event_type_id, time_zone,
       (event_type).duplicate_window_days as window_days, (event_type).late_after_days,
       (event_type).parent_id as parent_type_id, (event_type).locking_after, (event_type).locking_months,
       (event_type).locking_days, blocked_addresses, blocked_promo_codes, (event_type).accepts,
       (event_type).customer_statuses, (event_type).click_window_days, (event_type).most_per_customer,
       first_event, day_starts, day_locks,
       case when program_id is null or not program_active or not is_own then 'CAMPAIGN_NOT_FOUND'
            when event_type_id is null then 'ACTIONTRACKER_NOT_FOUND'
            when event_type_program <> program_id then 'ACTIONTRACKER_CAMPAIGN_MISMATCH'
            when not event_type_active then 'ACTIONTRACKER_NOT_ACTIVE' end as code,
       case when tracker_id = 0 then 'EventTypeCode' else 'ActionTrackerId' end as type_column,
       case when tracker_id = 0 then type_code else tracker_id::text end as type_name
from found
left join lateral (
    select array_agg(starts order by starts) as day_starts,
           array_agg(case when starts <= last_event and is_steady
                          then locking_date(starts, time_zone, (event_type).locking_after,
                                            (event_type).locking_months, (event_type).locking_days) end
                     order by starts) as day_locks
    from (
        select day at time zone time_zone as starts,
               (day - interval '1 day') at time zone time_zone + interval '72 hours'
                   = (day + interval '2 days') at time zone time_zone as is_steady
        from generate_series(date_trunc('day', first_event at time zone time_zone),
                             last_event at time zone time_zone + interval '1 day', interval '1 day') day
        where last_event < first_event + interval '100 days'
    ) days
) found_days on true
"""

LOCKS_AT = """
coalesce(r.day_locks[width_bucket({event_at}, r.day_starts)],
         locking_date({event_at}, r.time_zone, r.locking_after, r.locking_months, r.locking_days))
"""
"""When an order's action locks: looked up by its day, and worked out only where clocks change or for days far apart."""

REJECT_UNRESOLVED = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'rejected', r.code,
       case r.code when 'CAMPAIGN_NOT_FOUND' then 'CampaignId' else r.type_column end,
       case r.code
           when 'CAMPAIGN_NOT_FOUND' then
               format('CampaignId %s is not an active program of this connection.', r.campaign_id)
           when 'ACTIONTRACKER_NOT_FOUND' then
               format('ActionTrackerId:ActionTrackerId value is invalid. There is no event type %s.', r.type_name)
           when 'ACTIONTRACKER_CAMPAIGN_MISMATCH' then
               format('The event type %s is not one of the program %s.', r.type_name, r.campaign_id)
           else format('The event type %s is not active.', r.type_name) end
from {keyed} where s.outcome = 0 and r.code is not null
"""

REJECT_WITHOUT_CURRENCY = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'rejected', 'CURRENCY_MISSING', 'CurrencyCode',
       'XXX is the code of no currency at all. Write the order''s own, or leave CurrencyCode empty for the usual one.'
from {open} and s.measured_currency = 'XXX'
"""

KEYS_MEET = """
select event_type_id from resolved where code is null group by event_type_id having count(*) > 1 limit 1
"""
"""Whether one event type goes by its number and by its code in the same file."""

MARK_REPEATED = """
insert into verdict (line, outcome, code, column_name, message)
select line, 'duplicate', 'OID_DUPLICATE', 'OrderId',
       format('Order %s came before in this file, on line %s. Name its event type in the same way on all its lines.',
              order_id, first_line)
from (
    select s.line, {order_id} as order_id, (r.tracker_id, r.type_code) as name,
           first_value((r.tracker_id, r.type_code)) over orders as first_name,
           first_value(s.line) over orders as first_line
    from {open}
    window orders as (partition by r.event_type_id, {order_id} order by s.line)
) named where name <> first_name
"""

REJECT_MIXED_CURRENCIES = """
insert into verdict (line, outcome, code, column_name, message)
select line, 'rejected', 'ORDER_CURRENCIES', 'CurrencyCode',
       format('The lines of order %s have different currencies. Give an order one currency.', order_id)
from (
    select s.line, {order_id} as order_id, min(s.measured_currency) over orders as lowest,
           max(s.measured_currency) over orders as highest
    from {open}
    window orders as (partition by r.event_type_id, {order_id})
) lines where lowest <> highest
"""

CREATE_KNOWN = """
create temporary table known (
    event_type_id bigint, order_id text, occurrence integer, submission_id bigint, is_duplicate boolean
) on commit drop
"""
"""Orders of the file that the ledger has already."""

HAS_ACTIONS = """
select id from action limit 1
"""

FIND_KNOWN = """
insert into known (event_type_id, order_id, occurrence, submission_id, is_duplicate)
select r.event_type_id, {order_id}, max(a.occurrence), max(a.submission_id),
       bool_or(a.withdrawn_at is null and a.event_at between {event_at} - make_interval(days => r.window_days)
                              and {event_at} + make_interval(days => r.window_days))
from {keyed} join action a on a.event_type_id = r.event_type_id and a.order_id = {order_id}
left join verdict v on v.line = s.line
where s.outcome = 0 and v.line is null and r.code is null
group by 1, 2
"""

MARK_KNOWN = """
insert into verdict (line, outcome, code, column_name, message)
select s.line, 'duplicate', 'CONV_DUPLICATE', 'OrderId',
       format('Order %s is known already, since submission %s; the same order counts again after %s days.',
              {order_id}, k.submission_id, r.window_days)
from {keyed} join known k on k.event_type_id = r.event_type_id and k.order_id = {order_id}
left join verdict v on v.line = s.line
where s.outcome = 0 and v.line is null and r.code is null and k.is_duplicate
"""

LOCKS_SOON = """
select event_type_id from resolved
where code is null
  and locking_date(first_event, time_zone, locking_after, locking_months, locking_days) <= {next_run} limit 1
"""
"""Whether any order of the file may lock before the next run; the earliest of an event type locks first."""

WARN_OF_LOCKING = """
insert into remark (line, code, column_name, message)
select line, 'LOCKS_BEFORE_NEXT_RUN', 'EventDate',
       format('The action''s locking date, %s, comes before the next run of this connection after this file, %s: a '
              'modification has to be received before it.', to_char(locks_at at time zone time_zone, 'YYYY-MM-DD'),
              to_char({next_run} at time zone time_zone, 'YYYY-MM-DD HH24:MI'))
from (
    select s.line, r.time_zone, {locks_at} as locks_at
    from {open}
) orders where locks_at > {received_at} and locks_at <= {next_run}
"""

_COLUMNS = """
    program_id, event_type_id, order_id, occurrence, event_at, received_at, amount, currency, partner_id, media_id,
    click_id, customer_id, promo_code, event_code, extra, locks_at, payout, term_id, attributed_by, parent_id,
    submission_id, line
"""
_VALUES = """
    r.program_id, r.event_type_id, {order_id}, {occurrence}, {event_at}, {received_at},
    coalesce(%(amount)s, 0), s.measured_currency, {partner_id}, {media_id}, {click_id}, {customer_id},
    {order_promo_code}, {event_code}, {extra}, {locks_at},
    %(payout)s, {term_id}, {attributed_by}, {parent_id}, {submission}, s.line
"""

EVENT_AT = "{event_date}"
EVENT_AT_UNLESS_LATE = """
case when {event_date} < {received_at} - make_interval(days => r.late_after_days) then {received_at}
     else {event_date} end
"""
HAS_LATE = "select late_after_days from resolved where late_after_days is not null limit 1"
KEEP_LATE_DATE = """
case when {event_at} <> {event_date}
     then coalesce({sent}, jsonb_build_object()) || jsonb_build_object('EventDate', {event_date}) else {sent} end
"""

WITH_PRICED = "{keyed} left join priced pr on pr.line = s.line"
HAS_PRICED = "select to_regclass('pg_temp.priced') as found"
UNPRICED = {
    "partner_id": "{media_partner_id}",
    "payout": "null::numeric",
    "term_id": "null::bigint",
    "attributed_by": "null::text",
    "parent_id": "null::bigint",
}
PRICED = {
    "partner_id": "coalesce(pr.partner_id, {media_partner_id})",
    "payout": "pr.payout",
    "term_id": "pr.term_id",
    "attributed_by": "pr.attributed_by",
    "parent_id": "pr.parent_id",
}

WITH_KNOWN = "{keyed} left join known k on k.event_type_id = r.event_type_id and k.order_id = {order_id}"
FIRST_OCCURRENCE = "1"
NEXT_OCCURRENCE = "coalesce(k.occurrence, 0) + 1"

LAST_ACTION = "select coalesce(max(id), 0) as id from action"

WRITE_ORDERS = f"""
insert into action ({_COLUMNS})
select {_VALUES % {"amount": "s.measured_amount", "payout": "{payout}"}} from {{open}} and {{sku}} is null {{in_order}}
"""
IN_ORDER = "order by s.line"
"""Actions are numbered in the order of the file, also where a join would mix it up; staged rows alone come in order."""


EFFECT = """
select 'PENDING' as state, s.measured_currency as currency, count(distinct (r.event_type_id, {order_id})) as count,
       coalesce(sum(s.measured_amount), 0) as amount, sum({payout}) as payout
from {open} group by 2 order by 2
"""

ORDERS_WRITTEN = """
select currency, count(*) as rows, coalesce(sum((extra ->> 'Quantity')::numeric), 0) as quantity, sum(amount) as amount
from action where id > {last_action} and submission_id = {submission} group by currency
"""

FIND_ITEM_LINES = """
create temporary table item_line on commit drop as
select s.line, s.measured_amount as amount, {payout} as payout, {term_id} as term_id,
       first_value(s.line) over orders as first_line,
       row_number() over orders as number
from {open} and {sku} is not null
window orders as (partition by r.event_type_id, {order_id} order by s.line)
"""

WRITE_ITEM_ORDERS = f"""
with orders as (
    insert into action ({_COLUMNS})
    select {_VALUES % {"amount": "o.amount", "payout": "o.payout"}}
    from (select first_line, sum(amount) as amount, sum(payout) as payout from item_line group by first_line) o
    join {{keyed}}
      on s.line = o.first_line
    order by s.line
    returning id, line, currency, amount
), items as (
    insert into action_item (
        action_id, number, sku, category, quantity, amount, extra, payout, term_id, submission_id, line)
    select o.id, i.number, {{sku}}, {{category}}, {{quantity}}, coalesce(i.amount, 0), {{item_extra}}, i.payout,
           i.term_id, {{submission}}, i.line
    from item_line i join orders o on o.line = i.first_line join {{rows}} s on s.line = i.line
    returning action_id, quantity, amount
), sums as (
    select o.currency, count(*) as rows, coalesce(sum(i.quantity), 0) as quantity, sum(i.amount) as amount
    from items i join orders o on o.id = i.action_id group by o.currency
)
select sums.*, (select sum(o.amount) from orders o where o.currency = sums.currency) as order_amount from sums
"""
