"""What dead processes left behind: half-written files of the landing area, staged rows that belong to nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from data_connections.landing import Landing
from data_connections.ledger import Ledger, staging

DEAD_AFTER = timedelta(days=1)
"""A file that nobody has written to for this long is written by nobody any more."""


def sweep(ledger: Ledger, landing: Landing, now: datetime) -> dict[str, int]:
    """Delete leftovers, and return how many ``files`` and staging ``tables`` went.

    Args:
        ledger: The ledger.
        landing: Where files are kept.
        now: The present instant.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    files = landing.drop_unfinished(before=now - DEAD_AFTER)
    with ledger.connect() as connection:
        return {"files": files, "tables": staging.drop_orphans(connection)}
