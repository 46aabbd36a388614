"""Runs of connections in the ledger: for lists, filters and the last status; Airflow stays the authority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from data_connections.ledger.database import LedgerConnection

RunState = Literal["in_progress", "completed", "failed"]


@dataclass(frozen=True)
class FileResult:
    """What a run's state depends on, of one of its files."""

    state: str
    code: str | None
    rows: int
    accepted: int
    rejected: int
    duplicate: int
    max_rejects: int | None

    @property
    def failure(self) -> str | None:
        """Why the file makes its run Failed, or None (decision 11 of the design)."""
        if self.state == "quarantined":
            return f"refused whole ({self.code})"
        if self.state not in ("applied", "partly_applied", "duplicate", "on_hold", "tested"):
            return f"not finished ({self.state})"
        if self.max_rejects is not None and self.rejected > self.max_rejects:
            return f"{self.rejected} rows rejected, allowed are {self.max_rejects}"
        if self.rejected and not self.accepted and not self.duplicate:
            return "no row was applied"
        return None


def state_of(files: list[FileResult]) -> tuple[RunState, str | None]:
    """Return the final state of a run with these files, and the reason; no file at all is Completed."""
    failures = [failure for file in files if (failure := file.failure)]
    if not failures:
        waiting = sum(file.state == "on_hold" for file in files)
        return "completed", f"{waiting} of {len(files)} files wait for approval" if waiting else None
    shown = "; ".join(dict.fromkeys(failures))
    return "failed", f"{len(failures)} of {len(files)} files: {shown}"


def begin(connection: LedgerConnection, connection_id: int, revision: int, dag_run_id: str) -> int:
    """Record that a run is in progress and return its id; the same run twice is the same row."""
    row = connection.execute(
        """
        insert into connection_run (connection_id, revision, dag_run_id, state)
        values (%(connection)s, %(revision)s, %(run)s, 'in_progress')
        on conflict (connection_id, dag_run_id) do update
        set state = 'in_progress', reason = null, finished_at = null
        returning id
        """,
        {"connection": connection_id, "revision": revision, "run": dag_run_id},
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert always returns its row
    return int(row["id"])


def note_waiting(connection: LedgerConnection, run_id: int, reason: str) -> None:
    """Note what a run in progress waits for."""
    connection.execute(
        "update connection_run set reason = %s where id = %s and state = 'in_progress'", [reason, run_id]
    )


def files_of(connection: LedgerConnection, run_id: int) -> list[FileResult]:
    """Return what became of the files of a run, in claim order; of a parcel, of its members."""
    rows = connection.execute(
        """
        select s.state, s.code, s.rows, s.accepted, s.rejected, s.duplicate,
               (v.spec #>> '{limits,max_rejects}')::integer as max_rejects
        from submission s
        join connection_revision v on v.connection_id = s.connection_id and v.number = s.revision
        where s.run_id = %s and s.members is null order by s.turn, s.number
        """,
        [run_id],
    ).fetchall()
    return [FileResult(**row) for row in rows]


def finish(connection: LedgerConnection, run_id: int, *, failure: str | None = None) -> dict[str, Any]:
    """Record the final state and counts of a run, and return them.

    Args:
        connection: The ledger.
        run_id: The run.
        failure: Why it failed although its files did not, such as a server that does not answer.
    """
    files = files_of(connection, run_id)
    state, reason = state_of(files)
    row = connection.execute(
        """
        update connection_run
        set state = %(state)s, reason = %(reason)s, finished_at = now(), files = %(files)s, rows = %(rows)s,
            accepted = %(accepted)s, rejected = %(rejected)s
        where id = %(id)s
        returning id, dag_run_id, state, reason, files, rows, accepted, rejected
        """,
        {
            "id": run_id,
            "state": "failed" if failure else state,
            "reason": "; ".join(filter(None, [failure, reason])) or None,
            "files": len(files),
            "rows": sum(file.rows for file in files),
            "accepted": sum(file.accepted for file in files),
            "rejected": sum(file.rejected for file in files),
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - the run was begun
    return dict(row)
