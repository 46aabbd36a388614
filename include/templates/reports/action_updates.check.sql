with own as (
    select changed.*, (select currency from action where id = changed.action_id) as of_action,
        (select program_id from action where id = changed.action_id) as program_id
    from action_update changed
)
select
    of_action as "Currency",
    count(*) as "rows",
    sum(new_amount) - sum(old_amount) as "DeltaAmount",
    sum(new_amount) as "NewAmount",
    sum(new_payout) as "NewPayout"
from own
where program_id in (select id from program where %(program)s::text is null or key = %(program)s)
    and (received_at at time zone coalesce(%(time_zone)s, (select time_zone from program where id = own.program_id)))::date
        between %(date_from)s and %(date_to)s
group by of_action
