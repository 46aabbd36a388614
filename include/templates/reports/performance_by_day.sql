-- One line for each day, program and currency. Days are the program's own: the range is compared on the local
-- date, so that days of 23 and 25 hours, and midnights that a clock change skips or repeats, are whole. The
-- two comparisons with event_at only let the index narrow the search; a day more on each side is harmless.
with near as (
    select
        action.id,
        action.currency,
        action.amount,
        action.state <> 'REVERSED' as stands,
        program.id as program_id,
        program.name as program_name,
        (action.event_at at time zone coalesce(%(time_zone)s, program.time_zone))::date as day
    from action
    join program on program.id = action.program_id
    where (%(program)s::text is null or program.key = %(program)s)
        and action.event_at >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and action.event_at < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
),
pieces as (
    select near.day, near.program_id, near.currency, sum(action_item.quantity) as quantity
    from near
    join action_item on action_item.action_id = near.id
    where near.stands and near.day between %(date_from)s and %(date_to)s
    group by near.day, near.program_id, near.currency
),
sums as (
    select
        day,
        program_id,
        program_name,
        currency,
        count(*) as gross_actions,
        count(*) filter (where stands) as actions,
        sum(amount) as gross_revenue,
        coalesce(sum(amount) filter (where stands), 0) as revenue
    from near
    where day between %(date_from)s and %(date_to)s
    group by day, program_id, program_name, currency
)
select
    sums.day as "Date",
    sums.program_id as "ProgramId",
    sums.program_name as "ProgramName",
    sums.currency as "Currency",
    sums.gross_actions as "GrossActions",
    sums.actions as "Actions",
    pieces.quantity as "Quantity",
    sums.gross_revenue as "GrossRevenue",
    sums.revenue as "Revenue"
from sums
left join pieces using (day, program_id, currency)
order by sums.day, sums.program_id, sums.currency
