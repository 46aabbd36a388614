"""Up to three values of a partner, which stand beside its figures in reports."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Add them."""
    op.execute("alter table partner add column value1 text, add column value2 text, add column value3 text")
