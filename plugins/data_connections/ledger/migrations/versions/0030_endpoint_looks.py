"""What the daily look at each connection's endpoint found."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Add it."""
    op.execute(
        """
        create table endpoint_look (
            connection_id bigint primary key references connection,
            address text not null,
            works boolean not null,
            message text not null,
            since timestamptz not null,
            looked_at timestamptz not null,
            certificate_until timestamptz
        );
        """
    )
