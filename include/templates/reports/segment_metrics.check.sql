with
-- include purchase_before
, orders as (
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
where
    -- include hit_is_due
