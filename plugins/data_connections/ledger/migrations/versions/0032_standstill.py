"""The switch that stops all applying and sending, and times in which a partner's server is not to be used."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Create both tables."""
    op.execute(
        """
        create table halt (
            id bigint generated always as identity primary key,
            reason text not null,
            who text not null,
            since timestamptz not null default now(),
            ended_at timestamptz,
            ended_by text
        );
        create unique index halt_now on halt ((true)) where ended_at is null;

        create table maintenance_window (
            id bigint generated always as identity primary key,
            connection_id bigint references connection,
            host text,
            begins_at timestamptz not null,
            ends_at timestamptz not null,
            reason text not null,
            who text not null,
            created_at timestamptz not null default now(),
            check ((connection_id is null) <> (host is null)),
            check (begins_at <= ends_at)
        );
        create index maintenance_window_by_end on maintenance_window (ends_at);
        """
    )
