"""Connections with what became of their last run: what lists and pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from data_connections.catalog.revisions import StoredSpec, read_current
from data_connections.ledger.database import Ledger

STATUS = {None: "None", "in_progress": "In Progress", "completed": "Completed", "failed": "Failed"}
"""Last processing status by the state of the newest run."""

_LAST_RUNS = b"""
select distinct on (connection_id) connection_id, dag_run_id, state, reason, started_at, finished_at
from connection_run order by connection_id, started_at desc, id desc
"""


@dataclass(frozen=True)
class Overview:
    """One line of the list of connections.

    Attributes:
        stored: The connection's current revision.
        last_run: Its newest run (``dag_run_id``, ``state``, ``reason``, ``started_at``, ``finished_at``), or None.
    """

    stored: StoredSpec
    last_run: DictRow | None

    @property
    def status(self) -> str:
        """Last processing status: None, In Progress, Completed or Failed."""
        return STATUS[self.last_run["state"] if self.last_run else None]

    @property
    def last_active(self) -> datetime | None:
        """When the newest run ended, or began if it goes on, in UTC."""
        return (self.last_run["finished_at"] or self.last_run["started_at"]) if self.last_run else None

    def as_json(self) -> dict[str, Any]:
        """Return the line for ``--json``."""
        content = self.stored.content
        shown = ("display_name", "program", "data_type", "direction", "method", "schedule", "paused", "owner")
        return {
            "name": self.stored.name,
            **{name: content.get(name) for name in shown},
            "status": self.status,
            "last_active": self.last_active,
            "reason": self.last_run["reason"] if self.last_run else None,
            "revision": self.stored.number,
            "built_revision": self.stored.built_revision,
            "refusal": self.stored.refusal,
            "managed_by": self.stored.managed_by,
            "deleted_at": self.stored.deleted_at,
        }


def overviews(ledger: Ledger, *, only: str | None = None, with_deleted: bool = False) -> list[Overview]:
    """Return one line for each connection, by name."""
    with ledger.connect() as connection:
        stored = read_current(connection, only=only, with_deleted=with_deleted)
        last = {row.pop("connection_id"): row for row in connection.execute(_LAST_RUNS).fetchall()}
    return [Overview(each, last.get(each.connection_id)) for each in stored]


def runs(ledger: Ledger, connection_id: int, *, limit: int = 20) -> list[DictRow]:
    """Return the newest runs of a connection as the ledger has them, the newest first."""
    return ledger.all(
        """select dag_run_id, revision, state, reason, files, rows, accepted, rejected, started_at, finished_at
           from connection_run where connection_id = %s order by started_at desc, id desc limit %s""",
        [connection_id, limit],
    )
