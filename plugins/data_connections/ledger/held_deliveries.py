"""Deliveries that wait until somebody lets them go."""

from __future__ import annotations

from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.delivery import Delivery


def hold(connection: LedgerConnection, delivery: Delivery) -> bool:
    """Let a checked delivery wait; whether it does now. Earlier versions of its day that wait are given up."""
    held = connection.execute(
        """
        update delivery set state = 'on_hold'
        where id = %s and state in ('checked', 'on_hold') and approved_at is null and intended_at is null
        """,
        [delivery.id],
    ).rowcount
    if held:
        connection.execute(
            """
            update delivery set state = 'failed', message = 'Version ' || %(version)s || ' took its place.'
            where connection_id = %(connection)s and business_date = %(day)s and version < %(version)s
                and state = 'on_hold'
            """,
            {"version": delivery.version, "connection": delivery.connection_id, "day": delivery.business_date},
        )
    return bool(held)


def release(connection: LedgerConnection, delivery_id: int, who: str) -> None:
    """Note who let a waiting delivery go; it is checked, as before."""
    connection.execute(
        """
        update delivery set state = 'checked', approved_by = %s, approved_at = now()
        where id = %s and state = 'on_hold'
        """,
        [who, delivery_id],
    )


def give_up(connection: LedgerConnection, delivery_id: int, message: str) -> None:
    """Note that a waiting delivery is not sent, and why."""
    connection.execute(
        "update delivery set state = 'failed', message = %s where id = %s and state = 'on_hold'", [message, delivery_id]
    )


def hand_over(connection: LedgerConnection, delivery_id: int, run_id: int) -> None:
    """Note that another run goes on with a delivery that did not get through."""
    connection.execute("update delivery set run_id = %s where id = %s and state <> 'delivered'", [run_id, delivery_id])


def waiting(connection: LedgerConnection, connection_id: int) -> list[int]:
    """Return the deliveries of a connection that wait, by business day."""
    rows = connection.execute(
        "select id from delivery where connection_id = %s and state = 'on_hold' order by business_date, id",
        [connection_id],
    ).fetchall()
    return [row["id"] for row in rows]


def runs_that_ended(connection: LedgerConnection, connection_id: int, beginning: str) -> int:
    """Return how many runs whose id begins so have ended."""
    row = connection.execute(
        """
        select count(*) as runs from connection_run
        where connection_id = %s and starts_with(dag_run_id, %s) and state <> 'in_progress'
        """,
        [connection_id, beginning],
    ).fetchone()
    return int(row["runs"]) if row else 0
