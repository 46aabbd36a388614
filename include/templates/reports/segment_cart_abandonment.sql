with added as (
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
    where 'scAdd' = any(web_product.hit_events)
        and (%(program)s::text is null or program.key = %(program)s)
        and (web_hit.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
),
bought as (
    select web_hit.program_id, coalesce(web_hit.visitor_id, web_hit.recipient_id) as person, web_hit.event_date
    from web_hit
    join program on program.id = web_hit.program_id
    where 'purchase' = any(web_hit_events(web_hit.events))
        and (web_hit.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
)
select
    max(added.visitor_id) as "VisitorId",
    (array_agg(added.recipient_id order by added.event_date desc) filter (where added.recipient_id is not null))[1]
        as "RecipientId",
    (array_agg(added.message_id order by added.event_date desc) filter (where added.message_id is not null))[1]
        as "MessageId",
    added.product as "ProductId",
    max(added.category) as "Category",
    count(*) as "CartAdds",
    max(added.event_date) as "LastAdded"
from added
where not exists (
    select from bought
    where bought.program_id = added.program_id and bought.person = added.person
        and bought.event_date >= added.event_date
)
group by added.program_id, added.person, added.product
order by added.program_id, added.person, added.product
