with bought as (
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
    where 'purchase' = any(web_product.hit_events)
        and (%(program)s::text is null or program.key = %(program)s)
        and (web_hit.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
        and (web_hit.purchase_id is null or not exists (
            select from web_hit earlier
            where earlier.program_id = web_hit.program_id
                and left(earlier.purchase_id, 20) = left(web_hit.purchase_id, 20)
                and 'purchase' = any(web_hit_events(earlier.events))
                and (earlier.event_date, earlier.submission_id, earlier.line)
                    < (web_hit.event_date, web_hit.submission_id, web_hit.line)
                and earlier.event_date >= web_hit.event_date - interval '37 months'
        ))
)
select
    visitor_id as "VisitorId",
    recipient_id as "RecipientId",
    message_id as "MessageId",
    left(purchase_id, 20) as "PurchaseId",
    product as "ProductId",
    category as "Category",
    event_date as "PurchaseDate",
    quantity as "Quantity",
    price as "Revenue",
    currency as "Currency"
from bought
order by event_date, submission_id, line, product
