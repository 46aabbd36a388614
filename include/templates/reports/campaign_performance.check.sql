with metric as (
    select * from campaign_metric web_hit
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
)
select
    (select count(distinct (program_id, tracking_code)) from metric)
        + (select count(distinct (program_id, extra ->> 'SharedId', currency)) from act) as "rows",
    (select sum(cart_adds) from metric) as "CartAdds",
    (select sum(orders) from metric) as "Orders",
    (select sum(quantity) from metric) as "Quantity",
    (select sum(price) from metric) as "Price",
    (select count(*) from act) as "Actions",
    (select sum(amount) from act) as "Revenue"
