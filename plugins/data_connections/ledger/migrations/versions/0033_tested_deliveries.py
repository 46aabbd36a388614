"""Deliveries of connections that are being tried out: made, checked, and sent to nobody."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Add them."""
    op.execute(
        """
        alter table delivery drop constraint delivery_state_check;
        alter table delivery add constraint delivery_state_check
            check (state in ('exported', 'checked', 'on_hold', 'sending', 'delivered', 'failed', 'tested'));
        """
    )
