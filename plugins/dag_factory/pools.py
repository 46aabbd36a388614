"""One Airflow pool per partner host, so that no partner gets more logins at once than it takes.

A pool that is missing would block its tasks without a word, so the scheduler makes it when a run of a connection
begins; ``connections_plugin`` registers this module as a listener. Slots that somebody changes later stay changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

from data_connections.spec import ConnectionSpec

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

PREFIX = "sftp-"
SLOTS = 4
DESCRIPTION = "Connections: tasks at work with this partner's server at the same time."


def pool_of(spec: ConnectionSpec) -> str:
    """Return the name of the pool of the connection's host, such as ``sftp-files.partner.test-22``."""
    details = spec.details
    return f"{details.scheme}-{details.host.lower().replace(':', '_')}-{details.port}"


@hookimpl
def on_dag_run_running(dag_run: DagRun) -> None:
    """Make the pools that the run's tasks name and that do not exist yet; runs in the scheduler."""
    tasks = dag_run.dag.tasks if dag_run.dag else ()
    names = {task.pool for task in tasks if task.pool.startswith(PREFIX)}
    if names:
        _ensure(sorted(names))


def _ensure(names: list[str]) -> None:
    """Create missing pools in a session of its own: the scheduler's must not be committed here."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session(scoped=False) as session:
        known = set(session.scalars(select(Pool.pool).where(Pool.pool.in_(names))))
        for name in names:
            if name not in known:
                session.add(Pool(pool=name, slots=SLOTS, description=DESCRIPTION, include_deferred=False))
