-- `due` are the actions of the range; `clicked` are the clicks of its days, those of robots and repeated ones left out.
due as (
    select
        action.id,
        action.program_id,
        action.event_type_id,
        action.partner_id,
        action.currency,
        action.amount,
        action.payout,
        action.state <> 'REVERSED' as stands,
        -- include action_day
        as day
    from action
    join program on program.id = action.program_id
    where
    -- include action_is_due
),
clicked as (
    select
        click.program_id,
        coalesce(click.media_partner_id, media.partner_id) as partner_id,
        (click.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date as day,
        count(*) as clicks
    from click
    join program on program.id = click.program_id
    left join media on media.id = click.media_id
    where (%(program)s::text is null or program.key = %(program)s)
        and click.event_date >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and click.event_date < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
        and (click.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
            between %(date_from)s and %(date_to)s
        and click.unique_click is not false
        and click.device_type is distinct from 'ROBOT'
    group by click.program_id, coalesce(click.media_partner_id, media.partner_id),
        (click.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
),
