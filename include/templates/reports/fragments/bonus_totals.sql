-- The same by differences: what the first so much of a month earns at the contract's rates, and in all, at the upper end
-- of a tier less at its lower end.
months as (
    select bonus.*, contract.program_id, first::date as month,
        first::timestamp at time zone zone as begins,
        (first + interval '1 month')::timestamp at time zone zone as ends_at,
        starts::timestamp at time zone zone as valid_from,
        (coalesce(ends, '9999-12-30') + 1)::timestamp at time zone zone as valid_to
    from bonus
    join contract on contract.id = bonus.contract_id
    join (select id, key, coalesce(%(time_zone)s, time_zone) as zone from program) own on own.id = contract.program_id
    cross join generate_series(
        date_trunc('month', %(date_from)s::date::timestamp), %(date_to)s::date::timestamp, '1 month') first
    where own.key = coalesce(%(program)s, own.key)
        and first + interval '1 month' - interval '1 day' <= %(date_to)s::date
),
paid as (
    select action_id, number, amount, payout, term_id, category, true as is_item from action_item
    union all
    select id, 0, amount, payout, term_id, null, false from action
),
locked as (
    select
        months.id as bonus_id, months.month, months.currency, months.measure, action.partner_id, action.locked_at,
        action.id, paid.number, paid.amount, paid.payout, term.percent
    from months
    join action on action.program_id = months.program_id and action.currency = months.currency
        and array[action.event_type_id] <@ months.event_type_ids
        and action.locked_at >= greatest(months.begins, months.valid_from)
        and action.locked_at < least(months.ends_at, months.valid_to)
    join paid on paid.action_id = action.id
        and paid.is_item = exists (select from action_item where action_id = action.id)
    join contract_term term on term.id = paid.term_id and term.contract_id = months.contract_id
    where action.state not in ('PENDING', 'REVERSED')
        and coalesce(lower(months.category) = lower(paid.category), months.category is null)
),
turn as (
    select
        bonus_id, month, partner_id, id,
        row_number() over (partition by bonus_id, month, partner_id order by min(locked_at), id) as turn
    from locked
    group by bonus_id, month, partner_id, id
),
counted as (
    select
        locked.*,
        case locked.measure
            when 'actions' then turn.turn - 1
            else sum(locked.amount) over (
                partition by locked.bonus_id, locked.month, locked.partner_id order by turn.turn, locked.number
            ) - locked.amount
        end as at
    from locked
    join turn on (turn.bonus_id, turn.month, turn.id) = (locked.bonus_id, locked.month, locked.id)
),
ladder as (
    select bonus_id, threshold as low, percent, fixed,
        (select min(next.threshold) from bonus_tier next
         where next.bonus_id = bonus_tier.bonus_id and next.threshold > bonus_tier.threshold and next.replaced_at is null) as high
    from bonus_tier
    where replaced_at is null
    union all
    select bonus_id, 0, null, null, min(threshold) from bonus_tier where replaced_at is null group by bonus_id
),
reached as (
    select
        counted.bonus_id, counted.month, counted.currency, counted.partner_id, ladder.low, ladder.percent, ladder.fixed,
        sum(inside.part) as revenue,
        count(distinct counted.id) filter (where counted.at >= ladder.low) as actions_in,
        coalesce(sum(inside.part * counted.percent / 100), 0) + coalesce(sum(
            case when counted.percent is null and counted.measure = 'revenue' then counted.payout * inside.part / nullif(counted.amount, 0)
                 when counted.percent is null then counted.payout end), 0) as anyway
    from counted
    join ladder using (bonus_id)
    cross join lateral (
        select case
            when counted.measure = 'actions' then counted.amount
            else greatest(0, least(counted.amount, coalesce(ladder.high, 'infinity') - counted.at))
                - greatest(0, least(counted.amount, ladder.low - counted.at))
        end as part
    ) inside
    where (ladder.high is null or counted.at < ladder.high)
        and (counted.at >= ladder.low or (counted.measure = 'revenue' and counted.at + counted.amount > ladder.low))
    group by counted.bonus_id, counted.month, counted.currency, counted.partner_id, ladder.low, ladder.percent, ladder.fixed
),
reached_cents as (
    select
        reached.*,
        round(case
            when percent is null and fixed is null then 0
            else greatest(0, coalesce(revenue * percent / 100, 0) + coalesce(actions_in * fixed, 0) - anyway) end, 2) as cents
    from reached
),
