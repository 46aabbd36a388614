select currency as "Currency", count(*) as "rows", sum(amount) as "Amount", sum(payout) as "Payout"
from action
where program_id in (select id from program where %(program)s::text is null or key = %(program)s)
    and (event_at at time zone coalesce(%(time_zone)s, (select time_zone from program where id = action.program_id)))::date
        between %(date_from)s and %(date_to)s
group by currency
