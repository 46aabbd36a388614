"""What is expected by a time of day, and incidents that belong to a rule or to the installation, not to a run."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the table of expected files, and let incidents be about more than a run."""
    op.execute(
        """
        create table expected_files (
            id bigint generated always as identity primary key,
            connection_id bigint not null references connection,
            rule text not null,
            day date not null,
            business_date date,
            opens_at timestamptz not null,
            warn_at timestamptz,
            due_at timestamptz not null,
            closes_at timestamptz not null,
            state text not null default 'expected' check (state in ('expected', 'late', 'met', 'met_late', 'missed')),
            files integer not null default 0,
            met_at timestamptz,
            findings jsonb not null default '[]',
            settled_at timestamptz,
            unique (connection_id, rule, due_at)
        );
        create index expected_files_by_day on expected_files (day, due_at);
        create index expected_files_open on expected_files (connection_id) where settled_at is null;

        alter table incident
            drop constraint incident_kind_check,
            alter column connection_id drop not null,
            alter column run_id drop not null;
        create unique index incident_open_here on incident (kind) where connection_id is null and closed_at is null;
        """
    )
