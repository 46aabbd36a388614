"""Files that came or went as OpenPGP messages: the message beside what it holds, and who signed it."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add where the message of a submission is kept, who signed it, and what a delivered message holds."""
    op.execute(
        """
        alter table submission add column message_key text;
        alter table submission add column signed_by text;
        alter table delivery_file add column content_key text;
        """
    )
