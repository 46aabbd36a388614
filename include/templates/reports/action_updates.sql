select
    action_update.id as "UpdateId",
    action.public_id as "ActionId",
    action.program_id as "CampaignId",
    action.event_type_id as "ActionTrackerId",
    action.order_id as "OrderId",
    action.partner_id as "MediaPartnerId",
    action_update.received_at as "UpdateDate",
    action_update.kind as "Kind",
    action_update.reason as "Reason",
    action_update.old_state as "OldState",
    action_update.new_state as "NewState",
    action_update.old_amount as "OldAmount",
    action_update.new_amount as "NewAmount",
    action_update.new_amount - action_update.old_amount as "DeltaAmount",
    action_update.old_payout as "OldPayout",
    action_update.new_payout as "NewPayout",
    action.currency as "Currency"
from action_update
join action on action.id = action_update.action_id
join program on program.id = action.program_id
where (%(program)s::text is null or program.key = %(program)s)
    and (action_update.received_at at time zone coalesce(%(time_zone)s, program.time_zone))::date
        between %(date_from)s and %(date_to)s
order by action_update.id
