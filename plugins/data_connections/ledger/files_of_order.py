"""Which submissions have to do with an order: those that made or changed its actions, and those that wait for it."""

from __future__ import annotations


def submissions_of(order: str) -> str:
    """Return a query for the ids of an order's submissions, some of them twice.

    Args:
        order: The placeholder of the OrderId, such as ``%(find)s``.
    """
    return f"""
        select submission_id from action where order_id = {order}
        union all
        select u.submission_id from action_update u join action a on a.id = u.action_id
        where a.order_id = {order} and u.submission_id is not null
        union all
        select submission_id from held_row where staged ->> 'order_id' = {order}
    """
