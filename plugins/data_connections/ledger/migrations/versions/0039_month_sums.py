"""Sums of months: what moved of a program's open actions, so that a statement adds up months and not actions."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Add the tables; until they are filled, statements read the actions themselves (docs/decisions/0033)."""
    op.execute(
        """
        create table month_sum (
            program_id bigint not null,
            connection_id bigint,
            partner_id bigint,
            currency text not null,
            month date not null,
            actions bigint not null,
            opened bigint not null,
            new_amount numeric not null,
            new_payout numeric not null,
            modified_amount numeric not null,
            modified_payout numeric not null,
            reversed_amount numeric not null,
            reversed_payout numeric not null,
            locked_amount numeric not null,
            locked_payout numeric not null,
            first_action bigint,
            last_action bigint
        );
        create unique index month_sum_key on month_sum (program_id, month, connection_id, partner_id, currency)
            nulls not distinct;
        create table month_sum_mark (
            program_id bigint primary key,
            time_zone text not null,
            last_action bigint not null,
            last_update bigint not null
        );
        """
    )
