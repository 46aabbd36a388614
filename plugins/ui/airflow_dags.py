"""What Airflow knows about the DAGs of connections. Its models are internal to it: all use of them is here."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import case, func, select, update

from data_connections.errors import ConfigurationError
from data_connections.queries.connections import NextRun


def dag_states(names: Collection[str]) -> dict[str, NextRun]:
    """Return the state of each DAG that is there and active, in one query."""
    query = select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after).where(
        DagModel.dag_id.in_(names), DagModel.is_stale.is_(False)
    )
    with create_session() as session:
        return {name: NextRun(paused, after) for name, paused, after in session.execute(query)}


_OF_RUNS = (
    DagRun.run_id,
    DagRun.state,
    DagRun.run_type,
    DagRun.queued_at,
    DagRun.start_date,
    DagRun.end_date,
    DagRun.triggering_user_name,
)


def newest_runs(name: str, limit: int) -> list[dict[str, Any]]:
    """Return Airflow's newest runs of a DAG: id, state, type, times, who or what started it."""
    return _runs(select(*_OF_RUNS).where(DagRun.dag_id == name).order_by(DagRun.id.desc()).limit(limit))


def runs_by_id(name: str, run_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return those of the named runs of a DAG that Airflow has not forgotten, by their id."""
    found = _runs(select(*_OF_RUNS).where(DagRun.dag_id == name, DagRun.run_id.in_(run_ids)))
    return {run["run_id"]: run for run in found}


def _runs(query: Any) -> list[dict[str, Any]]:
    with create_session() as session:
        return [dict(row._mapping) for row in session.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name for it


def log_pages(name: str, run_ids: Collection[str]) -> dict[str, str]:
    """Return Airflow's page of each run's log to read first: of what failed first, else of what began last."""
    failed = TaskInstance.state == "failed"
    order = (case((failed, 0), else_=1), case((failed, TaskInstance.start_date)), TaskInstance.start_date.desc())
    place = func.row_number().over(partition_by=TaskInstance.run_id, order_by=order).label("place")
    tasks = (
        select(TaskInstance.run_id, TaskInstance.task_id, TaskInstance.map_index, place)
        .where(TaskInstance.dag_id == name, TaskInstance.run_id.in_(run_ids), TaskInstance.start_date.is_not(None))
        .subquery()
    )
    with create_session() as session:
        found = session.execute(select(tasks.c.run_id, tasks.c.task_id, tasks.c.map_index).where(tasks.c.place == 1))
        return {run_id: _task_page(name, run_id, task_id, index) for run_id, task_id, index in found}


def _task_page(name: str, run_id: str, task_id: str, map_index: int) -> str:
    page = f"/dags/{name}/runs/{quote(run_id, safe='')}/tasks/{quote(task_id, safe='')}"
    return page if map_index < 0 else f"{page}/mapped/{map_index}"


def set_paused(names: Collection[str], *, paused: bool, who: str) -> list[str]:
    """Pause or unpause DAGs, with an entry in Airflow's audit log for each; return those that there are."""
    with create_session() as session:
        there = list(session.scalars(select(DagModel.dag_id).where(DagModel.dag_id.in_(names))))
        session.execute(update(DagModel).where(DagModel.dag_id.in_(there)).values(is_paused=paused))
        for name in there:
            session.add(Log(event="pause" if paused else "unpause", owner=who, dag_id=name, extra="Connections screen"))
    return there


def start_run(name: str, who: str, conf: dict[str, Any] | None = None, run_id: str | None = None) -> str:
    """Start a run now and return its id; the same ``run_id`` again starts nothing.

    Raises:
        ConfigurationError: Airflow has no DAG of that name yet, or it does not accept the run.
    """
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagRunAlreadyExists

    with create_session() as session:
        dag = session.scalar(select(DagModel).where(DagModel.dag_id == name, DagModel.is_stale.is_(False)))
        if dag is None:
            raise ConfigurationError(
                f"Airflow has no DAG for {name} yet. Its DAG processor makes it within a minute; then try again."
            )
    try:
        run = trigger_dag(
            dag_id=name,
            triggered_by=DagRunTriggeredByType.UI,
            triggering_user_name=who,
            run_id=run_id,
            conf=conf or {},
            note="Started from the Connections screen",
        )
    except DagRunAlreadyExists:
        return str(run_id)
    except ValueError as refused:
        raise ConfigurationError(f"Airflow does not start a run of {name}: {refused}") from refused
    assert run is not None  # noqa: S101 - a run that is not there raises
    return str(run.run_id)
