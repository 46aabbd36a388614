with
-- include hits
, bought as (
    select program_id, visitor_id, recipient_id, event_date
    from hit
    where 'purchase' = any(web_hit_events(events))
)
select
    -- include last_person
    count(*) as "CartAdds",
    max(event_date) as "LastAdded"
from product_hit
where 'scAdd' = any(hit_events)
    -- Who is known by both may buy under either of them.
    and not exists (
        select from bought
        where (bought.program_id, bought.visitor_id) = (product_hit.program_id, product_hit.visitor_id)
            and bought.event_date >= product_hit.event_date
    )
    and not exists (
        select from bought
        where (bought.program_id, bought.recipient_id) = (product_hit.program_id, product_hit.recipient_id)
            and bought.event_date >= product_hit.event_date
    )
group by program_id, person, product
order by program_id, person, product
