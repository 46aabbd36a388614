"""Runs of one connection as the ledger has them, with the figures of its overview."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg.rows import DictRow

from data_connections.ledger.database import LedgerConnection

CHARTED = 30


def list_runs(
    connection: LedgerConnection, connection_id: int, *, before: int | None = None, size: int = 50
) -> list[DictRow]:
    """Return one page of runs, the newest first, one line more where there is a next page.

    Each has its money by currency, and the number of the first submission that it took.
    """
    return connection.execute(
        """
        select r.id, r.dag_run_id, r.revision, r.state, r.reason, r.files, r.rows, r.accepted, r.rejected,
               r.started_at, r.finished_at,
               (select min(id) from submission where run_id = r.id) as first_submission,
               (select jsonb_object_agg(m.currency, m.amount) from (
                    select t.currency, sum(t.amount)::text as amount
                    from submission s join submission_total t on t.submission_id = s.id and t.outcome = 'accepted'
                    where s.run_id = r.id and t.currency <> ''
                    group by t.currency having sum(t.amount) <> 0) m) as amounts
        from connection_run r
        where r.connection_id = %(id)s and (%(before)s::bigint is null or r.id < %(before)s)
        order by r.id desc limit %(limit)s
        """,
        {"id": connection_id, "before": before, "limit": size + 1},
    ).fetchall()


def rows_by_run(connection: LedgerConnection, connection_id: int) -> list[DictRow]:
    """Return rows, accepted and rejected, of the newest finished runs, oldest first, for a chart."""
    newest = connection.execute(
        """
        select dag_run_id, started_at, state, rows, accepted, rejected from connection_run
        where connection_id = %s and finished_at is not null order by started_at desc, id desc limit %s
        """,
        [connection_id, CHARTED],
    ).fetchall()
    return newest[::-1]


def freshness(connection: LedgerConnection, connection_id: int) -> dict[str, Any]:
    """Return when the newest file came, and what waits: ``last_file``, ``on_hold``, ``under_way``, ``not_taken``."""
    row = connection.execute(
        """
        select (select received_at from submission where connection_id = %(id)s order by number desc limit 1)
                   as last_file,
               (select count(*) from submission where connection_id = %(id)s and state = 'on_hold') as on_hold,
               (select count(*) from submission where connection_id = %(id)s
                   and state in ('claimed', 'fetched', 'validated')) as under_way,
               (select max(delivered_at) from delivery where connection_id = %(id)s) as last_delivery
        """,
        {"id": connection_id},
    ).fetchone()
    return dict(row or {})


def not_taken(connection: LedgerConnection, connection_id: int) -> list[DictRow]:
    """Return files that were seen at the endpoint lately and not taken, each with the reason."""
    return connection.execute(
        """
        select path, name, size, mtime, decision, reason, last_seen_at from sighting
        where connection_id = %s and decision <> 'claimed' and last_seen_at > now() - interval '7 days'
        order by last_seen_at desc, id desc limit 50
        """,
        [connection_id],
    ).fetchall()


def known_runs(connection: LedgerConnection, connection_id: int, run_ids: Collection[str]) -> set[str]:
    """Return those of Airflow's runs that the ledger has a line of."""
    rows = connection.execute(
        "select dag_run_id from connection_run where connection_id = %s and dag_run_id = any(%s)",
        [connection_id, list(run_ids)],
    ).fetchall()
    return {row["dag_run_id"] for row in rows}
