"""A change counts when it was received, but not before its action and not before the changes that came earlier."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Bring the changes that are there into the order in which they were applied."""
    op.execute(
        """
        with counted as (
            select u.id, greatest(a.received_at, max(u.received_at) over (partition by u.action_id order by u.id)) as at
            from action_update u join action a on a.id = u.action_id
        )
        update action_update u set received_at = c.at from counted c where c.id = u.id and u.received_at < c.at;
        update action a set updated_at = c.at
        from (select action_id, max(received_at) as at from action_update group by action_id) c
        where c.action_id = a.id and a.updated_at < c.at;
        update action set locked_at = received_at where locked_at < received_at;
        truncate month_sum, month_sum_mark;
        """
    )
