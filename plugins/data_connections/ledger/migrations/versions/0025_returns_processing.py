"""Which connection takes the returns of an event type."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Add it; several event types may share one."""
    op.execute("alter table event_type add column returns_connection_id bigint references connection")
