-- The day of the program's calendar that an action lies in, by the date basis. Local dates are compared, so that days
-- of 23 and 25 hours, and midnights that a clock change skips or repeats, are whole.
(
    case %(date_basis)s::text
        when 'created' then action.received_at
        when 'updated' then coalesce(
            (select max(action_update.received_at) from action_update where action_update.action_id = action.id),
            action.received_at)
        when 'locked' then action.locked_at
        else action.event_at
    end at time zone coalesce(%(time_zone)s, program.time_zone)
)::date
