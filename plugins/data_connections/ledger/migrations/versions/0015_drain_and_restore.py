"""DAGs that `connections drain` paused, deliveries of before a restore, and which releases the ledger still serves."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add them; from here on a release goes on working when the next one's migrations have run."""
    op.execute(
        """
        create table drained_dag (
            dag_id text primary key,
            who text not null,
            at timestamptz not null default now()
        );
        alter table delivery add column restored_at timestamptz;
        create table schema_serves (
            oldest text not null
        );
        insert into schema_serves (oldest) values ('0014');
        """
    )
