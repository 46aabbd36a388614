with hit as (
    select web_hit.submission_id, web_hit.line, web_product.product, web_product.hit_events, (web_hit.purchase_id is null or not exists (
            select from web_hit earlier
            where earlier.program_id = web_hit.program_id
                and left(earlier.purchase_id, 20) = left(web_hit.purchase_id, 20)
                and 'purchase' = any(web_hit_events(earlier.events))
                and (earlier.event_date, earlier.submission_id, earlier.line)
                    < (web_hit.event_date, web_hit.submission_id, web_hit.line)
                and earlier.event_date >= web_hit.event_date - interval '37 months'
        )) as once
    from web_hit
    join web_product using (submission_id, line)
    join program on program.id = web_hit.program_id
    where (%(program)s::text is null or program.key = %(program)s)
        and (web_hit.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
),
counted as (
    select
        product,
        count(*) filter (where 'scAdd' = any(hit_events)) as cart_adds,
        count(distinct (submission_id, line)) filter (where 'purchase' = any(hit_events) and once) as orders,
        count(*) filter (where 'prodView' = any(hit_events)) as views
    from hit
    group by product
)
select
    product as "ProductId",
    cart_adds as "CartAdds",
    orders as "Orders",
    views as "ProductViews",
    round(orders::numeric / nullif(cart_adds, 0), 6) as "OrdersPerCartAdd",
    round(views::numeric / nullif(orders, 0), 6) as "ProductViewsPerOrder"
from counted
order by product
