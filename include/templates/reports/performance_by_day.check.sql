with
-- include counted_actions
parted as (
    select program_id, day as part, count(*) as clicks from seen group by program_id, day
),
line as (
    select program_id, day as part, currency from due
    union
    select parted.program_id, parted.part, ranges.own_currency
    from parted
    join ranges using (program_id)
    where not exists (
        select from due
        where due.program_id = parted.program_id and due.day is not distinct from parted.part
    )
),
-- include performance_totals
