"""The tables of product catalogs, aggregate performance, classifications, campaign metrics and web events."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

# As the folders of include/schemas have them: reports ask for them in ledgers that never took any.
KEPT = """
create table catalog_item (
    program_id bigint not null,
    dataset text not null,
    catalog_item_id text,
    name text,
    description text,
    url text,
    mobile_url text,
    image_url text,
    additional_image_urls text,
    current_price numeric,
    sale_price numeric,
    original_price numeric,
    currency text,
    discount_percentage bigint,
    manufacturing_cost numeric,
    stock_availability text,
    estimated_ship_date timestamptz,
    launch_date timestamptz,
    expiration_date timestamptz,
    brand text,
    manufacturer text,
    gtin text,
    gtin_type text,
    mpn text,
    asin text,
    category text,
    original_format_category text,
    original_format_category_id text,
    parent_name text,
    parent_sku text,
    is_parent boolean,
    item_group_id text,
    condition text,
    colors text,
    material text,
    pattern text,
    size text,
    size_unit text,
    gender text,
    age_group text,
    age_range_min bigint,
    age_range_max bigint,
    age_range_unit text,
    adult boolean,
    multipack text,
    labels text,
    promotion_ids text,
    weight numeric,
    weight_unit text,
    shipping_rate numeric,
    shipping_weight numeric,
    shipping_weight_unit text,
    shipping_length numeric,
    shipping_width numeric,
    shipping_height numeric,
    shipping_length_unit text,
    shipping_label text,
    product_bid text,
    inventory bigint,
    change text,
    extra jsonb,
    received_at timestamptz not null,
    submission_id bigint not null,
    line bigint not null
);
create unique index catalog_item_key on catalog_item (program_id, dataset, catalog_item_id) nulls not distinct;
create index catalog_item_by_parent_sku on catalog_item (parent_sku);
create index catalog_item_by_gtin on catalog_item (gtin);
insert into data_type (name, table_name) values ('product_catalog', 'catalog_item');
create table aggregate_performance (
    program_id bigint not null,
    dataset text not null,
    campaign_id bigint,
    event_date_time_start timestamptz,
    event_date_time_end timestamptz,
    media_id bigint,
    ad_id bigint,
    event_type text,
    quantity bigint,
    revenue numeric,
    cost numeric,
    discount numeric,
    currency text,
    shared_id text,
    extra jsonb,
    received_at timestamptz not null,
    submission_id bigint not null,
    line bigint not null
);
create unique index aggregate_performance_key on aggregate_performance (
    program_id, dataset, campaign_id, event_date_time_start, event_date_time_end, media_id, ad_id, event_type
) nulls not distinct;
create index aggregate_performance_by_event_date_time_start on aggregate_performance (event_date_time_start);
insert into data_type (name, table_name) values ('aggregate_performance', 'aggregate_performance');
create table classification (
    program_id bigint not null,
    dataset text not null,
    key text,
    classifications jsonb,
    extra jsonb,
    received_at timestamptz not null,
    submission_id bigint not null,
    line bigint not null
);
create unique index classification_key on classification (program_id, dataset, key) nulls not distinct;
insert into data_type (name, table_name) values ('classifications', 'classification');
create table campaign_metric (
    program_id bigint not null,
    dataset text not null,
    date timestamptz,
    tracking_code text,
    product text,
    category text,
    marketing_channel text,
    marketing_channel_detail text,
    transaction_id text,
    zip text,
    cart_adds numeric,
    cart_removes numeric,
    cart_views numeric,
    cart_opens numeric,
    checkouts numeric,
    orders numeric,
    price numeric,
    quantity numeric,
    extra jsonb,
    received_at timestamptz not null,
    submission_id bigint not null,
    line bigint not null
);
create unique index campaign_metric_key on campaign_metric (submission_id, line) nulls not distinct;
create index campaign_metric_by_tracking_code on campaign_metric (tracking_code);
create index campaign_metric_by_date on campaign_metric (date);
insert into data_type (name, table_name) values ('campaign_metrics', 'campaign_metric');
create table web_hit (
    program_id bigint not null,
    dataset text not null,
    hit_id text,
    event_date timestamptz,
    visitor_id text,
    recipient_id text,
    message_id text,
    tracking_code text,
    page_url text,
    products text,
    events text,
    purchase_id text,
    currency text,
    extra jsonb,
    received_at timestamptz not null,
    submission_id bigint not null,
    line bigint not null
);
create unique index web_hit_key on web_hit (submission_id, line) nulls not distinct;
create index web_hit_by_event_date on web_hit (event_date);
create index web_hit_by_visitor_id on web_hit (visitor_id);
insert into data_type (name, table_name) values ('web_events', 'web_hit');
"""

# The products of hits, one by one. What a purchaseID tells apart are its first 20 bytes.
WEB_PRODUCTS = """
create index web_hit_by_purchase on web_hit (program_id, dataset, left(purchase_id, 20))
    where purchase_id is not null;
create table web_product (
    program_id bigint not null,
    dataset text not null,
    submission_id bigint not null,
    line bigint not null,
    number integer not null,
    category text,
    product text not null,
    quantity numeric,
    price numeric,
    events jsonb,
    merchandising jsonb,
    hit_events text[] not null,
    primary key (submission_id, line, number)
);
create index web_product_by_product on web_product (product);
create function web_values(pairs text) returns jsonb language sql immutable as $$
    select jsonb_object_agg(split_part(pair, '=', 1), coalesce(nullif(split_part(pair, '=', 2), ''), '1'))
    from string_to_table(nullif(pairs, ''), '|') as pair where pair <> ''
$$;
create function web_hit_events(events text) returns text[] language sql immutable as $$
    with named as (
        select distinct split_part(split_part(event, '=', 1), ':', 1) as event
        from string_to_table(coalesce(events, ''), ',') as event where event <> ''
    )
    select array_agg(event order by event) from (
        select event from named
        union all select 'prodView' where not exists (
            select from named
            where event in ('prodView', 'scOpen', 'scAdd', 'scRemove', 'scView', 'scCheckout', 'purchase'))
    ) of_hit
$$;
"""

GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'connections_reports') then
        grant select on catalog_item, aggregate_performance, classification, campaign_metric, web_hit, web_product
            to connections_reports;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Create the tables, and let reports read them."""
    for part in (KEPT, WEB_PRODUCTS, GRANTS):
        op.execute(part)
