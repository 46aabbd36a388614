"""Actions are told apart by their order first, which compares once at each step instead of twice."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Build the new index before the old one goes (docs/decisions/0029)."""
    op.execute(
        """
        create unique index action_by_order on action (order_id, event_type_id, occurrence);
        alter table action drop constraint action_event_type_id_order_id_occurrence_key;
        """
    )
