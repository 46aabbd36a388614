"""Held rows are found by their order and by their customer."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Add both indexes."""
    op.execute(
        """
        create index held_row_by_order on held_row ((staged ->> 'order_id'));
        create index held_row_by_customer on held_row ((staged ->> 'customer_id'));
        """
    )
