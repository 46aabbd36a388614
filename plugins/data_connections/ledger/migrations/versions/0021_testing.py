"""The final state ``tested``: a file of a connection that is being tried out was judged, and nothing applied."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the state."""
    op.execute(
        """
        alter table submission drop constraint submission_state_check;
        alter table submission add constraint submission_state_check check (state in (
            'claimed', 'fetched', 'validated', 'on_hold',
            'applied', 'partly_applied', 'quarantined', 'duplicate', 'tested'));
        """
    )
