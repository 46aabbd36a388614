(web_hit.event_date at time zone coalesce(%(time_zone)s, (select time_zone from program where id = web_hit.program_id)))::date
    between %(date_from)s and %(date_to)s
and web_hit.program_id in (select id from program where %(program)s::text is null or key = %(program)s)
