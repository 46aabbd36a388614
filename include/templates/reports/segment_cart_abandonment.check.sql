with hit as (
    select
        web_hit.submission_id, web_hit.line, web_hit.program_id, web_hit.event_date,
        coalesce(web_hit.visitor_id, web_hit.recipient_id) as person,
        web_hit_events(web_hit.events) as names
    from web_hit
    where
    -- include hit_is_due
),
last_bought as (
    select program_id, person, max(event_date) as at from hit where names @> '{purchase}' group by program_id, person
)
select count(distinct (hit.program_id, hit.person, web_product.product)) as "rows", count(*) as "CartAdds"
from hit
join web_product on (web_product.submission_id, web_product.line) = (hit.submission_id, hit.line)
left join last_bought on (last_bought.program_id, last_bought.person) = (hit.program_id, hit.person)
where hit.names @> '{scAdd}' and (last_bought.at is null or last_bought.at < hit.event_date)
