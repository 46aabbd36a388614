with
-- include purchase_before
select count(*) as "rows", sum(web_product.quantity) as "Quantity", sum(web_product.price) as "Revenue"
from purchase web_hit
join web_product on (web_product.submission_id, web_product.line) = (web_hit.submission_id, web_hit.line)
where (web_hit.before is null or web_hit.before < web_hit.event_date - interval '37 months')
    and
    -- include hit_is_due
