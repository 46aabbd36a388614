"""The life of an action: updates, locking dates, payouts, attribution, and the reference data that they follow."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

SETTINGS = """
alter table program
    add column modification_terms text not null default 'original'
        check (modification_terms in ('original', 'current'));
alter table event_type
    add column locking_after text not null default 'approval'
        check (locking_after in ('event', 'month_end', 'approval')),
    add column locking_months integer not null default 0 check (locking_months >= 0),
    add column locking_days integer not null default 730 check (locking_days >= 0),
    add column late_after_days integer check (late_after_days >= 0),
    add column parent_id bigint references event_type;
"""

REFERENCE = """
create table media (
    id bigint primary key,
    partner_id bigint not null references partner,
    name text not null,
    active boolean not null default true
);
create table promo_code (
    id bigint generated always as identity primary key,
    program_id bigint not null references program,
    code text not null,
    partner_id bigint not null references partner,
    active boolean not null default true
);
create unique index promo_code_by_code on promo_code (program_id, lower(code));
create table reason_code (
    id bigint generated always as identity primary key,
    event_type_id bigint not null references event_type,
    code text not null,
    effect text not null check (effect in ('modify', 'reverse', 'approve')),
    name text not null,
    active boolean not null default true
);
create unique index reason_code_by_code on reason_code (event_type_id, upper(code));
create table contract (
    id bigint primary key,
    program_id bigint not null references program,
    partner_id bigint references partner,
    name text not null,
    active boolean not null default true
);
create unique index contract_by_partner on contract (program_id, partner_id) nulls not distinct where active;
create table contract_term (
    id bigint generated always as identity primary key,
    contract_id bigint not null references contract,
    event_type_id bigint not null references event_type,
    category text,
    starts date not null,
    ends date check (ends >= starts),
    percent numeric check (percent >= 0),
    fixed numeric check (fixed >= 0),
    currency text check (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz not null default now(),
    replaced_at timestamptz,
    check (num_nonnulls(percent, fixed) = 1),
    check (fixed is null or currency is not null)
);
create unique index contract_term_in_force
    on contract_term (contract_id, event_type_id, lower(category), currency, starts) nulls not distinct
    where replaced_at is null;
"""

# Like the actions themselves, their updates have no foreign keys (docs/decisions/0009).
ACTIONS = """
alter table action
    add column payout numeric,
    add column term_id bigint,
    add column attributed_by text
        check (attributed_by in ('partner', 'media', 'click', 'promo_code', 'parent')),
    add column parent_id bigint,
    add column locks_at timestamptz,
    add column locked_at timestamptz,
    add column locked_by text check (locked_by in ('date', 'file')),
    add column modifications integer not null default 0,
    add column updated_at timestamptz,
    add column updated_by bigint,
    add check ((locked_at is null) = (locked_by is null));
alter table action_item
    add column payout numeric,
    add column term_id bigint,
    add column reversed_quantity numeric,
    add column reversed_amount numeric;
create index action_by_locking_date on action using brin (locks_at);
create index action_by_customer on action using brin (customer_id text_bloom_ops);

create table action_update (
    id bigint generated always as identity primary key,
    action_id bigint not null,
    kind text not null check (kind in ('modified', 'reversed', 'restored', 'approved', 'locked', 'withdrawn')),
    at timestamptz not null default now(),
    received_at timestamptz not null,
    submission_id bigint,
    line bigint,
    reason text,
    disposition text,
    old_state text not null,
    new_state text not null,
    old_amount numeric not null,
    new_amount numeric not null,
    old_payout numeric,
    new_payout numeric,
    old_customer_status text,
    new_customer_status text,
    given_amount numeric,
    given_quantity numeric,
    term_id bigint,
    withdraws_id bigint,
    check ((submission_id is null) = (line is null))
);
create index action_update_by_action on action_update (action_id, id);
create index action_update_by_submission on action_update using brin (submission_id);
create index action_update_by_time on action_update using brin (at);
create table action_item_update (
    update_id bigint not null,
    number integer not null,
    old_quantity numeric,
    new_quantity numeric,
    old_amount numeric not null,
    new_amount numeric not null,
    old_payout numeric,
    new_payout numeric,
    primary key (update_id, number)
);
create trigger never_deleted before delete on action_update for each row execute function never_deleted();
create trigger never_deleted before delete on contract_term for each row execute function never_deleted();
"""

# Actions of apps are known by an M in front. Written with a dot, a.public_id, it reads like a column.
PUBLIC_ID = """
create function public_id(a action) returns text language sql immutable as $$
    select case when a.event_code is null then '' else 'M' end || a.program_id || '.' || a.event_type_id || '.' || a.id
$$;
"""

LOCKING_DATE = """
create function locking_date(
    event_at timestamptz, time_zone text, locking_after text, locking_months integer, locking_days integer
) returns timestamptz language sql immutable as $$
    select (
        case when locking_after = 'month_end'
             then date_trunc('month', event_at at time zone time_zone)
                  + make_interval(months => locking_months + 1, days => locking_days)
             else date_trunc('day', event_at at time zone time_zone) + make_interval(days => locking_days + 1) end
    ) at time zone time_zone
$$;
update action a set locks_at = locking_date(a.event_at, p.time_zone, t.locking_after, t.locking_months, t.locking_days)
from event_type t join program p on p.id = t.program_id where t.id = a.event_type_id;
"""

REPORTS_ROLE = """
do $$
begin
    if exists (select from pg_roles where rolname = 'connections_reports') then
        grant select on media, promo_code, reason_code, contract, contract_term, action_update, action_item_update
            to connections_reports;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Add what actions live through after they were taken."""
    for part in (SETTINGS, REFERENCE, ACTIONS, PUBLIC_ID, LOCKING_DATE, REPORTS_ROLE):
        op.execute(part)
