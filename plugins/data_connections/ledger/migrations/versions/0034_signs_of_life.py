"""When the parts of an installation that Airflow does not watch were last seen at work."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add it."""
    op.execute("create table sign_of_life (part text primary key, seen_at timestamptz not null)")
