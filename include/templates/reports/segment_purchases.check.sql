with purchase as (
    select
        web_hit.submission_id,
        web_hit.line,
        web_hit.event_date,
        web_hit.program_id,
        lag(web_hit.event_date) over (
            partition by web_hit.program_id, coalesce(left(web_hit.purchase_id, 20), submission_id || ' ' || line)
            order by web_hit.event_date, submission_id, line
        ) as before
    from web_hit
    where web_hit_events(web_hit.events) @> '{purchase}'
)
select count(*) as "rows", sum(web_product.quantity) as "Quantity", sum(web_product.price) as "Revenue"
from purchase web_hit
join web_product on (web_product.submission_id, web_product.line) = (web_hit.submission_id, web_hit.line)
where (web_hit.before is null or web_hit.before < web_hit.event_date - interval '37 months')
    and (web_hit.event_date at time zone coalesce(%(time_zone)s, (select time_zone from program where id = web_hit.program_id)))::date
        between %(date_from)s and %(date_to)s
    and web_hit.program_id in (select id from program where %(program)s::text is null or key = %(program)s)
