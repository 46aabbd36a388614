with
-- include due_and_clicked
act as (
    select due.*, day as part from due
),
seen as (
    select clicked.*, day as part from clicked
),
-- include performance
select
    figures.part as "Date",
    program.id as "ProgramId",
    program.name as "ProgramName",
    -- include performance_measures
from figures
join program on program.id = figures.program_id
order by figures.part, program.id, figures.currency
