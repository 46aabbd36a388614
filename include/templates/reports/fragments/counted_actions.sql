-- For checks, another way to the same totals: days are compared as instants of their midnights, clicks are looked up for
-- each line, and money and pieces are added up apart from each other.
ranges as (
    select
        program.id as program_id,
        program.key,
        program.currency as own_currency,
        coalesce(%(time_zone)s, program.time_zone) as zone
    from program
    where program.key = coalesce(%(program)s, program.key)
),
own as (
    select
        action.id,
        action.program_id,
        action.partner_id,
        action.currency,
        action.amount,
        action.payout,
        action.state in ('PENDING', 'APPROVED') as stands,
        cast(timezone(ranges.zone, dated.at) as date) as day
    from ranges
    join action on action.program_id = ranges.program_id
    cross join lateral (
        select action.event_at as at where %(date_basis)s::text = 'event'
        union all select action.received_at where %(date_basis)s::text = 'created'
        union all select action.locked_at where %(date_basis)s::text = 'locked'
        union all select greatest(
            action.received_at,
            (select last.received_at from action_update last where last.action_id = action.id
             order by last.received_at desc limit 1)
        ) where %(date_basis)s::text = 'updated'
    ) dated
    where (%(date_basis)s::text <> 'event' or action.event_at >= %(date_from)s::date - interval '3 days'
            and action.event_at <= %(date_to)s::date + interval '3 days')
        and dated.at > timestamptz 'epoch' + (%(date_from)s::date - 2 - date '1970-01-01') * interval '24 hours'
        and dated.at < timestamptz 'epoch' + (%(date_to)s::date + 3 - date '1970-01-01') * interval '24 hours'
),
due as (
    select * from own where day >= %(date_from)s and day <= %(date_to)s
),
visit as (
    select
        click.program_id,
        coalesce(click.media_partner_id, (select partner_id from media where id = click.media_id)) as partner_id,
        cast(timezone(ranges.zone, click.event_date) as date) as day
    from click
    join ranges using (program_id)
    where coalesce(click.unique_click, true) and coalesce(click.device_type, '') <> 'ROBOT'
),
seen as (
    select * from visit where day >= %(date_from)s and day <= %(date_to)s
),
