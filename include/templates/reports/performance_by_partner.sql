select
    program.id as "ProgramId",
    program.name as "ProgramName",
    partner.id as "PartnerId",
    partner.name as "PartnerName",
    action.currency as "Currency",
    count(*) as "GrossActions",
    count(*) filter (where action.state <> 'REVERSED') as "Actions",
    sum(action.amount) as "GrossRevenue",
    coalesce(sum(action.amount) filter (where action.state <> 'REVERSED'), 0) as "Revenue",
    sum(action.payout) as "GrossActionCost",
    sum(action.payout) filter (where action.state <> 'REVERSED') as "ActionCost"
from action
join program on program.id = action.program_id
left join partner on partner.id = action.partner_id
where (%(program)s::text is null or program.key = %(program)s)
    and action.event_at >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and action.event_at < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
    and (action.event_at at time zone coalesce(%(time_zone)s, program.time_zone))::date
        between %(date_from)s and %(date_to)s
group by program.id, program.name, partner.id, partner.name, action.currency
order by program.id, partner.id nulls first, action.currency
