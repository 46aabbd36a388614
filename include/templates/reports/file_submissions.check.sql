select
    state as "State",
    count(*) as "rows",
    sum(accepted + rejected + duplicate + held) as "TotalRecords",
    sum(accepted) as "Accepted",
    sum(warned) as "Warned",
    sum(rejected) as "Rejected",
    sum(duplicate) as "Duplicate",
    sum(held) as "Held"
from submission
where received_at >= %(date_from)s::date::timestamp at time zone coalesce(%(time_zone)s, 'UTC')
    and received_at < (%(date_to)s::date + 1)::timestamp at time zone coalesce(%(time_zone)s, 'UTC')
group by state
