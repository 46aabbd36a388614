with purchase as (
    select
        submission_id,
        line,
        event_date,
        lag(event_date) over (
            partition by program_id, coalesce(left(purchase_id, 20), submission_id || ' ' || line)
            order by event_date, submission_id, line
        ) as before
    from web_hit
    where web_hit_events(events) @> '{purchase}'
),
orders as (
    select submission_id, line from purchase
    where before is null or before < event_date - interval '37 months'
)
select
    count(distinct web_product.product) as "rows",
    sum(case when web_product.hit_events @> '{scAdd}' then 1 else 0 end) as "CartAdds",
    count(distinct (orders.submission_id, orders.line, web_product.product)) filter (where orders.line is not null) as "Orders",
    sum(case when web_product.hit_events @> '{prodView}' then 1 else 0 end) as "ProductViews"
from web_hit
join web_product on (web_product.submission_id, web_product.line) = (web_hit.submission_id, web_hit.line)
left join orders on (orders.submission_id, orders.line) = (web_hit.submission_id, web_hit.line)
where (web_hit.event_date at time zone coalesce(%(time_zone)s, (select time_zone from program where id = web_hit.program_id)))::date
        between %(date_from)s and %(date_to)s
    and web_hit.program_id in (select id from program where %(program)s::text is null or key = %(program)s)
