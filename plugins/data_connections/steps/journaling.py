"""What the steps write into the journal of the landing area."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from data_connections.endpoints.contract import RemoteFile
from data_connections.landing import Landing, Original, journal
from data_connections.ledger.delivery import Delivery
from data_connections.ledger.submission import Submission

_OF_DELIVERY = (
    *("report", "kind", "business_date", "last_date", "date_from", "date_basis", "file_name", "size", "rows", "totals"),
    *("marker_paths", "created_at", "checked_at", "intended_at"),
)


def record_landed(
    landing: Landing, submission: Submission, connection: str, original: Original, file: RemoteFile | None = None
) -> None:
    """Write down a file that was landed, before the ledger knows that it was.

    Args:
        landing: Where it was landed.
        submission: Its submission.
        connection: The connection's name.
        original: The kept bytes.
        file: Where it lay; None for a file that was submitted by hand.
    """
    values: dict[str, Any] = {
        **asdict(original),
        "file_name": submission.file_name,
        "received_at": submission.received_at,
        "again": submission.apply_anyway,
        "origin": submission.origin,
        "sighting": {"path": file.path, "size": file.size, "mtime": file.mtime} if file else None,
    }
    journal.write(landing, "landed", submission.trace_id, connection, values)


def record_sent(landing: Landing, delivery: Delivery) -> None:
    """Write down a delivery that stands under its final names, before the ledger knows that it does."""
    values = {name: getattr(delivery, name) for name in _OF_DELIVERY}
    files = [asdict(file) for file in delivery.files]
    journal.write(landing, "sent", delivery.trace_id, delivery.connection, {**values, "files": files})
