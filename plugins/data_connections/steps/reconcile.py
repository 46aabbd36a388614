"""Runs that ended in Airflow only, such as after a kill, are ended in the ledger too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from data_connections.ledger import Ledger, outbound_runs, runs, staging
from data_connections.steps.outbound import fail_run


@dataclass(frozen=True)
class OpenRun:
    """A run that is in progress, as far as the ledger knows.

    Attributes:
        id: Of ``connection_run``.
        connection: Name of the connection.
        revision: Number of the revision that it is pinned to.
        dag_run_id: Airflow's id of the run.
        direction: ``inbound`` or ``outbound``.
    """

    id: int
    connection: str
    revision: int
    dag_run_id: str
    direction: str

    @property
    def type_by_id(self) -> str:
        """What started it, as far as its id says; for runs that Airflow does not know any more."""
        return "backfill" if "backfill__" in self.dag_run_id else "manual"


def open_runs(ledger: Ledger, quiet: timedelta) -> list[OpenRun]:
    """Return the runs that have been in progress for longer than ``quiet``, the oldest first."""
    rows = ledger.all(
        """
        select r.id, c.name as connection, r.revision, r.dag_run_id, v.spec ->> 'direction' as direction
        from connection_run r join connection c on c.id = r.connection_id
        join connection_revision v on v.connection_id = r.connection_id and v.number = r.revision
        where r.state = 'in_progress' and r.started_at < now() - %s order by r.id
        """,
        [quiet],
    )
    return [OpenRun(**row) for row in rows]


def end_run(ledger: Ledger, run: OpenRun, *, failed: bool) -> None:
    """End a run in the ledger as Airflow ended it; what it had claimed is free for the next run then."""
    reason = (
        "Airflow ended the run before its last task; the log of the task that was running says why" if failed else None
    )
    if run.direction == "outbound" and reason:
        fail_run(ledger, run.id, reason)
        return
    with ledger.connect() as connection:
        if run.direction == "outbound":
            outbound_runs.finish_run(connection, run.id)
        else:
            runs.finish(connection, run.id, failure=reason)


def drop_abandoned_staging(ledger: Ledger) -> int:
    """Drop what attempts that died left of submissions that are final; return how many submissions that was."""
    rows = ledger.all(
        """
        select s.id from submission s
        where s.state in ('applied', 'partly_applied', 'quarantined', 'duplicate', 'tested')
          and exists (
              select from pg_tables
              where schemaname = 'staging' and starts_with(tablename, 'rows_' || s.id || '_')
          )
        """
    )
    with ledger.connect() as connection:
        for row in rows:
            staging.drop_attempts(connection, row["id"])
    return len(rows)
