-- What is open at the end, found from the other side: each action as its last change up to the last day left it.
with own as (
    select
        action.*,
        (received_at at time zone coalesce(%(time_zone)s, (select time_zone from program where id = program_id)))::date
            as day
    from action
    where program_id in (select id from program where %(program)s::text is null or key = %(program)s)
),
change as (
    select
        changed.*,
        own.currency as of_action,
        own.partner_id,
        (changed.received_at at time zone coalesce(
            %(time_zone)s, (select time_zone from program where id = own.program_id)))::date as day
    from action_update changed, own
    where own.id = changed.action_id
),
start as (
    select distinct on (action_id) * from change order by action_id, id
),
before as (
    select distinct on (action_id) * from change where day <= %(date_to)s order by action_id, id desc
),
after as (
    select distinct on (action_id) * from change where day > %(date_to)s order by action_id, id
),
last_state as (
    select
        own.id,
        own.currency,
        own.partner_id,
        own.day,
        coalesce(before.new_state, 'PENDING') as state,
        coalesce(before.new_amount, after.old_amount, own.amount) as amount,
        case when before.id is not null then before.new_payout when after.id is not null then after.old_payout
            else own.payout end as payout,
        coalesce(start.old_amount, own.amount) as first_amount
    from own
    left join start on start.action_id = own.id
    left join before on before.action_id = own.id
    left join after on after.action_id = own.id
    where own.day <= %(date_to)s
),
closing as (
    select
        currency,
        sum(amount) filter (where state = 'PENDING') as amount,
        sum(payout) filter (where state = 'PENDING') as payout,
        sum(first_amount) filter (where day >= %(date_from)s) as fresh
    from last_state
    group by currency
),
gone as (
    select
        of_action as currency,
        sum(old_amount) filter (where new_state = 'REVERSED') as reversed,
        sum(old_amount) filter (where new_state = 'APPROVED') as locked
    from change
    where old_state = 'PENDING' and day between %(date_from)s and %(date_to)s
    group by of_action
),
lines as (
    select currency, count(*) as rows from (
        select currency, partner_id from last_state
        group by currency, partner_id
        having coalesce(sum(amount) filter (where state = 'PENDING'), 0) <> 0
            or coalesce(sum(payout) filter (where state = 'PENDING'), 0) <> 0
            or bool_or(day >= %(date_from)s)
        union
        select of_action, partner_id from change where day between %(date_from)s and %(date_to)s
    ) line group by currency
)
select
    lines.currency as "Currency",
    lines.rows as "rows",
    closing.fresh as "NewAmount",
    gone.reversed as "ReversedAmount",
    gone.locked as "LockedAmount",
    closing.amount as "ClosingAmount",
    closing.payout as "ClosingPayout"
from lines
left join closing using (currency)
left join gone using (currency)
