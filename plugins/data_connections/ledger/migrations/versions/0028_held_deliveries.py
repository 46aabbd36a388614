"""Deliveries that wait until somebody lets them go, and who did."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add them."""
    op.execute(
        """
        alter table delivery drop constraint delivery_state_check;
        alter table delivery add constraint delivery_state_check
            check (state in ('exported', 'checked', 'on_hold', 'sending', 'delivered', 'failed'));
        alter table delivery add column approved_by text, add column approved_at timestamptz;
        create index delivery_on_hold on delivery (connection_id) where state = 'on_hold';
        """
    )
