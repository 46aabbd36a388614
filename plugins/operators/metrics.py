"""What runs tell Airflow's metrics, StatsD or OpenTelemetry, wherever Airflow sends its own.

=========================  =========  ============================================================
name                       kind       tags
=========================  =========  ============================================================
connections.files          counter    connection, program, direction, state (of the file)
connections.rows           counter    connection, program, direction, outcome
connections.bytes          counter    connection, program, direction
connections.latency        duration   connection, program: from a file's arrival until it was applied
=========================  =========  ============================================================

Names of connections and programs, counts and states: nothing out of files, nobody's data.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.observability import stats

if TYPE_CHECKING:
    from data_connections.ledger import Ledger

_OUTCOMES = ("accepted", "rejected", "duplicate", "held")
_INBOUND = """
select state, size, received_at, finished_at, accepted, rejected, duplicate, held
from submission where run_id = %s and finished_at is not null order by id
"""


def count_inbound(ledger: Ledger, run_id: int, tags: dict[str, str]) -> None:
    """Count the files of an inbound run that has ended.

    Args:
        ledger: The ledger.
        run_id: Of ``connection_run``.
        tags: ``connection`` and ``program``.
    """
    for row in ledger.all(_INBOUND, [run_id]):
        inbound = {**tags, "direction": "inbound"}
        stats.incr("connections.files", tags={**inbound, "state": row["state"]})
        _count("connections.bytes", row["size"], inbound)
        for outcome in _OUTCOMES:
            _count("connections.rows", row[outcome], {**inbound, "outcome": outcome})
        if row["accepted"]:
            _time(row["received_at"], row["finished_at"], tags)


def count_outbound(delivery: dict[str, Any], tags: dict[str, str]) -> None:
    """Count a delivery, as ``Delivery.as_json`` has it, once it was sent."""
    outbound = {**tags, "direction": "outbound"}
    stats.incr("connections.files", count=delivery["files"], tags={**outbound, "state": delivery["state"]})
    _count("connections.bytes", delivery["size"], outbound)
    _count("connections.rows", delivery["rows"], {**outbound, "outcome": "sent"})


def _count(name: str, number: int | None, tags: dict[str, str]) -> None:
    if number:
        stats.incr(name, count=number, tags=tags)


def _time(arrived: datetime, applied: datetime, tags: dict[str, str]) -> None:
    stats.timing("connections.latency", applied - arrived, tags=tags)
