with own as (
    select
        submission.*,
        (select program from connection_program
         where connection_id = submission.connection_id and revision = submission.revision) as program
    from (select connection_id, revision, state, received_at, finished_at, accepted, warned, rejected, duplicate, held
          from submission) submission
),
dated as (
    select
        own.*,
        coalesce(%(time_zone)s, (select time_zone from program where key = own.program), 'UTC') as zone
    from own
    where coalesce(%(program)s, own.program, '') = coalesce(own.program, '')
)
select
    state as "State",
    count(*) as "rows",
    sum(accepted + rejected + duplicate + held) as "TotalRecords",
    sum(accepted) as "Accepted",
    sum(warned) as "Warned",
    sum(rejected) as "Rejected",
    sum(duplicate) as "Duplicate",
    sum(held) as "Held"
from dated
where (%(date_basis)s::text = 'created'
        and received_at >= %(date_from)s::date::timestamp at time zone zone
        and received_at < (%(date_to)s::date + 1)::timestamp at time zone zone)
    or (%(date_basis)s::text = 'updated'
        and finished_at >= %(date_from)s::date::timestamp at time zone zone
        and finished_at < (%(date_to)s::date + 1)::timestamp at time zone zone)
group by state
