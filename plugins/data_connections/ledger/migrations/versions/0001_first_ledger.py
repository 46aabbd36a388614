"""The first ledger: reference data, connections, files, actions, deliveries."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

REFERENCE = """
create table program (
    id bigint primary key,
    key text not null unique,
    name text not null,
    time_zone text not null default 'UTC',
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    active boolean not null default true
);
create table event_type (
    id bigint primary key,
    program_id bigint not null references program,
    code text,
    name text not null,
    duplicate_window_days integer not null default 30 check (duplicate_window_days >= 0),
    active boolean not null default true,
    unique (program_id, code)
);
create table partner (
    id bigint primary key,
    name text not null,
    active boolean not null default true
);
"""

CONNECTIONS = """
create table connection (
    id bigint generated always as identity primary key,
    name text not null unique,
    managed_by text not null,
    revision integer not null,
    built_revision integer,
    refusal text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
create table connection_revision (
    connection_id bigint not null references connection,
    number integer not null,
    spec jsonb not null,
    hash text not null,
    created_at timestamptz not null default now(),
    created_by text not null,
    primary key (connection_id, number)
);
create table activity (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    who text not null,
    what text not null,
    subject text not null,
    connection_id bigint references connection,
    details jsonb not null default '{}'
);
create index activity_by_time on activity (at desc);
create index activity_by_connection on activity (connection_id, id desc);
create table connection_run (
    id bigint generated always as identity primary key,
    connection_id bigint not null references connection,
    revision integer not null,
    dag_run_id text not null,
    state text not null check (state in ('in_progress', 'completed', 'failed')),
    reason text,
    files integer not null default 0,
    rows bigint not null default 0,
    accepted bigint not null default 0,
    rejected bigint not null default 0,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    unique (connection_id, dag_run_id)
);
"""

FILES = """
create table sighting (
    id bigint generated always as identity primary key,
    connection_id bigint not null references connection,
    path text not null,
    name text not null,
    size bigint not null,
    mtime timestamptz not null,
    decision text not null check (decision in ('waiting', 'ignored', 'claimed')),
    reason text,
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    unique (connection_id, path, size, mtime)
);
create table submission (
    id bigint generated always as identity primary key,
    trace_id uuid not null unique default gen_random_uuid(),
    connection_id bigint not null references connection,
    revision integer not null,
    number bigint not null,
    run_id bigint references connection_run,
    sighting_id bigint unique references sighting,
    origin text not null check (origin in ('endpoint', 'manual')),
    file_name text not null,
    received_at timestamptz not null,
    state text not null check (state in (
        'claimed', 'fetched', 'validated', 'on_hold',
        'applied', 'partly_applied', 'quarantined', 'duplicate')),
    code text,
    message text,
    refusal jsonb,
    size bigint,
    sha256 text,
    landing_key text,
    data_type text not null,
    data_type_version text,
    format jsonb,
    attempt text,
    seal jsonb,
    warnings jsonb not null default '[]',
    expectations jsonb not null default '[]',
    rows bigint not null default 0,
    accepted bigint not null default 0,
    warned bigint not null default 0,
    rejected bigint not null default 0,
    duplicate bigint not null default 0,
    held bigint not null default 0,
    leased_by text,
    leased_until timestamptz,
    corrects_id bigint references submission,
    duplicate_of_id bigint references submission,
    apply_anyway boolean not null default false,
    approved_by text,
    approved_at timestamptz,
    claimed_at timestamptz not null default now(),
    fetched_at timestamptz,
    validated_at timestamptz,
    finished_at timestamptz,
    acknowledged_at timestamptz,
    unique (connection_id, number),
    check (rows = accepted + rejected + duplicate + held)
);
create index submission_by_hash on submission (sha256);
create index submission_unfinished on submission (connection_id, number)
    where state in ('claimed', 'fetched', 'validated', 'on_hold');
create table submission_total (
    submission_id bigint not null references submission,
    outcome text not null check (outcome in ('accepted', 'rejected', 'duplicate', 'held')),
    currency text not null,
    rows bigint not null,
    quantity numeric not null,
    amount numeric not null,
    primary key (submission_id, outcome, currency)
);
create table outcome (
    submission_id bigint not null,
    line bigint not null,
    number integer not null,
    outcome text not null check (outcome in ('accepted', 'rejected', 'duplicate', 'held')),
    severity text not null check (severity in ('error', 'warning')),
    code text not null,
    column_name text,
    message text not null,
    primary key (submission_id, line, number)
);
create schema staging;
"""

# Actions refer to programs, event types and submissions without foreign keys: their checks, row by row, took more than
# half of the time that a million actions take. Rows are written in sets that are joined with what they refer to.
ACTIONS = """
create table action (
    id bigint generated always as identity primary key,
    program_id bigint not null,
    event_type_id bigint not null,
    order_id text not null,
    occurrence integer not null default 1,
    state text not null default 'PENDING' check (state in ('PENDING', 'APPROVED', 'REVERSED')),
    event_at timestamptz not null,
    received_at timestamptz not null,
    amount numeric not null,
    currency text not null,
    partner_id bigint,
    media_id bigint,
    click_id text,
    customer_id text,
    promo_code text,
    event_code text,
    extra jsonb,
    submission_id bigint not null,
    line bigint not null,
    unique (event_type_id, order_id, occurrence)
);
create index action_by_submission on action using brin (submission_id);
create index action_by_event on action using brin (event_at);
create table action_item (
    action_id bigint not null,
    number integer not null,
    sku text not null,
    category text,
    quantity numeric,
    amount numeric not null,
    extra jsonb,
    submission_id bigint not null,
    line bigint not null,
    primary key (action_id, number)
);

create function never_deleted() returns trigger language plpgsql as $$
begin
    raise exception 'Rows of % are never deleted: others refer to them.', tg_table_name;
end $$;
create trigger never_deleted before delete on program for each row execute function never_deleted();
create trigger never_deleted before delete on event_type for each row execute function never_deleted();
create trigger never_deleted before delete on submission for each row execute function never_deleted();
create trigger never_deleted before delete on action for each row execute function never_deleted();
"""

DELIVERIES = """
create table delivery (
    id bigint generated always as identity primary key,
    trace_id uuid not null unique default gen_random_uuid(),
    connection_id bigint not null references connection,
    revision integer not null,
    run_id bigint references connection_run,
    report text not null,
    business_date date not null,
    last_date date not null check (last_date >= business_date),
    version integer not null,
    state text not null check (state in ('exported', 'checked', 'sending', 'delivered', 'failed')),
    note text,
    message text,
    file_name text not null,
    size bigint,
    sha256 text,
    landing_key text,
    rows bigint,
    totals jsonb not null default '{}',
    remote_path text,
    created_at timestamptz not null default now(),
    checked_at timestamptz,
    intended_at timestamptz,
    delivered_at timestamptz,
    unique (connection_id, business_date, version)
);
create index delivery_by_run on delivery (run_id);
"""

REPORTS_ROLE = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'connections_reports') then
        create role connections_reports nologin;
    end if;
    if not (select rolsuper from pg_roles where rolname = current_user) then
        grant connections_reports to current_user;
    end if;
exception
    when insufficient_privilege then
        raise notice 'The role connections_reports has to be created by an administrator; see docs/reports.md.';
    when duplicate_object or unique_violation then
        null;
end
$$;
do $$
begin
    if exists (select from pg_roles where rolname = 'connections_reports') then
        grant select on program, event_type, partner, action, action_item to connections_reports;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Create every table, and the role that reports read with."""
    for part in (REFERENCE, CONNECTIONS, FILES, ACTIONS, DELIVERIES, REPORTS_ROLE):
        op.execute(part)
