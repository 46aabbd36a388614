"""The Airflow dags that keep the ledger in order: what dead runs left behind, and each day actions and books."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable

from operators.cleaning import CleanAirflow, CleanUp, SweepLeftovers
from operators.reconcile import DropAbandonedStaging, FinishSubmissions, ReconcileRuns
from operators.upkeep import FindEndings, LockActions, ReconcileBooks, RetryHeldRows, SumUpMonths
from operators.watchdog import Heartbeat, WatchInstallation
from operators.watching import WatchExpectedFiles

with DAG(
    dag_id="connections_maintenance",
    description="Ends runs that died in Airflow, drops what dead attempts staged, sums months, watches files.",
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
    FinishSubmissions(task_id="finish_submissions")
    SumUpMonths(task_id="sum_up_months")
    WatchExpectedFiles(task_id="watch_expected_files")

with DAG(
    dag_id="connections_daily",
    description="Held rows, locking, the books, what is old, what ends soon.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("10 3 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=["maintenance"],
    default_args={"owner": "connections", "retries": 2, "execution_timeout": timedelta(hours=1)},
):
    (
        RetryHeldRows(task_id="retry_held_rows")
        >> LockActions(task_id="lock_actions")
        >> ReconcileBooks(task_id="reconcile_books", retries=0)
    )
    CleanUp(task_id="clean_up") >> SweepLeftovers(task_id="sweep_leftovers")
    CleanAirflow(task_id="clean_airflow")
    FindEndings(task_id="find_endings")

with DAG(
    dag_id="connections_watchdog",
    description="Watches gateway, locking, disk, staging and database; calls the heartbeat while all works.",
    doc_md=__doc__,
    schedule=CronDataIntervalTimetable("*/5 * * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=["maintenance"],
    default_args={"owner": "connections", "execution_timeout": timedelta(minutes=2)},
):
    WatchInstallation(task_id="watch_installation")
    Heartbeat(task_id="heartbeat")
