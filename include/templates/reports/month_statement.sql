-- Each new action and each change is a movement of what is open: what it adds to the open amount and payout.
with first_change as (
    select distinct on (action_id) action_id, old_amount, old_payout from action_update order by action_id, id
),
movement as (
    select
        action.partner_id,
        action.currency,
        (action.received_at at time zone coalesce(%(time_zone)s, program.time_zone))::date as day,
        'new' as kind,
        coalesce(first_change.old_amount, action.amount) as amount,
        coalesce(case when first_change.action_id is null then action.payout else first_change.old_payout end, 0) as payout
    from action
    join program on program.id = action.program_id
    left join first_change on first_change.action_id = action.id
    where (%(program)s::text is null or program.key = %(program)s)
    union all
    select
        action.partner_id,
        action.currency,
        (changed.received_at at time zone coalesce(%(time_zone)s, program.time_zone))::date,
        case
            when changed.old_state = 'PENDING' and changed.new_state = 'REVERSED' then 'reversed'
            when changed.old_state = 'PENDING' and changed.new_state = 'APPROVED' then 'locked'
            else 'modified'
        end,
        case when changed.new_state = 'PENDING' then changed.new_amount else 0 end
            - case when changed.old_state = 'PENDING' then changed.old_amount else 0 end,
        case when changed.new_state = 'PENDING' then coalesce(changed.new_payout, 0) else 0 end
            - case when changed.old_state = 'PENDING' then coalesce(changed.old_payout, 0) else 0 end
    from action_update changed
    join action on action.id = changed.action_id
    join program on program.id = action.program_id
    where (%(program)s::text is null or program.key = %(program)s)
),
sums as (
    select
        partner_id,
        currency,
        coalesce(sum(amount) filter (where day < %(date_from)s), 0) as opening_amount,
        coalesce(sum(amount) filter (where day >= %(date_from)s and kind = 'new'), 0) as new_amount,
        coalesce(sum(amount) filter (where day >= %(date_from)s and kind = 'modified'), 0) as modified_amount,
        - coalesce(sum(amount) filter (where day >= %(date_from)s and kind = 'reversed'), 0) as reversed_amount,
        - coalesce(sum(amount) filter (where day >= %(date_from)s and kind = 'locked'), 0) as locked_amount,
        coalesce(sum(payout) filter (where day < %(date_from)s), 0) as opening_payout,
        coalesce(sum(payout) filter (where day >= %(date_from)s and kind = 'new'), 0) as new_payout,
        coalesce(sum(payout) filter (where day >= %(date_from)s and kind = 'modified'), 0) as modified_payout,
        - coalesce(sum(payout) filter (where day >= %(date_from)s and kind = 'reversed'), 0) as reversed_payout,
        - coalesce(sum(payout) filter (where day >= %(date_from)s and kind = 'locked'), 0) as locked_payout
    from movement
    where day <= %(date_to)s
    group by partner_id, currency
    having sum(amount) <> 0 or sum(payout) <> 0 or bool_or(day >= %(date_from)s)
)
select
    %(date_from)s::date as "DateFrom",
    %(date_to)s::date as "DateTo",
    partner.id as "PartnerId",
    partner.name as "PartnerName",
    sums.currency as "Currency",
    sums.opening_amount as "OpeningAmount",
    sums.new_amount as "NewAmount",
    sums.modified_amount as "ModifiedAmount",
    sums.reversed_amount as "ReversedAmount",
    sums.locked_amount as "LockedAmount",
    sums.opening_amount + sums.new_amount + sums.modified_amount - sums.reversed_amount - sums.locked_amount as "ClosingAmount",
    sums.opening_payout as "OpeningPayout",
    sums.new_payout as "NewPayout",
    sums.modified_payout as "ModifiedPayout",
    sums.reversed_payout as "ReversedPayout",
    sums.locked_payout as "LockedPayout",
    sums.opening_payout + sums.new_payout + sums.modified_payout - sums.reversed_payout - sums.locked_payout as "ClosingPayout"
from sums
left join partner on partner.id = sums.partner_id
order by partner.id nulls first, sums.currency
