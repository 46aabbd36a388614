"""Deliveries say which date put something into them; those from before do not know it."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add it."""
    op.execute("alter table delivery add column date_basis text")
