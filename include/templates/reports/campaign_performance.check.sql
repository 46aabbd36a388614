with metric as (
    select web_hit.*, (select currency from program where id = web_hit.program_id) as currency
    from campaign_metric web_hit
    where tracking_code is not null
        and (web_hit.date at time zone coalesce(%(time_zone)s, (select time_zone from program where id = web_hit.program_id)))::date
            between %(date_from)s and %(date_to)s
        and program_id in (select id from program where %(program)s::text is null or key = %(program)s)
),
act as (
    select * from action
    where state in ('PENDING', 'APPROVED')
        and extra ? 'SharedId' and extra ->> 'SharedId' is not null
        and program_id in (select id from program where %(program)s::text is null or key = %(program)s)
        and (event_at at time zone coalesce(%(time_zone)s, (select time_zone from program where id = action.program_id)))::date
        between %(date_from)s and %(date_to)s
),
found as (
    select program_id, tracking_code as code, currency, cart_opens, cart_adds, cart_views, cart_removes, checkouts, orders,
        quantity, price, 0 as actions, 0 as revenue, 0 as cost
    from metric
    union all
    select program_id, extra ->> 'SharedId', currency, 0, 0, 0, 0, 0, 0, 0, 0, 1, amount, payout
    from act
)
select
    currency as "Currency",
    count(distinct (program_id, code)) as "rows",
    sum(cart_opens) as "CartOpens",
    sum(cart_adds) as "CartAdds",
    sum(cart_views) as "CartViews",
    sum(cart_removes) as "CartRemoves",
    sum(checkouts) as "Checkouts",
    sum(orders) as "Orders",
    sum(quantity) as "Quantity",
    sum(price) as "Price",
    sum(actions) as "Actions",
    sum(revenue) as "Revenue",
    sum(cost) as "ActionCost"
from found
group by currency
