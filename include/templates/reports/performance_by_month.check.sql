select
    currency as "Currency",
    count(distinct (program_id, date_trunc('month', event_at at time zone coalesce(
        %(time_zone)s, (select time_zone from program where id = action.program_id))))) as "rows",
    count(*) as "GrossActions",
    sum(case when state in ('PENDING', 'APPROVED') then 1 else 0 end) as "Actions",
    sum(amount) as "GrossRevenue",
    sum(case when state in ('PENDING', 'APPROVED') then amount else 0 end) as "Revenue",
    sum(payout) as "GrossActionCost",
    sum(case when state in ('PENDING', 'APPROVED') then payout end) as "ActionCost"
from action
where program_id in (select id from program where %(program)s::text is null or key = %(program)s)
    and (event_at at time zone coalesce(%(time_zone)s, (select time_zone from program where id = action.program_id)))::date
        between %(date_from)s and %(date_to)s
group by currency
