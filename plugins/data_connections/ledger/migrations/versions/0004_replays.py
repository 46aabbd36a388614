"""Submissions that judge the kept original of an earlier one once more."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the origin ``replay``, and which submission is replayed."""
    op.execute(
        """
        alter table submission add column replays_id bigint references submission;
        alter table submission drop constraint submission_origin_check;
        alter table submission add constraint submission_origin_check
            check (origin in ('endpoint', 'manual', 'replay'));
        """
    )
