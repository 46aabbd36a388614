-- What `act`, `seen` and `extra` come to for each program, part and currency; a part is a day, a month or a partner. Clicks
-- have no currency: they stand beside the actions of each one, and in the program's own where there is nothing else.
sums as (
    select
        program_id,
        part,
        currency,
        count(*) as gross_actions,
        count(*) filter (where stands) as actions,
        sum(amount) as gross_revenue,
        coalesce(sum(amount) filter (where stands), 0) as revenue,
        sum(payout) as gross_action_cost,
        sum(payout) filter (where stands) as action_cost
    from act
    group by program_id, part, currency
),
pieces as (
    select act.program_id, act.part, act.currency, sum(action_item.quantity) as quantity
    from act
    join action_item on action_item.action_id = act.id
    where act.stands
    group by act.program_id, act.part, act.currency
),
by_event_type as (
    select program_id, part, currency, jsonb_object_agg(name, actions)::text as actions_by_event_type
    from (
        select act.program_id, act.part, act.currency, coalesce(event_type.code, event_type.id::text) as name, count(*) as actions
        from act
        join event_type on event_type.id = act.event_type_id
        where act.stands
        group by act.program_id, act.part, act.currency, coalesce(event_type.code, event_type.id::text)
    ) counted
    group by program_id, part, currency
),
visits as (
    select program_id, part, sum(clicks) as clicks from seen group by program_id, part
),
extras as (
    select program_id, part, currency, sum(cents) as other_cost from extra group by program_id, part, currency
),
line as (
    select program_id, part, currency from sums
    union
    select program_id, part, currency from extras
),
figures as (
    select
        line.program_id,
        line.part,
        line.currency,
        coalesce(sums.gross_actions, 0) as gross_actions,
        coalesce(sums.actions, 0) as actions,
        coalesce(sums.gross_revenue, 0) as gross_revenue,
        coalesce(sums.revenue, 0) as revenue,
        sums.gross_action_cost,
        sums.action_cost,
        extras.other_cost,
        pieces.quantity,
        coalesce(visits.clicks, 0) as clicks,
        by_event_type.actions_by_event_type
    from line
    left join sums on (sums.program_id, sums.currency) = (line.program_id, line.currency)
        and coalesce(sums.part::text, '') = coalesce(line.part::text, '')
    left join extras on (extras.program_id, extras.currency) = (line.program_id, line.currency)
        and coalesce(extras.part::text, '') = coalesce(line.part::text, '')
    left join pieces on (pieces.program_id, pieces.currency) = (line.program_id, line.currency)
        and coalesce(pieces.part::text, '') = coalesce(line.part::text, '')
    left join by_event_type on (by_event_type.program_id, by_event_type.currency) = (line.program_id, line.currency)
        and coalesce(by_event_type.part::text, '') = coalesce(line.part::text, '')
    left join visits on visits.program_id = line.program_id and coalesce(visits.part::text, '') = coalesce(line.part::text, '')
    union all
    select visits.program_id, visits.part, program.currency, 0, 0, 0, 0, null, null, null, null, visits.clicks, null
    from visits
    join program on program.id = visits.program_id
    where not exists (
        select from line where line.program_id = visits.program_id and coalesce(line.part::text, '') = coalesce(visits.part::text, '')
    )
)
