-- Every purchase with the time of the one before it that has the same 20 bytes of purchaseID.
purchase as (
    select
        web_hit.submission_id,
        web_hit.line,
        web_hit.event_date,
        web_hit.program_id,
        lag(web_hit.event_date) over (
            partition by web_hit.program_id, coalesce(left(web_hit.purchase_id, 20), submission_id || ' ' || line)
            order by web_hit.event_date, submission_id, line
        ) as before
    from web_hit
    where web_hit_events(web_hit.events) @> '{purchase}'
)
