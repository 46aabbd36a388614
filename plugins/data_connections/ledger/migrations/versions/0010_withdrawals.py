"""Submissions that were withdrawn, the actions that went with them, and what the daily check of the books found."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

WITHDRAWALS = """
alter table submission add column withdrawn_at timestamptz, add column withdrawn_by text;
alter table action add column withdrawn_at timestamptz;
create table reconciliation (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    submissions bigint not null,
    actions bigint not null,
    mismatches jsonb not null
);
"""


def upgrade() -> None:
    """Add what a withdrawal leaves behind, and the results of reconciliation."""
    op.execute(WITHDRAWALS)
