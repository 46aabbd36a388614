"""An Airflow dag that keeps the ledger in order: runs that died, and what they left behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from operators.reconcile import DropAbandonedStaging, ReconcileRuns

with DAG(
    dag_id="connections_maintenance",
    description="Ends runs in the ledger that died in Airflow, and drops what dead attempts staged.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("*/10 * * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=["maintenance"],
    default_args={"owner": "connections", "retries": 1, "execution_timeout": timedelta(minutes=5)},
):
    ReconcileRuns(task_id="reconcile_runs")
    DropAbandonedStaging(task_id="drop_abandoned_staging")
