"""Backfills of Airflow. Its models are internal to it: all use of these is here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from airflow.exceptions import AirflowException, DagNotFound
from airflow.models.backfill import (
    AlreadyRunningBackfill,
    NoBackfillRunsToCreate,
    ReprocessBehavior,
    _create_backfill,
    _do_dry_run,
)
from airflow.utils.session import create_session

from data_connections.errors import ConfigurationError
from data_connections.steps.backfill import BackfillRange

Reprocess = Literal["none", "failed", "completed"]


def planned_starts(name: str, wanted: BackfillRange, reprocess: Reprocess) -> list[datetime]:
    """Return the logical dates of the runs that a backfill would make.

    Raises:
        ConfigurationError: Airflow has no DAG of that name yet, or it does not accept the backfill.
    """
    with create_session() as session:
        try:
            runs = _do_dry_run(
                dag_id=name,
                from_date=wanted.first,
                to_date=wanted.last,
                reverse=False,
                reprocess_behavior=ReprocessBehavior(reprocess),
                session=session,
            )
            return [run.logical_date for run in runs if run.logical_date]
        except (AirflowException, NoBackfillRunsToCreate) as refused:
            raise _in_our_words(name, refused) from refused


def start_backfill(name: str, wanted: BackfillRange, reprocess: Reprocess, conf: dict[str, Any], who: str) -> int:
    """Start a backfill and return its number in Airflow.

    Raises:
        ConfigurationError: Airflow has no DAG of that name yet, one is under way, or it does not accept the backfill.
    """
    try:
        started = _create_backfill(
            dag_id=name,
            from_date=wanted.first,
            to_date=wanted.last,
            max_active_runs=1,
            reverse=False,
            dag_run_conf=conf,
            triggering_user_name=who,
            reprocess_behavior=ReprocessBehavior(reprocess),
        )
    except (AirflowException, NoBackfillRunsToCreate) as refused:
        raise _in_our_words(name, refused) from refused
    return int(started.id)


def _in_our_words(name: str, refused: Exception) -> ConfigurationError:
    if isinstance(refused, DagNotFound):
        return ConfigurationError(f"Airflow has no DAG for {name} yet. Its DAG processor makes it within a minute.")
    if isinstance(refused, AlreadyRunningBackfill):
        return ConfigurationError(
            f"A backfill of {name} is under way, and Airflow runs one at a time. Wait for its end, or cancel it on the "
            "DAG's own page."
        )
    return ConfigurationError(f"Airflow does not accept this backfill of {name}: {refused}")
