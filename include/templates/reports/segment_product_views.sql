with
-- include hits
select
    -- include last_person
    count(*) as "ProductViews",
    max(event_date) as "LastViewed"
from product_hit
where 'prodView' = any(hit_events)
group by program_id, person, product
order by program_id, person, product
