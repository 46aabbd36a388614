-- The same totals put together another way: money and pieces are added up apart from each other, without the
-- report's grouping, and `rows` counts the lines that there have to be.
with own as (
    select
        action.id,
        action.program_id,
        action.currency,
        action.amount,
        action.state,
        cast(timezone(coalesce(%(time_zone)s, program.time_zone), action.event_at) as date) as day
    from program, action
    where program.id = action.program_id
        and program.key = coalesce(%(program)s, program.key)
        and action.event_at > timestamptz 'epoch' + (%(date_from)s::date - 2 - date '1970-01-01') * interval '24 hours'
        and action.event_at < timestamptz 'epoch' + (%(date_to)s::date + 3 - date '1970-01-01') * interval '24 hours'
),
due as (
    select * from own where day >= %(date_from)s and day <= %(date_to)s
),
money as (
    select
        currency,
        count(distinct (day, program_id)) as lines,
        count(*) as gross_actions,
        count(*) - sum(case when state = 'REVERSED' then 1 else 0 end) as actions,
        sum(amount) as gross_revenue,
        sum(case when state = 'REVERSED' then 0 else amount end) as revenue
    from due
    group by currency
),
pieces as (
    select due.currency, sum(action_item.quantity) as quantity
    from due
    join action_item on action_item.action_id = due.id
    where due.state in ('PENDING', 'APPROVED')
    group by due.currency
)
select
    money.currency as "Currency",
    money.lines as "rows",
    money.gross_actions as "GrossActions",
    money.actions as "Actions",
    pieces.quantity as "Quantity",
    money.gross_revenue as "GrossRevenue",
    money.revenue as "Revenue"
from money
left join pieces using (currency)
