"""Retention: what is older than the settings say is deleted; never what is not final, nor what tells files apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from data_connections.landing import Landing, journal
from data_connections.ledger import Ledger, retention
from data_connections.settings import Keep

_FRESH = timedelta(days=1)
"""A kept file that was written, or came again, within this time stays: its submission may not be recorded yet."""


@dataclass(frozen=True)
class Cleaned:
    """What went, or would go.

    Attributes:
        files: Kept files, by whether they came in (``originals``) or went out (``sent``).
        bytes: Their size.
        rows: Rows of the ledger, by what they are.
        journal: Entries of the landing area's journal.
    """

    files: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    journal: int = 0


def clean_up(ledger: Ledger, landing: Landing, keep: Keep, now: datetime, *, dry_run: bool = False) -> Cleaned:
    """Delete what is older than ``keep`` says, and return what went.

    The ledger lets go of a kept file first, and the file goes only when nothing refers to it then; so a replay that
    begins at the same time either keeps the file or is refused. What it let go of stays noted until the file is gone,
    so that the next clean-up goes on where one died.

    Args:
        ledger: The ledger.
        landing: Where originals and sent files are kept.
        keep: How long.
        now: The present instant.
        dry_run: Change nothing, and return what would go.

    Raises:
        LedgerUnavailable: The ledger does not answer.
    """
    rows: dict[str, int] = {}
    with ledger.connect() as connection:
        if keep.originals:
            retention.release_originals(connection, now - keep.originals)
        if keep.sent:
            retention.release_sent(connection, now - keep.sent)
        if keep.history:
            for name, statement in retention.HISTORY.items():
                rows[name] = retention.delete(connection, statement, now - keep.history)
        if keep.activity:
            rows["activity"] = retention.delete(connection, retention.ACTIVITY, now - keep.activity)
        released = {file.key: file for file in retention.released(connection)}
        gone = set(retention.unused(connection, list(released)))
        if dry_run:
            connection.rollback()
    if not dry_run:
        gone = _delete_files(ledger, landing, list(released), now)
    kinds = {"originals": keep.originals, "sent": keep.sent}
    counts = Counter({kind: 0 for kind, kept_for in kinds.items() if kept_for})
    counts.update(released[key].kind for key in gone)
    entries = journal.shorten(landing, (now - keep.journal).date(), dry_run=dry_run) if keep.journal else 0
    return Cleaned(dict(counts), sum(released[key].size for key in gone), rows, entries)


def _delete_files(ledger: Ledger, landing: Landing, keys: list[str], now: datetime) -> set[str]:
    with ledger.connect() as connection:
        unused = set(retention.unused(connection, keys))
    gone = {key for key in keys if key in unused and landing.delete(key, before=now - _FRESH)}
    with ledger.connect() as connection:
        retention.settle_released(connection, gone | (set(keys) - unused))
    return gone
