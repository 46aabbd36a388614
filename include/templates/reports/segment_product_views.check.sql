select
    count(distinct (web_hit.program_id, coalesce(web_hit.visitor_id, web_hit.recipient_id), web_product.product)) as "rows",
    count(*) as "ProductViews"
from web_hit
join web_product on (web_product.submission_id, web_product.line) = (web_hit.submission_id, web_hit.line)
where web_hit_events(web_hit.events) @> '{prodView}'
    and
    -- include hit_is_due
