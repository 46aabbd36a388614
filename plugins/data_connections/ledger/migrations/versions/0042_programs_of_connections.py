"""Reports see which program a connection belongs to, and nothing else of its spec."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Make the view, and let the role of reports read it."""
    op.execute(
        """
        create view connection_program as
            select connection_id, number as revision, spec ->> 'program' as program from connection_revision;
        do $$
        begin
            if exists (select from pg_roles where rolname = 'connections_reports') then
                grant select on connection_program to connections_reports;
                grant select (revision) on submission to connections_reports;
            end if;
        end
        $$;
        """
    )
