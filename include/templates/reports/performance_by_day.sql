with
-- include due_and_clicked
-- include other_costs
act as (
    select due.*, day as part from due
),
seen as (
    select clicked.*, day as part from clicked
),
extra as (
    select other_cost.*, day as part from other_cost
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
