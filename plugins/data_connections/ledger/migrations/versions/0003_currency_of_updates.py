"""Each update of an action says its currency: sums of updates need no look at a million actions."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the currency; there are no updates yet that lack it."""
    op.execute("alter table action_update add column currency text not null")
