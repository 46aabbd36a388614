"""What Airflow knows about the DAGs of connections. Its models are internal to it: all use of them is here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.utils.session import create_session
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select, update

from data_connections.errors import ConfigurationError


@dataclass(frozen=True)
class DagState:
    """A DAG as the scheduler has it.

    Attributes:
        paused: Whether the schedule rests.
        next_run: When the next run may begin, in UTC; None where nothing is scheduled.
    """

    paused: bool
    next_run: datetime | None


def dag_states(names: Collection[str]) -> dict[str, DagState]:
    """Return the state of each DAG that is there and active, in one query."""
    query = select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after).where(
        DagModel.dag_id.in_(names), DagModel.is_stale.is_(False)
    )
    with create_session() as session:
        return {name: DagState(paused, after) for name, paused, after in session.execute(query)}


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
