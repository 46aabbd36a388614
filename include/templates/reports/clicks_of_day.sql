select
    click.click_id as "Id",
    program.id as "CampaignId",
    program.name as "CampaignName",
    click.event_date as "EventDate",
    click.media_partner_id as "MediaPartnerId",
    click.media_id as "MediaId",
    click.ad_id as "AdId",
    click.product_sku as "ProductSku",
    click.customer_country as "CustomerCountry",
    click.device_type as "DeviceType",
    click.referring_domain as "ReferringDomain",
    click.shared_id as "SharedId",
    click.unique_click as "UniqueClick",
    click.payout as "Payout",
    click.payout_currency as "PayoutCurrency"
from click
join program on program.id = click.program_id
where (%(program)s::text is null or program.key = %(program)s)
    and click.event_date >= %(date_from)s::date::timestamp at time zone 'UTC' - interval '1 day'
        and click.event_date < %(date_to)s::date::timestamp at time zone 'UTC' + interval '2 days'
    and (click.event_date at time zone coalesce(%(time_zone)s, program.time_zone))::date
        between %(date_from)s and %(date_to)s
order by click.event_date, click.submission_id, click.line
