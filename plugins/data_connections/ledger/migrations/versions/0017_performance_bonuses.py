"""Performance bonuses of contracts, with their tiers."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"

BONUSES = """
create table bonus (
    id bigint primary key,
    contract_id bigint not null references contract,
    name text not null,
    event_type_ids bigint[] not null,
    category text,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    measure text not null check (measure in ('revenue', 'actions')),
    starts date not null,
    ends date check (ends >= starts)
);
create table bonus_tier (
    id bigint generated always as identity primary key,
    bonus_id bigint not null references bonus,
    threshold numeric not null check (threshold >= 0),
    percent numeric check (percent >= 0),
    fixed numeric check (fixed >= 0),
    created_at timestamptz not null default now(),
    replaced_at timestamptz,
    check (num_nonnulls(percent, fixed) = 1)
);
create unique index bonus_tier_in_force on bonus_tier (bonus_id, threshold) where replaced_at is null;
create index action_by_locked_date on action using brin (locked_at);
"""

REPORTS_ROLE = """
do $$
begin
    if exists (select from pg_roles where rolname = 'connections_reports') then
        grant select on bonus, bonus_tier to connections_reports;
    end if;
end
$$;
"""


def upgrade() -> None:
    """Create the tables, and let reports read them."""
    for part in (BONUSES, REPORTS_ROLE):
        op.execute(part)
