"""Runs of outbound connections in the ledger: how they ended, and since when a connection sends by itself."""

from __future__ import annotations

from datetime import datetime

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection


def finish_run(
    connection: LedgerConnection, run_id: int, *, reason: str | None = None, failed: bool = False
) -> DictRow:
    """Record how an outbound run ended, with the files and rows that it delivered.

    Args:
        connection: The ledger.
        run_id: The run.
        reason: Why it failed, or why it sent nothing.
        failed: Whether it failed.
    """
    row = connection.execute(
        """
        update connection_run r
        set state = case when %(failed)s then 'failed' else 'completed' end, reason = %(reason)s, finished_at = now(),
            files = sent.files, rows = sent.rows, accepted = sent.rows
        from (select count(*) as files, coalesce(sum(rows), 0) as rows from delivery
              where run_id = %(run)s and state = 'delivered') sent
        where r.id = %(run)s
        returning r.id, r.dag_run_id, r.state, r.reason, r.files, r.rows
        """,
        {"run": run_id, "reason": reason, "failed": failed},
    ).fetchone()
    assert row is not None  # noqa: S101 - the run was begun
    return row


def first_own_instant(connection: LedgerConnection, connection_id: int) -> datetime:
    """Return since when a connection sends by itself: its creation, the end of its last pause, its first scheduled run.

    It is the latest of the three; a pause is one of the spec, Airflow's own is known by the first run after it.
    """
    row = connection.execute(_FIRST_OWN_INSTANT, {"connection": connection_id}).fetchone()
    assert row is not None  # noqa: S101 - the connection exists: a run of it is going on
    since: datetime = row["since"]
    return since


_FIRST_OWN_INSTANT = r"""
select greatest(
    c.created_at,
    (select min(v.created_at) from connection_revision v
     where v.connection_id = c.id and v.number > coalesce(
         (select max(p.number) from connection_revision p
          where p.connection_id = c.id and (p.spec ->> 'paused')::boolean), 0)),
    (select min(r.started_at) from connection_run r
     where r.connection_id = c.id and r.dag_run_id like 'scheduled\_\_%%')
) as since
from connection c where c.id = %(connection)s
"""
