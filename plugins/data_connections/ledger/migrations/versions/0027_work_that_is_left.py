"""Submissions that have not come to their end, found at once by every look of a connection."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Add the index."""
    op.execute(
        """
        create index submission_left_open on submission (connection_id, turn, number)
            where acknowledged_at is null and state <> 'on_hold' and (origin = 'endpoint' or finished_at is null)
        """
    )
