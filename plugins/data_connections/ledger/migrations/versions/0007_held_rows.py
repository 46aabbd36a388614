"""Rows that wait for something that may still come: kept as they were staged, until they are freed or time is up."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

HELD_ROWS = """
create table held_row (
    submission_id bigint not null,
    line bigint not null,
    program text not null,
    data_type text not null,
    code text not null,
    held_until timestamptz not null,
    staged jsonb not null,
    primary key (submission_id, line)
);
create index held_row_by_program on held_row (program, held_until);
"""


def upgrade() -> None:
    """Create the table of held rows."""
    op.execute(HELD_ROWS)
