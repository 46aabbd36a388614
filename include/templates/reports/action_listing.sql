select
    action.public_id as "ActionId",
    program.id as "CampaignId",
    program.name as "CampaignName",
    event_type.id as "ActionTrackerId",
    event_type.name as "ActionTrackerName",
    action.event_code as "EventCode",
    partner.id as "MediaPartnerId",
    partner.name as "MediaPartnerName",
    action.media_id as "MediaId",
    action.state as "State",
    action.order_id as "OrderId",
    action.amount as "Amount",
    action.payout as "Payout",
    action.currency as "Currency",
    action.event_at as "EventDate",
    action.received_at as "CreationDate",
    coalesce(action.locked_at, action.locks_at) as "LockingDate",
    action.customer_id as "CustomerId",
    action.promo_code as "PromoCode",
    action.click_id as "ClickId"
from action
join program on program.id = action.program_id
join event_type on event_type.id = action.event_type_id
left join partner on partner.id = action.partner_id
where
-- include action_is_due
order by program.id, event_type.id, action.order_id, action.id
