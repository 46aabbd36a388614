"""Answers of creating calls of the REST API by their idempotency key: a call sent twice is done once."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the table of answers."""
    op.execute(
        """
        create table api_answer (
            who text not null,
            key text not null,
            request text not null,
            answer jsonb,
            at timestamptz not null default now(),
            primary key (who, key)
        );
        create index api_answer_by_time on api_answer (at);
        """
    )
