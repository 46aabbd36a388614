with
-- include hits
select
    -- include last_person
    count(*) as "CartAdds",
    max(event_date) as "LastAdded"
from product_hit
where 'scAdd' = any(hit_events)
    and not exists (
        select from hit bought
        where 'purchase' = any(web_hit_events(bought.events))
            and (bought.program_id, bought.person) = (product_hit.program_id, product_hit.person)
            and bought.event_date >= product_hit.event_date
    )
group by program_id, person, product
order by program_id, person, product
