with measured as (
    select campaign_metric.*, program.currency
    from campaign_metric
    join program on program.id = campaign_metric.program_id
    where campaign_metric.tracking_code is not null
        and (%(program)s::text is null or program.key = %(program)s)
        and (campaign_metric.date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
),
metric as (
    select
        program_id,
        tracking_code as code,
        currency,
        sum(cart_opens) as cart_opens,
        sum(cart_adds) as cart_adds,
        sum(cart_views) as cart_views,
        sum(cart_removes) as cart_removes,
        sum(checkouts) as checkouts,
        sum(orders) as orders,
        sum(quantity) as quantity,
        sum(price) as price
    from measured
    group by program_id, tracking_code, currency
),
happened as (
    select program_id, code, currency, jsonb_object_agg(name, trim_scale(times))::text as events
    from (
        select program_id, tracking_code as code, currency, name, sum(value::numeric) as times
        from measured, jsonb_each_text(extra) as each (name, value)
        where name ~ '^Event [0-9]+$'
        group by program_id, tracking_code, currency, name
    ) event
    group by program_id, code, currency
),
act as (
    select
        program.id as program_id,
        action.extra ->> 'SharedId' as code,
        action.currency,
        count(*) as actions,
        sum(action.amount) as revenue,
        sum(action.payout) as cost
    from action
    join program on program.id = action.program_id
    where action.extra ->> 'SharedId' is not null
        and action.state <> 'REVERSED'
        and (%(program)s::text is null or program.key = %(program)s)
        -- Only lets the index on event_at narrow the search; a day more on each side is harmless.
        and action.event_at >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and action.event_at < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
        and (action.event_at at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
    group by program.id, action.extra ->> 'SharedId', action.currency
),
line as (
    select program_id, code, currency from metric
    union
    select program_id, code, currency from act
),
named as (
    select program_id, key as code, jsonb_object_agg(name, value order by received_at) as classifications
    from classification, jsonb_each(classifications) as each (name, value)
    group by program_id, key
)
select
    program_id as "ProgramId",
    code as "TrackingCode",
    named.classifications::text as "Classifications",
    currency as "Currency",
    trim_scale(metric.cart_opens) as "CartOpens",
    trim_scale(metric.cart_adds) as "CartAdds",
    trim_scale(metric.cart_views) as "CartViews",
    trim_scale(metric.cart_removes) as "CartRemoves",
    trim_scale(metric.checkouts) as "Checkouts",
    trim_scale(metric.orders) as "Orders",
    trim_scale(metric.quantity) as "Quantity",
    trim_scale(metric.price) as "Price",
    happened.events as "Events",
    coalesce(act.actions, 0) as "Actions",
    coalesce(act.revenue, 0) as "Revenue",
    act.cost as "ActionCost"
from line
left join metric using (program_id, code, currency)
left join happened using (program_id, code, currency)
left join act using (program_id, code, currency)
left join named using (program_id, code)
order by program_id, code, currency
