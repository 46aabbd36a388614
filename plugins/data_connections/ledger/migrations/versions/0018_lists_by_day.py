"""Indexes for what pages ask of a day, and of credentials, whatever the number of files and entries."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add them; the index by receipt says the numbers too, so that a day's newest are found in it alone."""
    op.execute(
        """
        drop index submission_by_receipt;
        create index submission_by_receipt on submission (received_at, id);
        create index activity_of_credentials on activity (subject, at desc) where what like 'credentials.%';
        """
    )
