with
-- include due_and_clicked
-- include other_costs
act as (
    select due.*, partner_id as part from due
),
seen as (
    select clicked.*, partner_id as part from clicked
),
extra as (
    select other_cost.*, partner_id as part from other_cost
),
-- include performance
select
    program.id as "ProgramId",
    program.name as "ProgramName",
    figures.part as "PartnerId",
    partner.name as "PartnerName",
    partner.value1 as "PartnerValue1",
    partner.value2 as "PartnerValue2",
    partner.value3 as "PartnerValue3",
    -- include performance_measures
from figures
join program on program.id = figures.program_id
left join partner on partner.id = figures.part
order by program.id, figures.part nulls first, figures.currency
