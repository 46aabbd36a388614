"""Files that come in mails: who sent them, and which refused senders were told so."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Add the sender of a sighting and the table of replies."""
    op.execute(
        """
        alter table sighting add column sender text;
        create table mail_reply (
            connection_id bigint not null references connection,
            sender text not null,
            at timestamptz not null default now(),
            problem text,
            primary key (connection_id, sender)
        );
        """
    )
