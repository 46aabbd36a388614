select
    program.id as "CampaignId",
    action.event_type_id as "ActionTrackerId",
    action.event_code as "EventCode",
    action.event_at as "EventDate",
    action.order_id as "OrderId",
    action.click_id as "ClickId",
    action.customer_id as "CustomerId",
    action.partner_id as "MediaPartnerId",
    action.promo_code as "OrderPromoCode",
    action.currency as "CurrencyCode",
    coalesce(action_item.amount, action.amount) as "Amount",
    action_item.category as "Category",
    action_item.sku as "Sku",
    action_item.quantity as "Quantity",
    action.public_id as "ActionId",
    action.state as "State",
    case when action_item.action_id is null then action.payout else action_item.payout end as "Payout"
from action
join program on program.id = action.program_id
left join action_item on action_item.action_id = action.id
where
-- include action_is_due
order by program.id, action.event_type_id, action.order_id, action.id, action_item.number
