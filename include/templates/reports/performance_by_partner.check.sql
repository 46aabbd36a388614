with
-- include counted_actions
-- include other_cost_totals
act as (
    select due.*, partner_id as part from due
),
click_of as (
    select seen.*, partner_id as part from seen
),
cost as (
    select bonus_cost.*, partner_id as part from bonus_cost
),
-- include performance_totals
