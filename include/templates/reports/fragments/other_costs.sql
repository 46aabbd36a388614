-- `other_cost` are the performance bonuses of the months that end in the range; a bonus belongs to the last day of its month.
-- include bonus_shares
other_cost as (
    select contract.program_id, bonus_part.partner_id, bonus.currency, bonus_part.last_day as day, bonus_part.cents
    from bonus_part
    join bonus on bonus.id = bonus_part.bonus_id
    join contract on contract.id = bonus.contract_id
    where bonus_part.cents > 0
),
