"""What a marker or a manifest said of an inbound file, and which earlier file of its name it corrects."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add what vouched for a submission, and the submission that it takes the place of."""
    op.execute(
        """
        alter table submission add column vouched jsonb;
        alter table submission add column replaces_id bigint references submission;
        """
    )
