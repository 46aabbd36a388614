"""Troubles of connections, from their first run to the first one without them."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table of incidents."""
    op.execute(
        """
        create table incident (
            id bigint generated always as identity primary key,
            connection_id bigint not null references connection,
            kind text not null check (kind in ('failed', 'rejects', 'held')),
            runs integer not null default 1,
            run_id bigint not null references connection_run,
            text text not null,
            opened_at timestamptz not null default now(),
            last_at timestamptz not null default now(),
            told_at timestamptz,
            channel_trouble text,
            closed_at timestamptz
        );
        create unique index incident_open on incident (connection_id, kind) where closed_at is null;
        """
    )
