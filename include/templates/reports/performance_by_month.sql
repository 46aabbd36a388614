with
-- include due_and_clicked
-- include other_costs
act as (
    select due.*, to_char(day, 'YYYY-MM') as part from due
),
seen as (
    select clicked.*, to_char(day, 'YYYY-MM') as part from clicked
),
extra as (
    select other_cost.*, to_char(day, 'YYYY-MM') as part from other_cost
),
-- include performance
select
    figures.part as "Month",
    program.id as "ProgramId",
    program.name as "ProgramName",
    -- include performance_measures
from figures
join program on program.id = figures.program_id
order by figures.part, program.id, figures.currency
