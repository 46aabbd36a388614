select count(*) as "rows", sum(payout) as "Payout"
from click
where program_id in (select id from program where %(program)s::text is null or key = %(program)s)
    and (event_date at time zone coalesce(%(time_zone)s, (select time_zone from program where id = click.program_id)))::date
        between %(date_from)s and %(date_to)s
