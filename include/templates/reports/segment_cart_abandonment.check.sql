with hit as (
    select
        web_hit.submission_id, web_hit.line, web_hit.program_id, web_hit.event_date, web_hit.visitor_id,
        web_hit.recipient_id, web_hit_events(web_hit.events) as names
    from web_hit
    where
    -- include hit_is_due
),
known as (
    select hit.*, id
    from hit
    cross join lateral (values ('visitor ' || visitor_id), ('recipient ' || recipient_id)) as whoever (id)
    where id is not null
),
last_bought as (
    select program_id, id, max(event_date) as at from known where names @> '{purchase}' group by program_id, id
),
added as (
    select known.submission_id, known.line, bool_or(last_bought.at >= known.event_date) as bought
    from known
    left join last_bought using (program_id, id)
    where known.names @> '{scAdd}'
    group by known.submission_id, known.line
)
select
    count(distinct (hit.program_id, coalesce(hit.visitor_id, hit.recipient_id), web_product.product)) as "rows",
    count(*) as "CartAdds"
from added
join hit using (submission_id, line)
join web_product using (submission_id, line)
where added.bought is not true
