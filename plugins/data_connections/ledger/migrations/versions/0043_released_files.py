"""Kept files that the ledger has let go of and that are still to be deleted: a clean-up that dies forgets none."""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Add the table of files to delete."""
    op.execute(
        """
        create table released_file (
            key text primary key,
            kind text not null check (kind in ('originals', 'sent')),
            size bigint not null,
            released_at timestamptz not null default now()
        );
        """
    )
