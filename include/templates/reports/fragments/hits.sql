-- `hit` are the hits of the range; a person is whoever is known of it, the visitor before the recipient. `product_hit`
-- are their products, one by one.
hit as (
    select
        web_hit.submission_id,
        web_hit.line,
        web_hit.program_id,
        web_hit.event_date,
        web_hit.visitor_id,
        web_hit.recipient_id,
        web_hit.message_id,
        coalesce(web_hit.currency, program.currency) as currency,
        web_hit.purchase_id,
        web_hit.events,
        coalesce(web_hit.visitor_id, web_hit.recipient_id) as person
    from web_hit
    join program on program.id = web_hit.program_id
    where (%(program)s::text is null or program.key = %(program)s)
        and web_hit.event_date >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and web_hit.event_date < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
        and (web_hit.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
),
product_hit as (
    select
        hit.*,
        web_product.product,
        web_product.category,
        web_product.quantity,
        web_product.price,
        web_product.hit_events
    from hit
    join web_product on (web_product.submission_id, web_product.line) = (hit.submission_id, hit.line)
)
