"""DAGs of the installation itself, which belong to no connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable


def upkeep_dag(dag_id: str, line: str, description: str, doc_md: str | None, **task_defaults: Any) -> DAG:
    """Return a DAG that runs by itself from the first start on, one run at a time.

    Args:
        dag_id: Its name.
        line: Its schedule as a cron line, in UTC.
        description: It in one sentence.
        doc_md: It at length, as Markdown.
        task_defaults: Arguments of all its tasks.
    """
    return DAG(
        dag_id=dag_id,
        description=description,
        doc_md=doc_md,
        schedule=CronDataIntervalTimetable(line, timezone="UTC"),
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["maintenance"],
        default_args={"owner": "connections", **task_defaults},
    )
