with
-- include counted_actions
listed as (
    select currency, count(*) as rows, sum(amount) as amount, sum(payout) as payout from due group by currency
)
select currency as "Currency", rows as "rows", amount as "Amount", payout as "Payout" from listed
