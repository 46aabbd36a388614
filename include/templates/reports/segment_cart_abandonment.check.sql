with hit as (
    select
        web_hit.submission_id, web_hit.line, web_hit.program_id, web_hit.event_date,
        coalesce(web_hit.visitor_id, web_hit.recipient_id) as person,
        web_hit_events(web_hit.events) as names
    from web_hit
    where (web_hit.event_date at time zone coalesce(%(time_zone)s, (select time_zone from program where id = web_hit.program_id)))::date
        between %(date_from)s and %(date_to)s
    and web_hit.program_id in (select id from program where %(program)s::text is null or key = %(program)s)
),
last_bought as (
    select program_id, person, max(event_date) as at from hit where names @> '{purchase}' group by program_id, person
)
select count(distinct (hit.program_id, hit.person, web_product.product)) as "rows", count(*) as "CartAdds"
from hit
join web_product on (web_product.submission_id, web_product.line) = (hit.submission_id, hit.line)
left join last_bought on (last_bought.program_id, last_bought.person) = (hit.program_id, hit.person)
where hit.names @> '{scAdd}' and (last_bought.at is null or last_bought.at < hit.event_date)
