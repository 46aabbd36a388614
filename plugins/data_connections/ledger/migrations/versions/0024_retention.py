"""Which files of deliveries were deleted because their time was over; originals lose their key for the same reason."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add it, and find by its key who uses a kept file."""
    op.execute(
        """
        alter table delivery_file add column deleted_at timestamptz;
        create index submission_by_original on submission (landing_key) where landing_key is not null;
        create index delivery_file_by_original on delivery_file (landing_key) where deleted_at is null;
        """
    )
