"""Rules about who may earn for an order, and indexes for questions about one customer and about days of updates."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"

RULES = """
alter table program
    add column blocked_addresses text[] not null default '{}',
    add column blocked_promo_codes text[] not null default '{}';
alter table event_type
    add column accepts text[] not null default '{}',
    add column customer_statuses text[] not null default '{}',
    add column click_window_days integer check (click_window_days >= 0),
    add column most_per_customer integer check (most_per_customer > 0);
alter table promo_code add column exclusive boolean not null default false;
"""

# A text that is no address is none, so that it never fails a statement.
AS_ADDRESS = """
create function as_address(value text) returns inet language plpgsql immutable as $$
begin
    return value::inet;
exception when others then
    return null;
end
$$;
"""

# docs/decisions/0020: a bloom index of block ranges is never chosen for a column with a value of its own on every row.
INDEXES = """
drop index action_by_customer;
create index action_by_customer on action (customer_id) where customer_id is not null;
create index action_update_by_receipt on action_update using brin (received_at);
"""


def upgrade() -> None:
    """Add columns of reference data and the indexes."""
    for part in (RULES, AS_ADDRESS, INDEXES):
        op.execute(part)
