with
-- include counted_actions
itemized as (
    select due.currency, count(*) as rows, sum(action_item.amount) as amount, sum(action_item.payout) as payout
    from due, action_item
    where action_item.action_id = due.id
    group by due.currency
),
bare as (
    select currency, count(*) as rows, sum(amount) as amount, sum(payout) as payout
    from due
    where not exists (select from action_item where action_id = due.id)
    group by currency
),
together as (
    select * from itemized
    union all
    select * from bare
)
select currency as "CurrencyCode", sum(rows) as "rows", sum(amount) as "Amount", sum(payout) as "Payout"
from together
group by currency
