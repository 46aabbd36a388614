-- `paid_line` are the items of locked actions, or the actions that have none, each with the term that it was paid by. `placed`
-- puts them in a row: what of its month, partner and bonus lies before a line. `share` is what of a line is in a tier, and
-- `bonus_part` what all lines in a tier come to.
paid_line as (
    select
        bonus.id as bonus_id,
        bonus.measure,
        action.partner_id,
        action.id as action_id,
        coalesce(action_item.number, 0) as number,
        action.locked_at,
        date_trunc('month', action.locked_at at time zone coalesce(%(time_zone)s, program.time_zone))::date as month,
        case when action_item.action_id is null then action.amount else action_item.amount end as amount,
        case when action_item.action_id is null then action.payout else action_item.payout end as payout,
        contract_term.percent
    from bonus
    join contract on contract.id = bonus.contract_id
    join program on program.id = contract.program_id
    join action on action.program_id = program.id
        and action.event_type_id = any(bonus.event_type_ids)
        and action.currency = bonus.currency
    left join action_item on action_item.action_id = action.id
    join contract_term on contract_term.contract_id = contract.id
        and contract_term.id = case when action_item.action_id is null then action.term_id else action_item.term_id end
    where (%(program)s::text is null or program.key = %(program)s)
        and action.state = 'APPROVED'
        and action.locked_at >= date_trunc('month', %(date_from)s::date::timestamp) at time zone 'UTC' - interval '1 day'
        and action.locked_at < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
        and (action.locked_at at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between bonus.starts and coalesce(bonus.ends, 'infinity')
        and (bonus.category is null or lower(bonus.category) = lower(action_item.category))
),
placed as (
    select
        paid_line.*,
        row_number() over its_action = 1 as begins,
        case measure
            when 'revenue' then coalesce(sum(amount) over (its_month rows between unbounded preceding and 1 preceding), 0)
            else dense_rank() over its_month_of_actions - 1
        end as before
    from paid_line
    where (month + interval '1 month' - interval '1 day')::date between %(date_from)s and %(date_to)s
    window
        its_action as (partition by bonus_id, partner_id, month, action_id order by number),
        its_month as (partition by bonus_id, partner_id, month order by locked_at, action_id, number),
        its_month_of_actions as (partition by bonus_id, partner_id, month order by locked_at, action_id)
),
tier as (
    select
        bonus_id,
        row_number() over (partition by bonus_id order by threshold) as number,
        threshold,
        lead(threshold, 1, 'infinity') over (partition by bonus_id order by threshold) as upper,
        percent,
        fixed
    from bonus_tier
    where replaced_at is null
    union all
    select bonus_id, 0, 0, min(threshold), null, null
    from bonus_tier
    where replaced_at is null
    group by bonus_id
    having min(threshold) > 0
),
share as (
    select
        placed.*,
        tier.number as tier,
        tier.threshold,
        tier.percent as tier_percent,
        tier.fixed as tier_fixed,
        placed.begins and placed.before >= tier.threshold as begins_here,
        case placed.measure
            when 'revenue'
                then least(placed.before + placed.amount, tier.upper) - greatest(placed.before, tier.threshold)
            else placed.amount
        end as part
    from placed
    join tier on tier.bonus_id = placed.bonus_id
        and placed.before < tier.upper
        and (placed.before >= tier.threshold
            or (placed.measure = 'revenue' and placed.before + placed.amount > tier.threshold))
),
bonus_share as (
    select
        bonus_id,
        partner_id,
        month,
        tier,
        threshold,
        tier_percent,
        tier_fixed,
        count(*) filter (where begins_here) as actions,
        sum(part) as revenue,
        coalesce(sum(case when percent is not null then part * percent / 100
                          when measure = 'revenue' then payout * part / nullif(amount, 0)
                          else payout end), 0) as default_payout
    from share
    group by bonus_id, partner_id, month, tier, threshold, tier_percent, tier_fixed
),
bonus_part as (
    select
        bonus_share.*,
        round(default_payout, 2) as default_cents,
        round(greatest(
            coalesce(revenue * tier_percent / 100, actions * tier_fixed, default_payout) - default_payout, 0), 2) as cents,
        (month + interval '1 month' - interval '1 day')::date as last_day
    from bonus_share
),
