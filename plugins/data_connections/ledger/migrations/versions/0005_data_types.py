"""Data types: the versions that submissions refer to, and the table of clicks."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

DATA_TYPES = """
create table data_type (
    name text primary key,
    table_name text unique,
    version text,
    changed_at timestamptz not null default now()
);
create table data_type_version (
    name text not null,
    version text not null,
    content jsonb not null,
    recorded_at timestamptz not null default now(),
    primary key (name, version)
);
"""

# As include/schemas/clicks has it: conversions and reports ask for clicks in ledgers that never took any.
CLICKS = """
create table click (
    program_id bigint not null,
    dataset text not null,
    click_id text,
    campaign_id bigint,
    event_date timestamptz,
    media_id bigint,
    media_partner_id bigint,
    profile_id text,
    ad_id bigint,
    product_sku text,
    customer_country text,
    device_type text,
    referring_domain text,
    shared_id text,
    unique_click boolean,
    payout numeric,
    payout_currency text,
    extra jsonb,
    received_at timestamp with time zone not null,
    submission_id bigint not null,
    line bigint not null
);
create unique index click_key on click (submission_id, line) nulls not distinct;
create index click_by_click_id on click (click_id);
create index click_by_event_date on click (event_date);
insert into data_type (name, table_name) values ('clicks', 'click');
"""

GRANTS = """
do $$
begin
    if exists (select from pg_roles where rolname = 'connections_reports') then
        grant select on click to connections_reports;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Create the tables, and let reports read the clicks."""
    for part in (DATA_TYPES, CLICKS, GRANTS):
        op.execute(part)
