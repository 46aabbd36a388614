"""Links by which partners get their login details once."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Add the table."""
    op.execute(
        """
        create table hosted_link (
            id bigint generated always as identity primary key,
            login_id bigint not null references hosted_login,
            token_hash text not null unique,
            recipient text not null,
            created_at timestamptz not null default now(),
            created_by text not null,
            expires_at timestamptz not null,
            used_at timestamptz,
            used_from text
        );
        """
    )
