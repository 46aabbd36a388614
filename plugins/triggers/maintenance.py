"""Whether any maintenance window is open: one question to the ledger for everything that waits in a process."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Lock

from data_connections.ledger import Ledger, standstill

FRESH = 5.0
"""Seconds for which an answer holds that there is none."""

_none_until: dict[str, float] = {}
_asking = Lock()


def is_any_open(ledger: Ledger) -> bool:
    """Return whether a window is open; it blocks.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    with _asking:
        if time.monotonic() < _none_until.get(ledger.url, 0.0):
            return False
        now = datetime.now(UTC)
        with ledger.connect() as connection:
            found = any(window.begins_at <= now for window in standstill.windows(connection, since=now))
        if not found:
            _none_until[ledger.url] = time.monotonic() + FRESH
        return found
