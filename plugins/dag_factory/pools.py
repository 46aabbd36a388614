"""Airflow pools: one per partner host, so that no partner gets more logins at once than it takes; one for backfills.

A pool that is missing would block its tasks without a word, so the scheduler makes it when a run of a connection
begins; ``connections_plugin`` registers this module as a listener. Slots that somebody changes later stay changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from data_connections.spec import ConnectionSpec, Hosted, OutboundMailDetails

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance

PREFIXES = ("sftp-", "ftp-", "ftps-", "imap-", "imaps-", "smtp-")
AIRFLOWS_OWN = "default_pool"
"""The pool of connections whose folder we host ourselves."""

SLOTS = 4
DESCRIPTION = "Connections: tasks at work with this partner's server at the same time."
BACKFILL = "connections-backfill"
BACKFILL_SLOTS = 2
BACKFILL_DESCRIPTION = "Connections: tasks of backfills at work at the same time, whatever the partner."


def pool_of(spec: ConnectionSpec) -> str:
    """Return the name of the pool of the connection's host, such as ``sftp-files.partner.test-22``."""
    details = spec.details
    if isinstance(details, Hosted):
        return AIRFLOWS_OWN
    if isinstance(details, OutboundMailDetails):
        return f"{details.scheme}-{spec.credentials}"
    return f"{details.scheme}-{details.host.lower().replace(':', '_')}-{details.port}"


@hookimpl
def on_dag_run_running(dag_run: DagRun) -> None:
    """Make the pools that the run's tasks name and that do not exist yet; runs in the scheduler."""
    tasks = dag_run.dag.tasks if dag_run.dag else ()
    pools = {task.pool: (SLOTS, DESCRIPTION) for task in tasks if task.pool.startswith(PREFIXES)}
    if pools and dag_run.run_type == "backfill":
        pools[BACKFILL] = (BACKFILL_SLOTS, BACKFILL_DESCRIPTION)
    if pools:
        _ensure(pools)


def give_way(task_instance: TaskInstance, dag_run: DagRun | None) -> None:
    """Put a task of a backfill into the pool of backfills, behind all others; called by Airflow as a policy."""
    if dag_run is not None and dag_run.run_type == "backfill" and dag_run.dag and _is_ours(dag_run.dag.tasks):
        task_instance.pool = BACKFILL
        task_instance.priority_weight = 0


def _is_ours(tasks: Iterable[Any]) -> bool:
    return any(task.pool.startswith(PREFIXES) for task in tasks)


def _ensure(pools: Mapping[str, tuple[int, str]]) -> None:
    """Create missing pools in a session of its own: the scheduler's must not be committed here."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session(scoped=False) as session:
        known = set(session.scalars(select(Pool.pool).where(Pool.pool.in_(pools))))
        for name, (slots, description) in sorted(pools.items()):
            if name not in known:
                session.add(Pool(pool=name, slots=slots, description=description, include_deferred=False))
