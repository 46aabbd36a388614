with
-- include counted_actions
-- include other_cost_totals
act as (
    select due.*, day as part from due
),
click_of as (
    select seen.*, day as part from seen
),
cost as (
    select bonus_cost.*, day as part from bonus_cost
),
-- include performance_totals
