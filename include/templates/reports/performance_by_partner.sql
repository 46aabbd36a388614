with
-- include due_and_clicked
act as (
    select due.*, partner_id as part from due
),
seen as (
    select clicked.*, partner_id as part from clicked
),
-- include performance
select
    program.id as "ProgramId",
    program.name as "ProgramName",
    figures.part as "PartnerId",
    partner.name as "PartnerName",
    -- include performance_measures
from figures
join program on program.id = figures.program_id
left join partner on partner.id = figures.part
order by program.id, figures.part nulls first, figures.currency
