(%(program)s::text is null or program.key = %(program)s)
    -- Only lets the index on event_at narrow the search; a day more on each side is harmless.
    and (%(date_basis)s::text <> 'event' or action.event_at >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and action.event_at < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days')
    and
    -- include action_day
    between %(date_from)s and %(date_to)s
