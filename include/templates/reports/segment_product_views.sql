with viewed as (
    select
        web_hit.*,
        web_product.product,
        web_product.category,
        web_product.quantity,
        web_product.price,
        coalesce(web_hit.visitor_id, web_hit.recipient_id) as person
    from web_hit
    join web_product using (submission_id, line)
    join program on program.id = web_hit.program_id
    where 'prodView' = any(web_product.hit_events)
        and (%(program)s::text is null or program.key = %(program)s)
        and (web_hit.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
)
select
    max(visitor_id) as "VisitorId",
    (array_agg(recipient_id order by event_date desc) filter (where recipient_id is not null))[1] as "RecipientId",
    (array_agg(message_id order by event_date desc) filter (where message_id is not null))[1] as "MessageId",
    product as "ProductId",
    max(category) as "Category",
    count(*) as "ProductViews",
    max(event_date) as "LastViewed"
from viewed
group by program_id, person, product
order by program_id, person, product
