"""Whether anything keeps runs waiting: one question to the ledger for everything that waits in a process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock

from data_connections.ledger import Ledger, standstill

FRESH = 4.0
"""Seconds for which an answer holds."""


@dataclass(frozen=True)
class _Answer:
    halted: bool
    any_window: bool
    until: float


_answers: dict[str, _Answer] = {}
_asking = Lock()


def is_halted(ledger: Ledger) -> bool:
    """Return whether all applying and sending is stopped; it blocks.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    return _ask(ledger).halted


def is_any_window_open(ledger: Ledger) -> bool:
    """Return whether any connection or host is in a maintenance window; it blocks.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    return _ask(ledger).any_window


def _ask(ledger: Ledger) -> _Answer:
    with _asking:
        known = _answers.get(ledger.url)
        if known is None or time.monotonic() >= known.until:
            now = datetime.now(UTC)
            with ledger.connect() as connection:
                halted = standstill.halted(connection) is not None
                windows = standstill.windows(connection, since=now)
            any_window = any(window.begins_at <= now for window in windows)
            known = _answers[ledger.url] = _Answer(halted, any_window, time.monotonic() + FRESH)
        return known
