with metric as (
    select
        program.id as program_id,
        campaign_metric.tracking_code as code,
        null::text as currency,
        sum(campaign_metric.cart_adds) as cart_adds,
        sum(campaign_metric.checkouts) as checkouts,
        sum(campaign_metric.orders) as orders,
        sum(campaign_metric.quantity) as quantity,
        sum(campaign_metric.price) as price,
        null::bigint as actions,
        null::numeric as revenue,
        null::numeric as cost
    from campaign_metric
    join program on program.id = campaign_metric.program_id
    where campaign_metric.tracking_code is not null
        and (%(program)s::text is null or program.key = %(program)s)
        and (campaign_metric.date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
    group by program.id, campaign_metric.tracking_code
),
act as (
    select
        program.id as program_id,
        action.extra ->> 'SharedId' as code,
        action.currency,
        null::numeric,
        null::numeric,
        null::numeric,
        null::numeric,
        null::numeric,
        count(*) as actions,
        sum(action.amount) as revenue,
        sum(action.payout) as cost
    from action
    join program on program.id = action.program_id
    where action.extra ->> 'SharedId' is not null
        and action.state <> 'REVERSED'
        and (%(program)s::text is null or program.key = %(program)s)
        and (action.event_at at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
    group by program.id, action.extra ->> 'SharedId', action.currency
),
line as (
    select * from metric
    union all
    select * from act
),
named as (
    select program_id, key, jsonb_object_agg(name, value order by received_at) as classifications
    from classification, jsonb_each(classifications) as each (name, value)
    group by program_id, key
)
select
    line.program_id as "ProgramId",
    line.code as "TrackingCode",
    named.classifications::text as "Classifications",
    line.currency as "Currency",
    line.cart_adds as "CartAdds",
    line.checkouts as "Checkouts",
    line.orders as "Orders",
    line.quantity as "Quantity",
    line.price as "Price",
    line.actions as "Actions",
    line.revenue as "Revenue",
    line.cost as "ActionCost"
from line
left join named on named.program_id = line.program_id and named.key = line.code
order by line.program_id, line.code, line.currency nulls first
