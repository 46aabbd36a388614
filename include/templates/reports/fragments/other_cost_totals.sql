-- include bonus_totals
bonus_cost as (
    select
        (select program_id from months where months.id = reached_cents.bonus_id limit 1) as program_id,
        partner_id,
        currency,
        month + 31 - cast(extract(day from month + 31) as integer) as day,
        cents
    from reached_cents
    where cents <> 0
),
