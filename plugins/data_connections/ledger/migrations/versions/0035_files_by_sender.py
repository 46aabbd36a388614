"""Files of mails are found by their sender."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the index."""
    op.execute("create index sighting_by_sender on sighting (sender text_pattern_ops) where sender is not null")
