"""Integrations: sets of connections that were made together for one partner product."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Add them."""
    op.execute(
        """
        create table integration (
            id bigint generated always as identity primary key,
            preset text not null,
            title text not null,
            program text not null,
            answers jsonb not null,
            created_at timestamptz not null default now(),
            created_by text not null,
            removed_at timestamptz
        );
        create table integration_connection (
            integration_id bigint not null references integration,
            connection_id bigint not null references connection,
            primary key (integration_id, connection_id)
        );
        """
    )
