with
-- include bonus_totals
whole as (
    select currency, count(distinct (bonus_id, month, partner_id, id)) as actions, sum(amount) as revenue
    from counted
    group by currency
)
select
    reached_cents.currency as "Currency",
    count(*) as "rows",
    min(whole.actions) as "ActionCount",
    min(whole.revenue) as "Revenue",
    sum(reached_cents.cents) as "BonusPayout"
from reached_cents
join whole using (currency)
group by reached_cents.currency
