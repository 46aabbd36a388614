"""Files that a run made and does not send before somebody has looked at them."""

from __future__ import annotations

from typing import Any

from data_connections.catalog import activity
from data_connections.errors import ConfigurationError
from data_connections.ledger import Ledger, deliveries, held_deliveries, outbound_runs
from data_connections.ledger.database import LedgerConnection
from data_connections.ledger.delivery import Delivery
from data_connections.steps.pinned_run import PinnedRun

SEND = "send"
"""Key of a run's configuration under which the delivery stands that it sends, in place of making one."""


def hold(ledger: Ledger, delivery_id: int) -> dict[str, Any]:
    """Let a checked delivery wait for somebody, and end its run; one that was let go, or sent, stays so."""
    with ledger.connect() as connection:
        delivery = deliveries.get(connection, delivery_id)
        if held_deliveries.hold(connection, delivery) and delivery.run_id is not None:
            reason = f"{delivery.file_name} waits for approval: `connections deliveries send {delivery.id}`."
            outbound_runs.finish_run(connection, delivery.run_id, reason=reason)
        return deliveries.get(connection, delivery_id).as_json()


def approve(ledger: Ledger, delivery_id: int, who: str) -> str | None:
    """Let a waiting delivery go; return the id of the run that has to send it, None where it was sent.

    Doing it twice changes nothing: the run's id stays the same until that run has ended.

    Raises:
        ConfigurationError: There is no such delivery, or it never waited for anybody, or it was refused.
    """
    with ledger.connect() as connection:
        delivery = _locked(connection, delivery_id)
        if delivery.state == "on_hold":
            held_deliveries.release(connection, delivery_id, who)
            _record(connection, delivery, who, "delivery.approved")
        elif delivery.approved_at is None:
            raise ConfigurationError(
                f"Delivery {delivery_id} of {delivery.connection} does not wait for approval; it is {delivery.state}."
            )
        if delivery.state in ("delivered", "tested"):
            return None
        beginning = f"{SEND}__{delivery_id}."
        tried = held_deliveries.runs_that_ended(connection, delivery.connection_id, beginning)
    return f"{beginning}{tried + 1}"


def refuse(ledger: Ledger, delivery_id: int, who: str, reason: str = "") -> None:
    """Let a waiting delivery never be sent; refusing it twice changes nothing.

    Raises:
        ConfigurationError: There is no such delivery, or it does not wait.
    """
    with ledger.connect() as connection:
        delivery = _locked(connection, delivery_id)
        if delivery.state == "failed" and (delivery.message or "").startswith("Refused by "):
            return
        if delivery.state != "on_hold":
            raise ConfigurationError(
                f"Delivery {delivery_id} of {delivery.connection} does not wait for approval; it is {delivery.state}."
            )
        message = f"Refused by {who}." + (f" {reason}" if reason else "")
        held_deliveries.give_up(connection, delivery_id, message)
        _record(connection, delivery, who, "delivery.refused", reason)


def take_up(ledger: Ledger, run: PinnedRun, delivery_id: int) -> dict[str, Any]:
    """Have a run go on with a delivery that was let go, in place of making a report.

    Raises:
        ConfigurationError: It is another connection's, or nobody let it go.
    """
    with ledger.connect() as connection:
        delivery = _locked(connection, delivery_id)
        if delivery.connection_id != run.connection_id:
            raise ConfigurationError(f"Delivery {delivery_id} is none of {run.spec.name}.")
        if delivery.approved_at is None:
            raise ConfigurationError(
                f"Delivery {delivery_id} of {delivery.connection} waits for approval: "
                f"`connections deliveries send {delivery_id}`."
            )
        held_deliveries.hand_over(connection, delivery_id, run.id)
        return delivery.as_json()


def _locked(connection: LedgerConnection, delivery_id: int) -> Delivery:
    connection.execute("select from delivery where id = %s for update", [delivery_id])
    return deliveries.get(connection, delivery_id)


def _record(connection: LedgerConnection, delivery: Delivery, who: str, what: str, reason: str = "") -> None:
    activity.record(
        connection,
        who,
        what,
        f"delivery {delivery.id}",
        connection_id=delivery.connection_id,
        details={"file": delivery.file_name, "day": delivery.business_date.isoformat(), "reason": reason},
    )
