with
-- include bonus_shares
granted as (
    select bonus.*, contract.program_id from bonus join contract on contract.id = bonus.contract_id
)
select
    to_char(bonus_part.month, 'YYYY-MM') as "Month",
    program.id as "CampaignId",
    program.name as "CampaignName",
    bonus_part.partner_id as "PartnerId",
    partner.name as "PartnerName",
    granted.contract_id as "ContractId",
    granted.id as "BonusId",
    granted.name as "PayoutGroup",
    granted.currency as "Currency",
    bonus_part.tier as "Tier",
    granted.measure as "ThresholdType",
    bonus_part.threshold as "ThresholdValue",
    bonus_part.tier_percent as "Percent",
    bonus_part.tier_fixed as "Fixed",
    bonus_part.actions as "ActionCount",
    bonus_part.revenue as "Revenue",
    bonus_part.default_cents as "DefaultPayout",
    bonus_part.cents as "BonusPayout",
    bonus_part.last_day as "LockedThrough"
from bonus_part
join granted on granted.id = bonus_part.bonus_id
join program on program.id = granted.program_id
left join partner on partner.id = bonus_part.partner_id
order by bonus_part.month, program.id, bonus_part.partner_id, granted.id, bonus_part.tier
