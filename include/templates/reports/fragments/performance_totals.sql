-- `act`, `click_of` and `cost` are actions, clicks and bonuses, each with its part; `line` are the lines that there have to be.
parted as (
    select program_id, part, count(*) as clicks from click_of group by program_id, part
),
earned as (
    select program_id, part, currency from act
    union
    select program_id, part, currency from cost
),
line as (
    select program_id, part, currency from earned
    union
    select parted.program_id, parted.part, ranges.own_currency
    from parted
    join ranges using (program_id)
    where not exists (
        select from earned
        where earned.program_id = parted.program_id and earned.part is not distinct from parted.part
    )
),
found as (
    select line.currency, count(*) as lines,
        sum(coalesce((select parted.clicks from parted
             where parted.program_id = line.program_id and parted.part is not distinct from line.part), 0)) as clicks
    from line
    group by line.currency
),
money as (
    select
        currency,
        count(*) as gross_actions,
        count(*) - sum(case when stands then 0 else 1 end) as actions,
        sum(amount) as gross_revenue,
        sum(case when stands then amount else 0 end) as revenue,
        sum(payout) as gross_action_cost,
        sum(case when stands then payout end) as action_cost
    from due
    group by currency
),
pieces as (
    select due.currency, sum(action_item.quantity) as quantity
    from due
    join action_item on action_item.action_id = due.id
    where due.stands
    group by due.currency
)
select
    found.currency as "Currency",
    found.lines as "rows",
    money.gross_actions as "GrossActions",
    money.actions as "Actions",
    pieces.quantity as "Quantity",
    money.gross_revenue as "GrossRevenue",
    money.revenue as "Revenue",
    money.gross_action_cost as "GrossActionCost",
    money.action_cost as "ActionCost",
    (select sum(cost.cents) from cost where cost.currency = found.currency) as "OtherCost",
    found.clicks as "Clicks"
from found
left join money using (currency)
left join pieces using (currency)
