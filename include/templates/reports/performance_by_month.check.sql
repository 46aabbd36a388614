with
-- include counted_actions
-- include other_cost_totals
act as (
    select due.*, date_trunc('month', day) as part from due
),
click_of as (
    select seen.*, date_trunc('month', day) as part from seen
),
cost as (
    select bonus_cost.*, date_trunc('month', day) as part from bonus_cost
),
-- include performance_totals
